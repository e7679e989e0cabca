//! Projects: manifest, flows and worker files together.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_engine::fuzzing::projects(bytes));
