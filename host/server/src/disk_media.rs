//! Files on their way between users and agents, kept on disk and served under unguessable addresses.
//!
//! One file on disk holds a line of JSON, with name and media type, and the bytes. It is put in its place
//! as a whole. A file is read in parts as fast as its reader takes them, so readers cost no memory.

use crate::media::{MAX_FILE, address, id_of};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use handoff_genesys::{File, Media, MediaError, Streamed};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

/// How much is kept at once, bytes, unless another limit is set.
const ROOM: u64 = 10 << 30;

/// The longest first line of a file, bytes.
const LONGEST_HEAD: u64 = 4 << 10;

/// Keeps files in a directory.
#[derive(Debug)]
pub struct DiskMedia {
    directory: PathBuf,
    base_url: String,
    room: u64,
    used: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    name: String,
    mime: String,
}

impl DiskMedia {
    /// Keeps files in a directory that is there, and gives them addresses below the one at which the
    /// host's routes are reached. Blocks.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub fn open(directory: &Path, base_url: &str) -> io::Result<Self> {
        let mut used = 0;
        for entry in std::fs::read_dir(directory)? {
            let entry = entry?;
            if entry.path().extension().is_some() {
                // A file that was being written when the host ended.
                std::fs::remove_file(entry.path())?;
            } else {
                used += entry.metadata()?.len();
            }
        }
        Ok(Self {
            directory: directory.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            room: ROOM,
            used: AtomicU64::new(used),
        })
    }

    /// Keeps no more than this, bytes.
    #[must_use]
    pub fn room(mut self, bytes: u64) -> Self {
        self.room = bytes;
        self
    }

    /// Drops the files that were kept before a point in time. Blocks.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read or written. What was dropped by then stays dropped.
    pub fn drop_before(&self, before: SystemTime) -> io::Result<u64> {
        let mut dropped = 0;
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if metadata.modified()? < before {
                std::fs::remove_file(entry.path())?;
                self.give_back(metadata.len());
                dropped += 1;
            }
        }
        Ok(dropped)
    }

    fn give_back(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        // It always succeeds.
        let _ = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    async fn write(&self, id: Uuid, head: &[u8], bytes: &[u8]) -> io::Result<()> {
        let path = self.directory.join(id.to_string());
        let draft = path.with_extension("new");
        let written = async {
            let mut file = tokio::fs::File::create_new(&draft).await?;
            file.write_all(head).await?;
            file.write_all(bytes).await?;
            file.sync_all().await?;
            tokio::fs::rename(&draft, &path).await
        };
        let written = written.await;
        if written.is_err() {
            // Whatever there is of it is of no use; it may not even be there.
            drop(tokio::fs::remove_file(&draft).await);
        }
        written
    }

    async fn open_file(&self, id: Uuid) -> io::Result<(Head, u64, BufReader<tokio::fs::File>)> {
        let file = tokio::fs::File::open(self.directory.join(id.to_string())).await?;
        let length = file.metadata().await?.len();
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut start = (&mut reader).take(LONGEST_HEAD);
        start.read_until(b'\n', &mut line).await?;
        let head = serde_json::from_slice(&line)?;
        Ok((head, length - line.len() as u64, reader))
    }
}

fn unavailable(error: &io::Error) -> MediaError {
    let why = error.to_string();
    MediaError::Unavailable { why }
}

#[async_trait]
impl Media for DiskMedia {
    async fn keep(&self, file: File) -> Result<String, MediaError> {
        let bytes = file.bytes.len() as u64;
        if bytes > MAX_FILE {
            let limit = MAX_FILE;
            return Err(MediaError::TooLarge { bytes, limit });
        }
        let id = Uuid::new_v4();
        let url = address(&self.base_url, id, &file.name);
        let File { name, mime, bytes } = file;
        let head = serde_json::to_vec(&Head { name, mime });
        let mut head = head.map_err(|error| unavailable(&error.into()))?;
        head.push(b'\n');
        let size = (head.len() + bytes.len()) as u64;
        let used = self.used.fetch_add(size, Ordering::Relaxed);
        if used + size > self.room {
            self.give_back(size);
            let why = "the room for files is used up; the operator can make some with --retention";
            return Err(MediaError::Unavailable { why: why.into() });
        }
        if let Err(error) = self.write(id, &head, &bytes).await {
            self.give_back(size);
            return Err(unavailable(&error));
        }
        Ok(url)
    }

    async fn read(&self, url: &str) -> Result<File, MediaError> {
        let Streamed {
            name,
            mime,
            mut parts,
            ..
        } = self.stream(url).await?;
        let mut bytes = Vec::new();
        while let Some(part) = parts.next().await {
            bytes.extend_from_slice(&part?);
        }
        let bytes = Bytes::from(bytes);
        Ok(File { name, mime, bytes })
    }

    async fn stream(&self, url: &str) -> Result<Streamed, MediaError> {
        let unknown = || MediaError::Unknown {
            url: url.to_owned(),
        };
        let id = id_of(&self.base_url, url).ok_or_else(unknown)?;
        let (head, size, reader) = match self.open_file(id).await {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown()),
            Err(error) => return Err(unavailable(&error)),
        };
        let parts = ReaderStream::new(reader).map(|part| part.map_err(|error| unavailable(&error)));
        Ok(Streamed {
            name: head.name,
            mime: head.mime,
            size,
            parts: parts.boxed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const URL: &str = "http://host.example";

    fn file(bytes: usize) -> File {
        File {
            name: "a\nb.png".to_owned(),
            mime: "image/png".to_owned(),
            bytes: vec![b'\n'; bytes].into(),
        }
    }

    #[tokio::test]
    async fn a_file_is_there_after_a_restart_and_has_its_address_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let media = DiskMedia::open(folder.path(), URL).expect("opens");
        let url = media.keep(file(100_000)).await.expect("there is room");
        drop(media);
        std::fs::write(folder.path().join("half.new"), "x").expect("is written");
        let media = DiskMedia::open(folder.path(), URL).expect("opens again");
        assert_eq!(media.read(&url).await, Ok(file(100_000)));
        let streamed = media.stream(&url).await.expect("is there");
        assert_eq!(streamed.size, 100_000);
        for other in [
            "http://host.example/v1/media/../host.key/a".to_owned(),
            format!("{URL}/v1/media/{}/a", Uuid::new_v4()),
            url.replace("http:", "https:"),
        ] {
            let unknown = MediaError::Unknown { url: other.clone() };
            assert_eq!(media.read(&other).await, Err(unknown));
        }
        let kept = std::fs::read_dir(folder.path()).expect("reads").count();
        assert_eq!(kept, 1, "what was half written is gone");
    }

    #[tokio::test]
    async fn there_is_so_much_room_until_old_files_are_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let media = DiskMedia::open(folder.path(), URL).expect("opens");
        let media = media.room(1000);
        let url = media.keep(file(600)).await.expect("there is room");
        let refused = media.keep(file(600)).await.expect_err("there is none");
        assert_eq!(refused.code(), "media.unavailable");
        let long_ago = SystemTime::UNIX_EPOCH;
        assert_eq!(media.drop_before(long_ago).expect("reads"), 0);
        let soon = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(media.drop_before(soon).expect("reads"), 1);
        assert!(media.read(&url).await.is_err());
        media.keep(file(600)).await.expect("there is room again");
    }
}
