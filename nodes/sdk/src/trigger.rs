//! Why a step is called, together with what the node remembered.

use crate::{Fault, SessionEnd, Timestamp};

/// Why a node's step is called. State exists exactly where an earlier step of the visit left one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger<S> {
    /// The flow arrived at the node.
    Entered,
    /// The user wrote while the node waited.
    UserMessage {
        /// What the user wrote.
        message: UserMessage,
        /// What the node remembered.
        state: S,
    },
    /// The bot or agent this node put on the session-owner stack gave the session back.
    Returned {
        /// How its ownership ended.
        end: SessionEnd,
        /// What the node remembered.
        state: S,
    },
    /// The timeout of [`Outcome::Wait`](crate::Outcome::Wait) passed without a message.
    TimedOut {
        /// What the node remembered.
        state: S,
    },
}

impl<S> Trigger<S> {
    /// The fault of a node that is called with a trigger it never asked for: a mistake of the host.
    #[must_use]
    pub fn unexpected(&self) -> Fault {
        let name = match self {
            Self::Entered => "entered",
            Self::UserMessage { .. } => "user-message",
            Self::Returned { .. } => "returned",
            Self::TimedOut { .. } => "timed-out",
        };
        Fault::permanent(
            "node.unexpected_trigger",
            format!(
                "The host called this node with '{name}', which it did not wait for. This is a \
                 mistake of the host; report it with the session's timeline."
            ),
        )
    }
}

/// Something the user wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMessage {
    /// Unique within the session.
    pub id: String,
    /// Plain text, at most 16,384 bytes. May be empty.
    pub text: String,
    /// When the host received it.
    pub at: Timestamp,
}
