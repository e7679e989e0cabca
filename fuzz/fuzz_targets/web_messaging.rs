//! Handoffs over Web Messaging: frames, history, configuration, answers, in any order and time.

#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| handoff_genesys::fuzzing::web_messaging(script));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    handoff_fuzz::mutate_lines(data, size, max_size, seed)
});
