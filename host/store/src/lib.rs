//! The journal of sessions: what a host remembers, and how it is appended to.
//!
//! One append carries a whole turn: session, journal, effects, deadlines, and the id of the input
//! that caused it. It succeeds at exactly the revision after the one it was computed from, or not at
//! all. Effects stay pending until they are settled, so that whatever a host did not get round to is
//! found again after a restart.
//!
//! [`RedbStore`] keeps them in one file, [`MemoryStore`] for as long as the process lives.

mod contract;
mod disk;
mod error;
mod memory;

pub use contract::{Backup, Census, Due, Forgotten, Store};
pub use disk::{Compacted, Recovery, RedbOptions, RedbStore, Verified};
pub use error::{AppendError, OpenError, StoreError};
pub use memory::MemoryStore;
