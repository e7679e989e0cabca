//! What clients send, and what they get for it.

use super::content::{ChoiceJson, ReceiptJson};
use crate::http::problem::ApiError;
use crate::http::session_tokens::SessionToken;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest id a client may give, characters.
const LONGEST_ID: usize = 128;

/// A session to be created.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(in crate::http) struct CreateSession {
    /// The bot to talk to; the project's start bot if nothing is said.
    pub(in crate::http) bot: Option<String>,
    /// The channel the user comes by, which may choose an account.
    pub(in crate::http) channel: Option<String>,
}

/// A session that was created.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct CreatedSession {
    /// Its id.
    pub(in crate::http) id: String,
    #[serde(flatten)]
    pub(in crate::http) token: TokenJson,
}

/// A token of a session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub(in crate::http) struct TokenJson {
    /// Opens the session and nothing else.
    pub(in crate::http) token: String,
    /// When it stops doing so, in ISO 8601. Ask for a new one before that.
    #[schema(example = "2026-01-12T10:00:00.000Z")]
    pub(in crate::http) token_expires: String,
}

impl From<&SessionToken> for TokenJson {
    fn from(from: &SessionToken) -> Self {
        Self {
            token: from.as_str().to_owned(),
            token_expires: from.expires().to_iso(),
        }
    }
}

/// What the user says: a text, files, a choice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Message)]
pub(in crate::http) struct MessageIn {
    /// The client's own id of it, unique within the session among whatever the client sends. Sent
    /// again with the same id it counts once.
    pub(in crate::http) id: String,
    /// Plain text, at most 16,384 bytes.
    #[serde(default)]
    pub(in crate::http) text: String,
    /// Files that were uploaded before.
    #[serde(default)]
    pub(in crate::http) attachments: Vec<AttachmentIn>,
    /// What was picked; the text is then its label.
    #[serde(default)]
    pub(in crate::http) choice: Option<ChoiceJson>,
}

/// A file that was uploaded before. What uploading it returned can be given as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct AttachmentIn {
    /// Its address.
    pub(in crate::http) url: String,
    /// File name. Of a file of this host, what it was uploaded with counts.
    #[serde(default)]
    pub(in crate::http) name: String,
    /// Media type. Of a file of this host, what it was uploaded with counts.
    #[serde(default)]
    pub(in crate::http) mime: String,
}

/// The user types, or stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Typing)]
pub(in crate::http) struct TypingIn {
    /// As of a message.
    pub(in crate::http) id: String,
    /// True while typing.
    pub(in crate::http) on: bool,
}

/// What became of a message on its way to the user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReceiptOf)]
pub(in crate::http) struct ReceiptIn {
    /// As of a message.
    pub(in crate::http) id: String,
    /// `message` of the event.
    pub(in crate::http) message: String,
    pub(in crate::http) receipt: ReceiptJson,
}

/// The user leaves: the agent if one is in charge, else the session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Leave {
    /// As of a message.
    pub(in crate::http) id: String,
}

/// It is taken, and will not be lost.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct Accepted {
    /// The client's id.
    pub(in crate::http) id: String,
}

/// Whether a client's id can be one.
pub(in crate::http) fn check_id(id: &str) -> Result<(), ApiError> {
    let length = id.chars().take(LONGEST_ID + 1).count();
    if (1..=LONGEST_ID).contains(&length) {
        Ok(())
    } else {
        Err(ApiError::BadId)
    }
}
