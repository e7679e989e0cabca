//! The store in memory does what stores do.

mod suite;

use handoff_store::MemoryStore;

suite::every_test!(memory, || |open: Option<MemoryStore>| open
    .unwrap_or_default());
