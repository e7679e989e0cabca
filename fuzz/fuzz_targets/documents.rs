//! JSON and TOML documents that remember where each value stands.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_engine::fuzzing::documents(bytes));
