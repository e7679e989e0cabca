//! Webhook and trigger calls: the header that proves the caller, and the body.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handoff_genesys::fuzzing::webhooks(bytes));
