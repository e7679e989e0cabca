//! Scenario files.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_scenario::fuzzing::scenarios(bytes));
