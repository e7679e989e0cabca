//! What a server keeps on disk, in one directory: sessions, users' files, versions of the project, and the
//! host's key. It lies outside of the project, which may come from anybody.

use crate::disk_media::DiskMedia;
use crate::key::{HostKey, KeyError};
use crate::releases::{Archive, ArchiveError};
use crate::revocations::{Revocations, RevocationsError};
use handoff_engine::clock::{Clock, SystemClock};
use handoff_store::{OpenError, RedbStore};
use std::io;
use std::path::{Path, PathBuf};

/// A server's directory.
#[derive(Clone, Debug)]
pub struct DataDirectory {
    path: PathBuf,
    key: HostKey,
}

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be made or written.
    #[error(
        "'{path}' cannot be written: {error}. Give the server's user the right to, or name another \
         directory with --data"
    )]
    Unwritable {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The revoked tokens cannot be had.
    #[error(transparent)]
    Revocations(#[from] RevocationsError),
    /// The archive of versions cannot be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl DataDirectory {
    /// A directory, which is made if it is not there. Nobody but the user may look into one that is made.
    ///
    /// # Errors
    ///
    /// If it cannot be made, or its key cannot be had.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataError> {
        let path = path.into();
        make(&path)?;
        let key = HostKey::load_or_create(&path)?;
        Ok(Self { path, key })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The host's key.
    #[must_use]
    pub fn key(&self) -> &HostKey {
        &self.key
    }

    /// The sessions. Blocks; after a crash for as long as it takes to read the file.
    ///
    /// # Errors
    ///
    /// If the file is no store, or in use.
    pub fn store(&self) -> Result<RedbStore, DataError> {
        Ok(RedbStore::open(self.path.join("sessions.handoff"))?)
    }

    /// Users' files, with addresses below the one at which the server is reached.
    ///
    /// # Errors
    ///
    /// If their directory cannot be made or read.
    pub fn media(&self, public_url: &str) -> Result<DiskMedia, DataError> {
        let path = self.path.join("media");
        make(&path)?;
        DiskMedia::open(&path, public_url).map_err(|error| DataError::Unwritable { path, error })
    }

    /// Which sessions' tokens were revoked. Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written.
    pub fn revocations(&self) -> Result<Revocations, DataError> {
        Ok(Revocations::open(&self.path, SystemClock.now())?)
    }

    /// Versions of the project.
    ///
    /// # Errors
    ///
    /// If their directory cannot be made.
    pub fn archive(&self) -> Result<Archive, DataError> {
        Ok(Archive::open(self.path.join("versions"))?)
    }
}

fn make(path: &Path) -> Result<(), DataError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| DataError::Unwritable {
        path: path.to_owned(),
        error,
    })
}
