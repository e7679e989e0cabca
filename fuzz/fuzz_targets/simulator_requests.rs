//! Requests and guests' frames to the simulator, one after the other.

#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| genesys_sim::fuzzing::simulator_requests(script));

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    handoff_fuzz::mutate_lines(data, size, max_size, seed)
});
