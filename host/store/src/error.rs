//! What can go wrong with a store, and what to do about it.
//!
//! Every variant is one thing a person can mend, and says how. Errors can be cloned, because one
//! broken disk answers everybody whose turn was to be written.

use handoff_engine::name::{InputId, Revision};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A turn that was not committed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// Another turn was committed first. Load the session and compute the turn again.
    #[error("the session is at revision {found}, and this turn was computed from {expected}")]
    Conflict {
        /// The revision the turn was computed from.
        expected: Revision,
        /// The revision the session is at.
        found: Revision,
    },
    /// The input was committed before. Nothing is to be done.
    #[error("the input {0} was committed before")]
    Duplicate(InputId),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AppendError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "store.conflict",
            Self::Duplicate(_) => "store.duplicate_input",
            Self::Store(error) => error.code(),
        }
    }
}

/// A store file that cannot be opened.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot open the store '{}': {error}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub error: StoreError,
}

impl OpenError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.error.code()
    }
}

/// A store that does not work.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is something else. It was not changed.
    #[error("the file is not a handoff store; name another file, or move this one away")]
    NotAStore,
    /// The file was written by a newer version. It was not changed.
    #[error(
        "the file is in format {found}, last written by {by}, and this version reads formats up to \
         {known}; start that version or a newer one, or put back a copy from before the upgrade"
    )]
    TooNew {
        /// Format of the file.
        found: u32,
        /// The newest format this version knows.
        known: u32,
        /// Who wrote it last.
        by: String,
    },
    /// The file was written by a version so old that no way leads on from it. It was not changed.
    #[error(
        "the file is in format {found}, last written by {by}, and this version reads formats from \
         {oldest} on; open it once with a version in between"
    )]
    TooOld {
        /// Format of the file.
        found: u32,
        /// The oldest format this version can bring up to date.
        oldest: u32,
        /// Who wrote it last.
        by: String,
    },
    /// Somebody else has the file open.
    #[error(
        "the file is in use by another host, or by another store in this process; stop that one \
         first, or give each host a file of its own"
    )]
    InUse,
    /// The file or its folder does not exist and cannot be made.
    #[error("there is no such folder; make it, or name another file")]
    NoFolder,
    /// The file, its folder or its disk does not let itself be written to.
    #[error(
        "the file may not be written ({0}); give the host's user the right to read and write it and \
         its folder, and see that the disk is not mounted read-only"
    )]
    NotWritable(#[source] Arc<io::Error>),
    /// The disk is full, or the quota used up.
    #[error(
        "the disk is full ({0}); make room, then start the host again: whatever was answered is kept"
    )]
    Full(#[source] Arc<io::Error>),
    /// The file is damaged.
    #[error(
        "the file is damaged ({what}); stop the host, keep the file for analysis, and put back a copy; \
         check the disk"
    )]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// A session or turn is larger than a store can hold.
    #[error("{bytes} bytes are too much for one record; keep less in the session's context")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The disk does not work.
    #[error(
        "the disk does not work ({0}); check it, then start the host again: whatever was answered is \
         kept"
    )]
    Io(#[source] Arc<io::Error>),
    /// An earlier failure stopped the store, so that nothing is built upon what may not be on disk.
    #[error("the store stopped at an earlier failure, and the host must be started again: {0}")]
    Stopped(#[source] Arc<StoreError>),
    /// The store was closed.
    #[error("the store is closed; open it again")]
    Closed,
    /// The store keeps nothing that could be copied into a file.
    #[error("this store has no file to copy; back up a host whose store is one")]
    NoBackup,
    /// A copy would overwrite what is there.
    #[error("there is a file of that name already; name another one, or move it away")]
    Exists,
    /// What a store of somebody else's making says.
    #[error("the store does not work: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAStore => "store.not_a_store",
            Self::TooNew { .. } => "store.too_new",
            Self::TooOld { .. } => "store.too_old",
            Self::InUse => "store.in_use",
            Self::NoFolder => "store.no_folder",
            Self::NotWritable(_) => "store.not_writable",
            Self::Full(_) => "store.full",
            Self::Corrupt { .. } => "store.corrupt",
            Self::TooLarge { .. } => "store.too_large",
            Self::Io(_) => "store.io",
            Self::Stopped(_) => "store.stopped",
            Self::Closed => "store.closed",
            Self::NoBackup => "store.no_backup",
            Self::Exists => "store.exists",
            Self::Unavailable(_) => "store.unavailable",
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it stands where errors are mapped, which hands them over"
    )]
    pub(crate) fn corrupt(what: impl ToString) -> Self {
        Self::Corrupt {
            what: what.to_string(),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => {
                Self::Full(Arc::new(error))
            }
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Self::NotWritable(Arc::new(error)),
            Kind::NotFound | Kind::NotADirectory => Self::NoFolder,
            Kind::IsADirectory => Self::NotAStore,
            Kind::UnexpectedEof | Kind::InvalidData => Self::corrupt(error),
            _ => Self::Io(Arc::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_in_the_manual_with_what_to_do() {
        let broken = || Arc::new(io::Error::other("it broke"));
        let (found, by) = (2, "handoff-store 9".to_owned());
        let errors = [
            StoreError::NotAStore,
            StoreError::TooNew {
                found,
                known: 1,
                by: by.clone(),
            },
            StoreError::TooOld {
                found,
                oldest: 3,
                by,
            },
            StoreError::InUse,
            StoreError::NoFolder,
            StoreError::NotWritable(broken()),
            StoreError::Full(broken()),
            StoreError::corrupt("a page"),
            StoreError::TooLarge { bytes: 1 },
            StoreError::Io(broken()),
            StoreError::Stopped(Arc::new(StoreError::InUse)),
            StoreError::Closed,
            StoreError::NoBackup,
            StoreError::Exists,
            StoreError::Unavailable("it rests".to_owned()),
        ];
        let manual = include_str!("../../../docs/store.md");
        for error in &errors {
            let row = format!("| `{}` |", error.code());
            assert!(manual.contains(&row), "{row}");
        }
        assert_eq!(manual.matches("| `store.").count(), errors.len());
    }

    #[test]
    fn what_the_system_says_becomes_what_a_person_can_mend() {
        use io::ErrorKind as Kind;
        for (kind, code) in [
            (Kind::StorageFull, "store.full"),
            (Kind::QuotaExceeded, "store.full"),
            (Kind::PermissionDenied, "store.not_writable"),
            (Kind::ReadOnlyFilesystem, "store.not_writable"),
            (Kind::NotFound, "store.no_folder"),
            (Kind::UnexpectedEof, "store.corrupt"),
            (Kind::TimedOut, "store.io"),
        ] {
            assert_eq!(StoreError::from(io::Error::from(kind)).code(), code);
        }
    }
}
