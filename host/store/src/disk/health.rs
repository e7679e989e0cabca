//! Whether the store still works.
//!
//! After a sync that failed nobody knows what is on disk. A store that went on would show the state
//! before it, and a restart perhaps the state after: so it stops, reads and all, until it is opened
//! anew and reads what there is.

use crate::StoreError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// What stopped the store, if something did.
#[derive(Debug, Default)]
pub(super) struct Health {
    stopped: OnceLock<StoreError>,
    /// Bytes of records written since the store was opened.
    written: AtomicU64,
}

impl Health {
    /// Whether the store works.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.stopped.get() {
            None => Ok(()),
            Some(first) => Err(StoreError::Stopped(Arc::new(first.clone()))),
        }
    }

    pub(super) fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Stops the store. The first failure is kept, since it is the one to mend.
    pub(super) fn stop(&self, error: &StoreError) {
        let _ = self.stopped.set(error.clone());
    }

    /// Stops the store if the failure of a read is the disk's.
    pub(super) fn note(&self, error: &StoreError) {
        if !is_of_one_record(error) {
            self.stop(error);
        }
    }
}

/// Whether a failure is one session's, and does not concern the others.
pub(super) fn is_of_one_record(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Corrupt { .. } | StoreError::TooLarge { .. }
    )
}
