//! Frames of the notification socket.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_genesys::fuzzing::notifications(bytes));
