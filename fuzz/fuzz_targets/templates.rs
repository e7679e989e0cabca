//! Templates and expressions, checked, compiled and run.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_engine::fuzzing::templates(bytes));
