//! What a user is shown.

use super::content::{ContentJson, ReceiptJson};
use crate::host::client_id;
use crate::http::problem::ApiError;
use crate::user::{Position, UserEvent, UserEventKind};
use handoff_engine::name::Revision;
use handoff_engine::session::{CloseReason, Sender};
use serde::Serialize;
use utoipa::ToSchema;

/// Something the user gets to see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(in crate::http) struct EventJson {
    /// Where it stands; give it as `after` to go on behind it.
    #[schema(example = "3.1")]
    position: String,
    /// When, in ISO 8601.
    at: String,
    #[serde(flatten)]
    kind: EventKindJson,
}

/// What the user gets to see.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
#[schema(as = EventKind)]
pub(in crate::http) enum EventKindJson {
    /// A message.
    Message {
        from: SenderJson,
        /// Plain text; empty if there is only content.
        text: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<ContentJson>,
        /// By this id choices and receipts name it, if an agent's side sent it.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// What became of a message of the user's.
    Receipt {
        /// The client's id of the message.
        message: String,
        receipt: ReceiptJson,
    },
    /// An agent types, or stopped.
    Typing {
        /// True while typing.
        on: bool,
    },
    /// The session is over; nothing comes after this.
    Closed(ClosedJson),
}

/// Whose message it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[schema(as = Sender)]
pub(in crate::http) enum SenderJson {
    /// A bot.
    Bot {
        /// Its name.
        name: String,
    },
    /// An agent.
    Agent {
        /// Display name.
        name: String,
    },
    /// The host or the platform.
    System,
}

/// Why a session is over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Closed)]
pub(in crate::http) struct ClosedJson {
    /// `Completed`, `AgentLeft`, `UserLeft`, `Inactivity` or `Error`.
    #[schema(value_type = String, example = "Completed")]
    reason: &'static str,
    /// Of an error: stable, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

/// Events, in order.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct EventList {
    pub(in crate::http) events: Vec<EventJson>,
    /// The position of the last one, or the one asked for: give it as `after` to get what came since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http) next: Option<String>,
    /// Whether there are more behind it by now.
    pub(in crate::http) more: bool,
}

impl From<UserEvent> for EventJson {
    fn from(from: UserEvent) -> Self {
        Self {
            position: write_position(from.position),
            at: from.at.to_iso(),
            kind: from.kind.into(),
        }
    }
}

impl From<UserEventKind> for EventKindJson {
    fn from(from: UserEventKind) -> Self {
        match from {
            UserEventKind::Message {
                from,
                text,
                content,
                message,
            } => Self::Message {
                from: from.into(),
                text,
                content: content.into_iter().map(ContentJson::from).collect(),
                message,
            },
            UserEventKind::Receipt { message, receipt } => Self::Receipt {
                message: client_id(&message).to_owned(),
                receipt: receipt.into(),
            },
            UserEventKind::Typing { on } => Self::Typing { on },
            UserEventKind::Closed { reason } => Self::Closed((&reason).into()),
        }
    }
}

impl From<Sender> for SenderJson {
    fn from(from: Sender) -> Self {
        match from {
            Sender::Bot(bot) => Self::Bot {
                name: bot.to_string(),
            },
            Sender::Agent(agent) => Self::Agent { name: agent.name },
            Sender::System => Self::System,
        }
    }
}

impl From<&CloseReason> for ClosedJson {
    fn from(from: &CloseReason) -> Self {
        let code = match from {
            CloseReason::Error(detail) => Some(detail.code.clone()),
            _ => None,
        };
        Self {
            reason: from.as_str(),
            code,
        }
    }
}

/// A position as clients see it.
pub(in crate::http) fn write_position(position: Position) -> String {
    format!("{}.{}", position.revision, position.effect)
}

/// A position as clients give it back.
pub(in crate::http) fn read_position(text: &str) -> Result<Position, ApiError> {
    let read = || {
        let (revision, effect) = text.split_once('.')?;
        Some(Position {
            revision: Revision(revision.parse().ok()?),
            effect: effect.parse().ok()?,
        })
    };
    read().ok_or_else(|| ApiError::BadPosition(text.chars().take(40).collect()))
}
