//! How long to wait before trying again.
//!
//! Waits double and are spread by jitter, so that a thousand handoffs that lost the same server do
//! not come back in the same millisecond. The jitter is a function of the handoff and the attempt:
//! a replay waits exactly as long as the original.

use handoff_engine::time::Millis;
use sha2::{Digest, Sha256};

/// Waits that double from `first` to `longest`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Millis,
    pub(crate) longest: Millis,
}

impl Backoff {
    /// The wait after failed attempt number `attempt`, counted from 1: between three quarters of the
    /// full span and the whole of it.
    pub(crate) fn after(self, attempt: u32, seed: &str) -> Millis {
        let doublings = attempt.saturating_sub(1).min(16);
        let full = (self.first.0 << doublings).min(self.longest.0);
        let quarter = full / 4;
        Millis(full - jitter(seed, attempt) % quarter.max(1))
    }
}

fn jitter(seed: &str, attempt: u32) -> u64 {
    let digest = Sha256::new()
        .chain_update(seed)
        .chain_update(attempt.to_be_bytes())
        .finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Millis(1000),
        longest: Millis(30_000),
    };

    #[test]
    fn waits_double_up_to_the_longest() {
        let wait = |attempt| BACKOFF.after(attempt, "a").0;
        assert!((751..=1000).contains(&wait(1)));
        assert!((1501..=2000).contains(&wait(2)));
        assert!((22_501..=30_000).contains(&wait(9)));
        assert!((22_501..=30_000).contains(&wait(u32::MAX)));
    }

    #[test]
    fn the_same_attempt_always_waits_as_long_and_handoffs_differ() {
        assert_eq!(BACKOFF.after(3, "a"), BACKOFF.after(3, "a"));
        assert_ne!(BACKOFF.after(3, "a"), BACKOFF.after(3, "b"));
    }
}
