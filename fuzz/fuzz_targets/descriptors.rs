//! What node components say of themselves.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_engine::fuzzing::descriptors(bytes));
