//! Files on their way between users and agents, kept in memory and served under unguessable addresses.
//!
//! Whoever knows a file's address can have it: Genesys has to, and the user's channel too. The trade-off
//! is memory: files are dropped, oldest first, once they exceed what is allowed together, and with the
//! process.

use crate::host::Host;
use async_trait::async_trait;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_engine::content::Attachment;
use handoff_genesys::{File, Media, MediaError};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// The largest file taken in, bytes: what Genesys Cloud takes.
pub const MAX_FILE: u64 = 25 * 1024 * 1024;

/// How much is kept at once, bytes.
const ROOM: u64 = 512 * 1024 * 1024;

/// Keeps files in memory.
#[derive(Debug)]
pub struct MemoryMedia {
    /// Where the host's routes are reached, without a trailing slash.
    base_url: String,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<Uuid, File>,
    order: VecDeque<Uuid>,
    bytes: u64,
}

impl MemoryMedia {
    /// Keeps files and gives them addresses below the one at which the host's routes are reached.
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            kept: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a file is served, below the address at which a host's routes are reached.
pub(crate) fn address(base_url: &str, id: Uuid, name: &str) -> String {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    // In a path a plus sign is itself.
    let name = name.replace('+', "%20");
    format!("{base_url}/v1/media/{id}/{name}")
}

/// The file that is served at an address, if it is one of these.
pub(crate) fn id_of(base_url: &str, url: &str) -> Option<Uuid> {
    let rest = url.strip_prefix(base_url)?.strip_prefix("/v1/media/")?;
    let id = rest.split(['/', '?', '#']).next()?;
    // In the one spelling in which it was given out.
    let read = Uuid::parse_str(id).ok()?;
    (read.to_string() == id).then_some(read)
}

impl Kept {
    fn add(&mut self, id: Uuid, file: File) {
        self.bytes += file.bytes.len() as u64;
        self.files.insert(id, file);
        self.order.push_back(id);
        while self.bytes > ROOM
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.files.remove(&oldest);
            self.bytes -= gone.map_or(0, |file| file.bytes.len() as u64);
        }
    }
}

#[async_trait]
impl Media for MemoryMedia {
    async fn keep(&self, file: File) -> Result<String, MediaError> {
        let bytes = file.bytes.len() as u64;
        if bytes > MAX_FILE {
            let limit = MAX_FILE;
            return Err(MediaError::TooLarge { bytes, limit });
        }
        let id = Uuid::new_v4();
        let url = address(&self.base_url, id, &file.name);
        self.kept().add(id, file);
        Ok(url)
    }

    async fn read(&self, url: &str) -> Result<File, MediaError> {
        let unknown = || MediaError::Unknown {
            url: url.to_owned(),
        };
        let id = id_of(&self.base_url, url).ok_or_else(unknown)?;
        self.kept().files.get(&id).cloned().ok_or_else(unknown)
    }
}

impl Host {
    /// Keeps a file of the user's, for a message to hold.
    ///
    /// # Errors
    ///
    /// If the host keeps no files, or the file is too large.
    pub async fn keep_file(&self, file: File) -> Result<Attachment, MediaError> {
        let (name, mime, size) = (
            file.name.clone(),
            file.mime.clone(),
            file.bytes.len() as u64,
        );
        let url = self.0.media.keep(file).await?;
        Ok(Attachment {
            name,
            mime,
            url,
            size: Some(size),
        })
    }
}

impl Host {
    /// A file that this host keeps, by its address. What comes back has the address that the file got
    /// when it was kept, whatever the given one says beyond its id.
    pub(crate) async fn file(&self, url: &str) -> Result<Attachment, MediaError> {
        let file = self.0.media.stream(url).await?;
        let own = self.0.public_url.as_deref().and_then(|base| {
            let base = base.trim_end_matches('/');
            Some(address(base, id_of(base, url)?, &file.name))
        });
        Ok(Attachment {
            name: file.name,
            mime: file.mime,
            url: own.unwrap_or_else(|| url.to_owned()),
            size: Some(file.size),
        })
    }
}

/// A file by its address. It is never shown in the host's own origin.
pub(crate) async fn serve(
    State(host): State<Host>,
    Path((id, name)): Path<(String, String)>,
) -> Response {
    let Some(base) = &host.0.public_url else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let url = format!("{}/v1/media/{id}/{name}", base.trim_end_matches('/'));
    match host.0.media.stream(&url).await {
        Ok(file) => {
            let mime = HeaderValue::from_str(&file.mime);
            let headers = [
                (header::CONTENT_LENGTH, HeaderValue::from(file.size)),
                (
                    header::CONTENT_TYPE,
                    mime.unwrap_or(HeaderValue::from_static("application/octet-stream")),
                ),
                (
                    header::CONTENT_DISPOSITION,
                    HeaderValue::from_static("attachment"),
                ),
                (
                    header::X_CONTENT_TYPE_OPTIONS,
                    HeaderValue::from_static("nosniff"),
                ),
                (
                    header::CONTENT_SECURITY_POLICY,
                    HeaderValue::from_static("sandbox"),
                ),
            ];
            (headers, Body::from_stream(file.parts)).into_response()
        }
        Err(error) => (StatusCode::NOT_FOUND, format!("{error}\n")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: usize) -> File {
        File {
            name: "a b.png".to_owned(),
            mime: "image/png".to_owned(),
            bytes: vec![7; bytes].into(),
        }
    }

    #[tokio::test]
    async fn a_file_is_had_by_its_own_address_only() {
        let media = MemoryMedia::new("http://host.example/");
        let url = media.keep(file(3)).await.expect("there is room");
        assert!(url.starts_with("http://host.example/v1/media/"), "{url}");
        assert_eq!(media.read(&url).await, Ok(file(3)));
        for other in [
            "http://host.example/v1/media/",
            "http://host.example/v1/media/0/a",
            "http://169.254.169.254/latest/meta-data",
        ] {
            let url = other.to_owned();
            assert_eq!(media.read(other).await, Err(MediaError::Unknown { url }));
        }
    }

    #[tokio::test]
    async fn a_file_beyond_the_limit_is_refused_and_the_oldest_make_room() {
        let media = MemoryMedia::new("http://host.example");
        let limit = usize::try_from(MAX_FILE).expect("fits");
        let refused = media.keep(file(limit + 1)).await;
        assert!(matches!(refused, Err(MediaError::TooLarge { .. })));
        let first = media.keep(file(limit)).await.expect("there is room");
        for _ in 0..ROOM / MAX_FILE {
            media.keep(file(limit)).await.expect("room is made");
        }
        assert!(media.read(&first).await.is_err());
        assert!(media.kept().bytes <= ROOM);
    }
}
