//! The store in memory does what stores do.

mod suite;

suite::every_test!(memory, handoff_store::MemoryStore::new());
