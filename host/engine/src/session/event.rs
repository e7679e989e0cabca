//! What users are shown, in order.
//!
//! Each event has a position within its session, from which whoever shows them can go on. Stores keep events as
//! records of their own, written with the turn, so that reading some of them costs no more than these.

use super::{CloseReason, EffectKind, Sender, Turn};
use crate::content::{Content, Receipt};
use crate::name::{InputId, Revision};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A place among the events of a session. The default is before them all.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The turn.
    pub revision: Revision,
    /// The effect within the turn, from 1.
    pub effect: usize,
}

/// Something the user gets to see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserEvent {
    /// Where it stands.
    pub position: Position,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: UserEventKind,
}

/// What the user gets to see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserEventKind {
    /// A message.
    Message {
        /// Whose.
        from: Sender,
        /// Plain text; empty if there is only content.
        text: String,
        /// What comes with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        content: Vec<Content>,
        /// The id by which choices and receipts name it, if an agent's side sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// What became of a message of the user's.
    Receipt {
        /// The message: the id of its input.
        message: InputId,
        /// What became of it.
        receipt: Receipt,
    },
    /// An agent types, or stopped.
    Typing {
        /// True while typing.
        on: bool,
    },
    /// The session is over.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

impl UserEventKind {
    /// What an effect shows the user; none if it is not for the user.
    #[must_use]
    pub fn of(effect: &EffectKind) -> Option<Self> {
        Some(match effect {
            EffectKind::SendToUser {
                from,
                text,
                content,
                message,
            } => Self::Message {
                from: from.clone(),
                text: text.clone(),
                content: content.clone(),
                message: message.clone(),
            },
            EffectKind::ReceiptToUser { message, receipt } => Self::Receipt {
                message: message.clone(),
                receipt: *receipt,
            },
            EffectKind::TypingToUser { on } => Self::Typing { on: *on },
            EffectKind::CloseSession { reason } => Self::Closed {
                reason: reason.clone(),
            },
            EffectKind::OpenHandoff { .. }
            | EffectKind::SendToAgent { .. }
            | EffectKind::ReceiptToAgent { .. }
            | EffectKind::TypingToAgent { .. }
            | EffectKind::LeaveHandoff { .. } => return None,
        })
    }
}

impl Turn {
    /// What the turn shows the user, in order.
    pub fn user_events(&self) -> impl Iterator<Item = UserEvent> + '_ {
        let effects = (1..).zip(&self.effects);
        effects.filter_map(|(effect, asked)| {
            Some(UserEvent {
                position: Position {
                    revision: self.session.revision,
                    effect,
                },
                at: self.at,
                kind: UserEventKind::of(&asked.kind)?,
            })
        })
    }
}
