//! WASI with nothing in it but clocks and random numbers that repeat.
//!
//! No files, no environment, no arguments, no sockets. Clocks show the time of the turn and random
//! numbers come from the step's place in its session, so that a step replayed is a step repeated.

use crate::time::Timestamp;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

struct Frozen(Timestamp);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.0)
    }
}

/// Moves on by a microsecond at each look, so that code which waits for it to move does not wait
/// for ever.
#[derive(Default)]
struct Counting(AtomicU64);

impl HostMonotonicClock for Counting {
    fn resolution(&self) -> u64 {
        1_000
    }

    fn now(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }
}

/// An empty WASI context, which gives at most `most_random` bytes a call. What the node writes to its standard error goes to `stderr`.
pub(super) fn wasi(
    now: Timestamp,
    seed: &str,
    most_random: usize,
    stderr: MemoryOutputPipe,
) -> WasiCtx {
    let seed: [u8; 32] = Sha256::digest(seed).into();
    let random = |stream: u64| {
        let mut random = ChaCha8Rng::from_seed(seed);
        random.set_stream(stream);
        random
    };
    let [word, ..] = [u128::from_le_bytes(
        seed[..16].try_into().unwrap_or_default(),
    )];
    WasiCtxBuilder::new()
        .wall_clock(Frozen(now))
        .monotonic_clock(Counting::default())
        .secure_random(random(0))
        .insecure_random(random(1))
        .insecure_random_seed(word)
        .max_random_size(u64::try_from(most_random).unwrap_or(u64::MAX))
        .stderr(stderr)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime_wasi::p2::bindings::random::{insecure, random};

    #[test]
    fn random_bytes_are_given_up_to_the_limit_of_a_call() {
        let stderr = MemoryOutputPipe::new(1);
        let mut wasi = wasi(Timestamp(0), "seed", 1_000, stderr);
        for length in [0, 1, 1_000] {
            let random = random::Host::get_random_bytes(wasi.random(), length);
            assert_eq!(random.expect("is given").len() as u64, length);
            let random = insecure::Host::get_insecure_random_bytes(wasi.random(), length);
            assert_eq!(random.expect("is given").len() as u64, length);
        }
        for length in [1_001, 30 << 20, u64::MAX] {
            assert!(random::Host::get_random_bytes(wasi.random(), length).is_err());
            let random = insecure::Host::get_insecure_random_bytes(wasi.random(), length);
            assert!(random.is_err());
        }
    }
}
