//! What a node may use up.

use super::outline::Parts;
use std::time::Duration;

/// Limits on one step of a node. The defaults suit nodes that compute and call services.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Linear memories and tables of the step's instance, in bytes, all of them together.
    pub memory: usize,
    /// Time on the processor, that of host calls included. Measured on the thread's own clock and
    /// compared every 10 ms, so a busy machine does not shorten it.
    pub cpu: Duration,
    /// Time spent waiting, for example for answers over HTTP. Time on the processor, or spent in line
    /// for an instance, is not counted.
    pub wall: Duration,
    /// Instances of ordinary nodes alive at one time; further steps wait for their turn. A node with
    /// more than one memory, two tables or four core instances counts as several.
    pub instances: u32,
    /// Bytes of a context value's JSON text. 10,000 as in ServisBOT's context store.
    pub context_value: usize,
    /// Bytes of all keys and values of a session's context together.
    pub context: usize,
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
    /// Bytes a node may hand to the host in one call, or in what it returns.
    pub at_once: usize,
    /// Random bytes a node may ask for in one call.
    pub random: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(30),
            instances: 256,
            context_value: 10_000,
            context: 100_000,
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
            at_once: 1 << 20,
            random: 64 << 10,
        }
    }
}

/// The longest key of a context value or an attribute, in bytes.
pub(crate) const MAX_KEY: usize = 128;

/// The largest component, in bytes. One that brings an interpreter with it has some 20 MB.
pub(super) const MAX_COMPONENT: usize = 64 << 20;

/// The largest descriptor, in bytes.
pub(super) const MAX_DESCRIPTOR: usize = 256 << 10;

/// The most mistakes in a config that a node's `validate` may report.
pub(super) const MAX_PROBLEMS: usize = 100;

/// Handles to host resources (streams, requests, headers) that a step may hold at one time.
pub(super) const MAX_HANDLES: usize = 1_000;

/// Bytes of one set of HTTP headers.
pub(super) const MAX_HEADERS: usize = 32 << 10;

/// What one component may consist of. Python's interpreter comes as some thirty core instances that
/// share a memory; nothing honest comes near the rest.
pub(super) const MAX_PARTS: Parts = Parts {
    core_instances: 128,
    memories: 64,
    tables: 64,
};

/// What one place in the pool holds. Rust's standard library takes three core instances.
pub(super) const PARTS_OF_A_PLACE: Parts = Parts {
    core_instances: 4,
    memories: 1,
    tables: 2,
};
