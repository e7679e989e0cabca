//! Copies of a store in use, and smaller files.
//!
//! redb's file can't be copied while it is written: what a copier reads first is older than what it reads last. So
//! the rows are copied, as of one moment, into a file of their own, and that is in its place only once it is whole.

use super::reading::Reading;
use super::tables::{Written, copy};
use super::{RedbOptions, RedbStore, format, opening};
use crate::{Backup, StoreError};
use redb::CompactionError;
use std::fs;
use std::path::Path;

/// A file that was made as small as it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes of the file before.
    pub before: u64,
    /// Bytes of the file after.
    pub after: u64,
}

/// Copies everything a moment holds into a new file.
pub(super) fn copy_to(reading: &Reading, to: &Path) -> Result<Backup, StoreError> {
    if fs::exists(to)? {
        return Err(StoreError::Exists);
    }
    let draft = opening::draft_of(to);
    let file = opening::private()
        .create(true)
        .truncate(true)
        .open(&draft)?;
    let copied = write(reading, file);
    if copied.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&draft);
    }
    let sessions = copied?;
    // Does not replace what somebody else made in the meantime.
    let linked = fs::hard_link(&draft, to);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(StoreError::Exists);
        }
        linked => linked?,
    }
    opening::sync_folder_of(to)?;
    let bytes = fs::metadata(to)?.len();
    Ok(Backup { sessions, bytes })
}

fn write(reading: &Reading, file: fs::File) -> Result<u64, StoreError> {
    let mut database = redb::Database::builder().create_file(file)?;
    format::prepare(&database)?;
    let transaction = database.begin_write()?;
    let mut rows = 0;
    copy(
        reading.tables(),
        &mut Written::open(&transaction)?,
        &mut rows,
    )?;
    transaction.commit()?;
    compact(&mut database)?;
    reading.count_sessions()
}

fn compact(database: &mut redb::Database) -> Result<(), StoreError> {
    // Each call moves what it can; false says that nothing is left to move.
    while database.compact().map_err(|error| match error {
        CompactionError::Storage(error) => error.into(),
        error => StoreError::corrupt(error),
    })? {}
    Ok(())
}

impl RedbStore {
    /// Makes the file of a store that is not in use as small as it can be. Blocks.
    ///
    /// # Errors
    ///
    /// If there is no such store, if it is in use, or if the disk does not work.
    pub fn compact(path: impl AsRef<Path>) -> Result<Compacted, StoreError> {
        let path = path.as_ref();
        let before = fs::metadata(path)?.len();
        let mut database = opening::open(path, &RedbOptions::default())?;
        compact(&mut database)?;
        drop(database);
        let after = fs::metadata(path)?.len();
        Ok(Compacted { before, after })
    }
}
