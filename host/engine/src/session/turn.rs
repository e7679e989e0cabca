//! What a turn comes to.

use super::{CloseReason, DeadlineKind, Entry, Input, Session, TranscriptLine};
use crate::content::{Content, Receipt, UserMessage};
use crate::handoff::{Agent, TransferRequest};
use crate::name::{AccountName, BotName, EffectId, HandoffId, InputId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One input applied to a session. It is committed as a whole, and its effects carried out after.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// The session after the turn, one revision on.
    pub session: Session,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub input: Input,
    /// What the engine did about it, in order.
    pub journal: Vec<Entry>,
    /// What the outside is asked to do, in order.
    pub effects: Vec<Effect>,
    /// What was said, in order. It follows the lines of earlier turns.
    #[serde(default)]
    pub said: Vec<TranscriptLine>,
    /// Every point in time at which something is now due. Replaces those of the last turn.
    pub deadlines: Vec<Deadline>,
}

/// A point in time at which something is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// What.
    pub kind: DeadlineKind,
    /// When.
    pub at: Timestamp,
}

/// Something the outside is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Derived from session and revision, so that a retry is recognisable.
    pub id: EffectId,
    /// What.
    pub kind: EffectKind,
}

/// What the outside is asked to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "a turn has a handful of effects, and a box would stand in the way of matching"
)]
pub enum EffectKind {
    /// Show the user a message.
    SendToUser {
        /// Whose.
        from: Sender,
        /// Plain text; empty if there is only content.
        text: String,
        /// What comes with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        content: Vec<Content>,
        /// The platform's id of it, if it came from the agent side: choices and receipts name it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// Show the user that an agent types, or stopped.
    TypingToUser {
        /// True while typing.
        on: bool,
    },
    /// Open a handoff.
    OpenHandoff {
        /// Its id.
        handoff: HandoffId,
        /// What is asked for.
        request: TransferRequest,
    },
    /// Tell the user what became of a message.
    ReceiptToUser {
        /// The input that was the message.
        message: InputId,
        /// What became of it.
        receipt: Receipt,
    },
    /// Tell the agent what the user said.
    SendToAgent {
        /// The handoff.
        handoff: HandoffId,
        /// What.
        message: UserMessage,
        /// The input that was the message; none if the host itself says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<InputId>,
    },
    /// Tell the agent side what became of a message of its own.
    ReceiptToAgent {
        /// The handoff.
        handoff: HandoffId,
        /// The platform's id of the message.
        message: String,
        /// What became of it.
        receipt: Receipt,
    },
    /// Tell the agent that the user types, or stopped.
    TypingToAgent {
        /// The handoff.
        handoff: HandoffId,
        /// True while typing.
        on: bool,
    },
    /// End a handoff from this side. The session has let go of it, so everything that is needed to
    /// do so stands here.
    LeaveHandoff {
        /// The handoff.
        handoff: HandoffId,
        /// The account it runs on.
        account: AccountName,
        /// What the transport needs in order to take it up again.
        handle: Value,
    },
    /// Tell the user that the session is over.
    CloseSession {
        /// Why.
        reason: CloseReason,
    },
}

/// Whose message it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// A bot.
    Bot(BotName),
    /// An agent.
    Agent(Agent),
    /// The host or the platform.
    System,
}
