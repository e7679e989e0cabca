//! Org files of the simulator.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| genesys_sim::fuzzing::org_files(bytes));
