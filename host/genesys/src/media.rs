//! Where files are on their way between the user and the agent.
//!
//! Some transports take and give addresses, others bytes. Whoever embeds a transport says where bytes
//! are kept and what address they then have; a transport asks only when it has to.

use async_trait::async_trait;
use bytes::Bytes;
use std::fmt::Debug;

/// A file's bytes and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// File name, with its extension.
    pub name: String,
    /// Media type, for example `image/png`.
    pub mime: String,
    /// The bytes.
    pub bytes: Bytes,
}

/// A file that cannot be had or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// Nothing is kept under this address.
    #[error("no file is kept under {url}; upload it again")]
    Unknown {
        /// The address.
        url: String,
    },
    /// There is no room for it.
    #[error("the file is {bytes} bytes long, and {limit} are allowed; send a smaller one")]
    TooLarge {
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// What keeps files does not work at the moment.
    #[error("files cannot be kept or read at the moment: {why}")]
    Unavailable {
        /// Why.
        why: String,
    },
}

impl MediaError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "media.unknown",
            Self::TooLarge { .. } => "media.too_large",
            Self::Unavailable { .. } => "media.unavailable",
        }
    }
}

/// Keeps files.
#[async_trait]
pub trait Media: Send + Sync + Debug {
    /// Keeps a file and says under which address the user's channel, and Genesys, can get it. The
    /// same file may be kept twice, under two addresses.
    async fn keep(&self, file: File) -> Result<String, MediaError>;

    /// The file that is kept under an address. Addresses of others are not fetched.
    async fn read(&self, url: &str) -> Result<File, MediaError>;
}

/// Keeps nothing: files cannot be sent as bytes, and those of agents that come as bytes cannot be
/// shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMedia;

#[async_trait]
impl Media for NoMedia {
    async fn keep(&self, _: File) -> Result<String, MediaError> {
        let why = "this host keeps no files".to_owned();
        Err(MediaError::Unavailable { why })
    }

    async fn read(&self, url: &str) -> Result<File, MediaError> {
        let url = url.to_owned();
        Err(MediaError::Unknown { url })
    }
}
