//! Answers and refusals of the Platform API, and what is concluded from them.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_genesys::fuzzing::platform_answers(bytes));
