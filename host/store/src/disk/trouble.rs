//! What redb says, in words a person can act upon.

use crate::StoreError;
use redb::{CommitError, DatabaseError, Error, StorageError, TableError, TransactionError};
use std::any::Any;
use std::io;

/// Tells an error of redb.
pub(super) fn redb_failed(error: impl Into<Error>) -> StoreError {
    match error.into() {
        Error::Io(error) => error.into(),
        Error::ValueTooLarge(bytes) => StoreError::TooLarge { bytes },
        Error::DatabaseAlreadyOpen => StoreError::InUse,
        Error::DatabaseClosed => StoreError::Closed,
        Error::PreviousIo => io::Error::other("it failed before").into(),
        // Tables of another shape, a lock poisoned by a panic, a file that ends too early: whatever
        // else redb may say of a file that is this store's alone, the file is not as it was left.
        error => StoreError::corrupt(error),
    }
}

/// Tells a panic within redb, which trusts what it reads.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    StoreError::corrupt(text.unwrap_or("a page makes no sense"))
}

macro_rules! from_redb {
    ($($error:ty)*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                redb_failed(error)
            }
        }
    )*};
}

from_redb! { CommitError DatabaseError StorageError TableError TransactionError }
