//! How long a session may become.

/// Limits of a session as a whole. One that reaches a limit closes with an error, after the turn that reached it
/// was carried out: what was said in it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Turns. 100,000.
    pub turns: u64,
    /// Bytes of text said, of answers from APIs, and of log lines, over all turns. 64 MiB.
    pub bytes: u64,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            turns: 100_000,
            bytes: 64 << 20,
        }
    }
}
