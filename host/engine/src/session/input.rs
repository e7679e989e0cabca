//! Everything that can happen to a session.

use super::Exchanges;
use crate::content::{Receipt, UserMessage};
use crate::handoff::{Signal, Tally};
use crate::name::{BotName, HandoffId, InputId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest message a node takes, in bytes: what `wit/types.wit` promises of `user-message`.
pub const MAX_MESSAGE: usize = 16_384;

/// Something that happened. The same id twice counts once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Unique within the session.
    pub id: InputId,
    /// What happened.
    pub kind: InputKind,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// The user came. The first input of every session.
    Started {
        /// The bot to talk to; none is the project's start bot.
        bot: Option<BotName>,
        /// The channel, which may choose an account.
        channel: Option<String>,
    },
    /// The user said something; its text is at most [`MAX_MESSAGE`] bytes.
    UserMessage(UserMessage),
    /// What became of a message on its way to the user.
    UserReceipt {
        /// The platform's id of the agent side's message.
        message: String,
        /// What became of it.
        receipt: Receipt,
    },
    /// A message of the user's was meant for an agent whose handoff was over by then.
    Undelivered {
        /// The input that was the message.
        message: InputId,
    },
    /// The user types, or stopped.
    UserTyping {
        /// True while typing.
        on: bool,
    },
    /// The user left: closed the chat, or ended the talk with the agent.
    UserLeft,
    /// A transport reported something.
    Signal {
        /// The handoff it is about.
        handoff: HandoffId,
        /// What; none if only the handle changed.
        signal: Option<Signal>,
        /// What the transport now needs in order to take the handoff up again.
        handle: Value,
        /// How well the platform's messages were in order so far.
        #[serde(default)]
        tally: Tally,
        /// What passed over the wire since the report before.
        #[serde(default, skip_serializing_if = "Exchanges::is_empty")]
        exchanges: Exchanges,
    },
    /// A point in time that a turn named has come.
    Due(DeadlineKind),
}

/// What can fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadlineKind {
    /// The session's inactivity limit.
    Inactivity,
    /// The timeout of the node that waits.
    Node,
    /// The time within which an agent has to accept.
    NoAgent,
    /// The time within which the user has to answer the agent.
    UserIdle,
    /// The next word on the queue.
    QueueUpdate,
}

/// An input that a session does not take. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Users cannot talk to a worker bot.
    #[error(
        "'{bot}' is a worker bot, and users cannot talk to one; talk to a flow bot whose flow pushes \
         it with a pushBotSoStack node"
    )]
    NotAddressable {
        /// The bot.
        bot: BotName,
    },
    /// No such bot.
    #[error("the project has no bot '{bot}'")]
    UnknownBot {
        /// The bot.
        bot: BotName,
    },
    /// The user wrote more than a message may hold.
    #[error(
        "the message is {bytes} bytes long, and {MAX_MESSAGE} are allowed; shorten or split it"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The session was closed before.
    #[error("the session is closed; start another one")]
    Closed,
    /// The session was started before, or not yet.
    #[error("a session is started once, before anything else")]
    Started,
    /// What was said earlier can't be read now. The same input may be taken later.
    #[error("the session's history can't be read: {reason}")]
    History {
        /// Why not.
        reason: String,
    },
    /// The session is pinned to another version of the project.
    #[error("the session runs on another version of the project ({pinned}) than this one")]
    OtherProject {
        /// Digest of the version it is pinned to.
        pinned: String,
    },
}

impl Refusal {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAddressable { .. } => "bot.not_addressable",
            Self::UnknownBot { .. } => "bot.unknown",
            Self::TooLong { .. } => "message.too_long",
            Self::Closed => "session.closed",
            Self::Started => "session.started",
            Self::History { .. } => "session.history_unavailable",
            Self::OtherProject { .. } => "session.other_project",
        }
    }
}
