//! What a step decided.

use std::time::Duration;

use serde::Deserialize;

use crate::{Port, TransferRequest};

/// What a step decided. The node is left, kept, or suspended accordingly.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<S = ()> {
    /// Go on along a port.
    Leave(Port),
    /// Stay until the user writes or the timeout passes.
    Wait {
        /// Given back with the next trigger.
        state: S,
        /// None waits for ever; the session's inactivity limit still applies.
        timeout: Option<Duration>,
    },
    /// Push a bot to the session-owner stack; the node gets `Returned` afterwards.
    PushBot {
        /// Name of a bot of the project, exactly.
        bot: String,
        /// Given back with the next trigger.
        state: S,
    },
    /// Hand the session to an agent; the node gets `Returned` afterwards.
    Transfer {
        /// Who gets the session, and what they are told.
        request: Box<TransferRequest>,
        /// Given back with the next trigger.
        state: S,
    },
    /// Close the session now.
    Close(CloseReason),
}

impl Outcome<()> {
    /// Hands the session to an agent and remembers nothing.
    #[must_use]
    pub fn transfer(request: TransferRequest) -> Self {
        Self::Transfer {
            request: Box::new(request),
            state: (),
        }
    }
}

/// Why a node closes the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CloseReason {
    /// The flow did what it is for.
    Completed,
    /// The agent ended the conversation and the bot is not to resume.
    AgentLeft,
    /// The user left.
    UserLeft,
    /// Something went wrong.
    Error,
}
