//! Where files are on their way between the user and the agent.
//!
//! Some transports take and give addresses, others bytes. Whoever embeds a transport says where bytes
//! are kept and what address they then have; a transport asks only when it has to.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use std::fmt;
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

/// A file whose bytes come in parts, as fast as they are taken.
pub struct Streamed {
    /// File name, with its extension.
    pub name: String,
    /// Media type.
    pub mime: String,
    /// How many bytes there are.
    pub size: u64,
    /// The bytes.
    pub parts: BoxStream<'static, Result<Bytes, MediaError>>,
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl From<File> for Streamed {
    fn from(file: File) -> Self {
        let File { name, mime, bytes } = file;
        Self {
            name,
            mime,
            size: bytes.len() as u64,
            parts: stream::iter([Ok(bytes)]).boxed(),
        }
    }
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

    /// As [`Media::read`], in parts. Whoever keeps files elsewhere than in memory reads them here as
    /// fast as they are taken.
    async fn stream(&self, url: &str) -> Result<Streamed, MediaError> {
        self.read(url).await.map(Streamed::from)
    }
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
