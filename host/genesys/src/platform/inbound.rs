//! Messages and typing from us to an agent, through an Open Messaging integration (PROTOCOLS 4.2).

use super::call::{Call, Platform};
use super::error::PlatformError;
use handoff_engine::time::Timestamp;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// A text of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// Who writes.
    pub from: Sender,
    /// Our own id of the message; the same for every attempt to send it.
    pub message_id: String,
    /// When it was written.
    pub time: Timestamp,
    /// Becomes the attributes of the customer participant. Architect reads them when the first
    /// message arrives, so they must be in that one.
    pub attributes: BTreeMap<String, String>,
    /// Plain text, not empty.
    pub text: String,
}

/// `channel.from`: the user, as agents will see one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sender {
    /// The same id continues the same conversation.
    pub id: String,
    /// What kind of id it is.
    pub id_type: IdType,
    /// What the user is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
}

/// `channel.from.idType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdType {
    /// An id only we understand.
    Opaque,
}

/// What Genesys made of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Posted {
    /// Genesys' id of the message.
    pub id: Option<String>,
    /// The conversation it went to.
    pub conversation_id: Option<String>,
}

impl Platform {
    /// Hands a text of the user's to the conversation it belongs to, or to a new one.
    pub(crate) async fn post_message(
        &self,
        integration: &str,
        message: &InboundMessage,
    ) -> Result<Posted, PlatformError> {
        let mut channel = json!({
            "messageId": message.message_id,
            "time": message.time.to_iso(),
            "from": message.from,
        });
        if !message.attributes.is_empty() {
            channel["metadata"] = json!({ "customAttributes": message.attributes });
        }
        self.call(Call {
            method: Method::POST,
            path: format!("/api/v2/conversations/messages/{integration}/inbound/open/message"),
            query: &[("prefetchConversationId", "true")],
            body: Some(&json!({ "channel": channel, "text": message.text })),
            doing: "hand over a message",
            permission: "conversation:message:receive",
        })
        .await
    }

    /// Shows the agent that the user types. There is no way to say that typing stopped.
    pub(crate) async fn post_typing(
        &self,
        integration: &str,
        from: &Sender,
        time: Timestamp,
    ) -> Result<(), PlatformError> {
        self.tell(Call {
            method: Method::POST,
            path: format!("/api/v2/conversations/messages/{integration}/inbound/open/event"),
            query: &[],
            body: Some(&json!({
                "channel": { "from": from, "time": time.to_iso() },
                "events": [{ "eventType": "Typing" }],
            })),
            doing: "show that the user types",
            permission: "conversation:message:receive",
        })
        .await
    }
}
