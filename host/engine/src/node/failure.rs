//! How a step fails.

use super::bindings::handoff::node::types::{Fault, FaultInfo};
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
    #[error("the node did not finish within {limit:?} and was stopped")]
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
            code,
            message,
        }
    }
}
