//! What a node may use up.

use std::time::Duration;

/// Limits on one step of a node. The defaults suit nodes that compute and call services.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// Time on the processor. Counted in ticks of 10 ms.
    pub cpu: Duration,
    /// Time altogether, waiting included.
    pub wall: Duration,
    /// Instances alive at one time; further steps wait for their turn.
    pub instances: u32,
    /// Bytes of a context value's JSON text. 10,000 as in ServisBOT's context store.
    pub context_value: usize,
    /// Context keys and attributes a step may set or remove.
    pub writes: usize,
    /// Bytes of an external attribute's value.
    pub attribute_value: usize,
    /// External attributes a session may have.
    pub attributes: usize,
    /// Messages a step may send.
    pub messages: usize,
    /// Bytes of a message's text.
    pub message: usize,
    /// Log lines a step may write.
    pub log_lines: usize,
    /// Bytes of a log line.
    pub log_line: usize,
    /// Questions for agents that a step may ask.
    pub questions: usize,
    /// Requests over HTTP that a step may send.
    pub http_calls: usize,
    /// Bytes of a request's body.
    pub http_request: usize,
    /// Bytes of an answer's body. It goes into the session's journal.
    pub http_response: usize,
    /// How long a request may take, answer included. Less than `wall`, so that the node can say so.
    pub http_deadline: Duration,
    /// Bytes of the state a node keeps while it waits.
    pub state: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(30),
            instances: 256,
            context_value: 10_000,
            writes: 1_000,
            attribute_value: 10_000,
            attributes: 100,
            messages: 50,
            message: 16 << 10,
            questions: 5,
            http_calls: 10,
            http_request: 256 << 10,
            http_response: 256 << 10,
            http_deadline: Duration::from_secs(10),
            log_lines: 100,
            log_line: 2_000,
            state: 64 << 10,
        }
    }
}

/// The longest key of a context value or an attribute, in bytes.
pub(crate) const MAX_KEY: usize = 128;
