//! A database that can be let go of whatever state it is in.
//!
//! redb trusts its file. Where a damaged one makes it panic, it panics again when it is closed; what
//! was to be told of the first panic has been told, and the second one must not bring down whoever
//! happens to hold the database last.

use redb::Database;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The database, and the duty to close it.
#[derive(Debug)]
pub(super) struct Held(Option<Database>);

impl Held {
    pub(super) fn new(database: Database) -> Self {
        Self(Some(database))
    }

    pub(super) fn get(&self) -> &Database {
        self.0.as_ref().expect("it is taken when dropped only")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let database = self.0.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
    }
}
