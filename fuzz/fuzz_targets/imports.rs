//! Files of other systems that are imported.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_import::fuzzing::imports(bytes));
