//! How a step fails.

use super::bindings::handoff::node::types::{Fault, FaultInfo};
use super::node_text;
use std::time::Duration;

/// A step that did not come to an outcome. Nothing it wrote or sent takes effect.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepFailure {
    /// The node said so itself.
    #[error("{message}")]
    Fault {
        /// `invalid-config`, `retryable` or `permanent`.
        kind: &'static str,
        /// The node's own code.
        code: String,
        /// The node's own sentence.
        message: String,
    },
    /// The node crashed.
    #[error("the node crashed: {reason}")]
    Trapped {
        /// What it said last, or what the processor said.
        reason: String,
    },
    /// The node computed for too long.
    #[error(
        "the node computed for more than {limit:?} and was stopped; look for a loop that does not end"
    )]
    CpuDeadline {
        /// The limit.
        limit: Duration,
    },
    /// The node waited for too long.
    #[error("the node waited for more than {limit:?}, on the whole, and was stopped")]
    WallDeadline {
        /// The limit.
        limit: Duration,
    },
    /// The node wanted too much memory.
    #[error("the node wanted more than {limit} bytes of memory and was stopped")]
    OutOfMemory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The node wrote too many keys.
    #[error(
        "the node set or removed more than {limit} context keys and attributes in one step and was \
         stopped; keep many values under one key"
    )]
    TooManyWrites {
        /// The limit.
        limit: usize,
    },
    /// The session's context would hold too much.
    #[error(
        "with the context key '{key}' the session's context would hold {bytes} bytes; {limit} are allowed \
         in all. Keep less of it, set keys that are done with to null, or have the host's operator raise \
         --context-limit"
    )]
    ContextFull {
        /// The key that was too much.
        key: String,
        /// What the context would hold, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The node handed over too much in one call.
    #[error(
        "the node handed the host more than {limit} bytes in one call and was stopped; hand over less"
    )]
    TooMuchAtOnce {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The machine has no address space for the node.
    #[error(
        "this machine has no memory left for an instance of the node, which is not at fault: raise the \
         host's limit on virtual memory ('ulimit -v', or LimitAS of a service)"
    )]
    NoSpace,
    /// The pool stayed full.
    #[error("no instance of the node could be had; try again")]
    PoolFull,
    /// The node returned something that the contract does not allow.
    #[error("{message}")]
    BadOutput {
        /// What is wrong with it.
        message: String,
    },
}

impl StepFailure {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Fault { code, .. } => code,
            Self::Trapped { .. } => "node.trapped",
            Self::CpuDeadline { .. } => "node.cpu_deadline",
            Self::WallDeadline { .. } => "node.wall_deadline",
            Self::OutOfMemory { .. } => "node.out_of_memory",
            Self::TooManyWrites { .. } => "node.too_many_writes",
            Self::ContextFull { .. } => "node.context_full",
            Self::TooMuchAtOnce { .. } => "node.too_much_at_once",
            Self::NoSpace => "host.no_address_space",
            Self::PoolFull => "host.pool_full",
            Self::BadOutput { .. } => "node.bad_output",
        }
    }
}

impl From<Fault> for StepFailure {
    fn from(fault: Fault) -> Self {
        let (kind, FaultInfo { code, message, .. }) = match fault {
            Fault::InvalidConfig(info) => ("invalid-config", info),
            Fault::Retryable(info) => ("retryable", info),
            Fault::Permanent(info) => ("permanent", info),
        };
        Self::Fault {
            kind,
            code: node_text::name(code),
            message: node_text::sentence(message),
        }
    }
}
