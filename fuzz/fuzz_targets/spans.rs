//! Spans of time as people write them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_engine::fuzzing::spans(bytes));
