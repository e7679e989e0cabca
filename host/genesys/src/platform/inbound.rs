//! Messages, receipts and typing from us to an agent, through an Open Messaging integration (PROTOCOLS 4.2).

use super::call::{Call, Platform};
use super::error::PlatformError;
use crate::carry::Part;
use handoff_engine::content::{Attachment, ChoiceKind, Receipt};
use handoff_engine::time::Timestamp;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Something the user says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InboundMessage {
    /// Who writes.
    pub(crate) from: Sender,
    /// Our own id of the message; the same for every attempt to send it.
    pub(crate) message_id: String,
    /// When it was written.
    pub(crate) time: Timestamp,
    /// Becomes the attributes of the customer participant. Architect reads them when the first
    /// message arrives, so they must be in that one.
    pub(crate) attributes: BTreeMap<String, String>,
    /// What; a text is not empty.
    pub(crate) said: Part,
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
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
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
    /// Hands something the user says to the conversation it belongs to, or to a new one. What was
    /// picked goes to an address of its own, whose answer does not tell the conversation.
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
        let prefetch: &[_] = &[("prefetchConversationId", "true")];
        let (address, query, body) = match &message.said {
            Part::Text(text) => (
                "message",
                prefetch,
                json!({ "channel": channel, "text": text }),
            ),
            Part::File(file) => (
                "message",
                prefetch,
                json!({ "channel": channel, "content": [{ "attachment": attachment(file) }] }),
            ),
            Part::Choice { choice, label } => (
                "structured/response",
                &[][..],
                json!({
                    "channel": channel,
                    "originatingMessageId": choice.message,
                    "buttonResponse": {
                        "type": button(choice.kind),
                        "text": label,
                        "payload": choice.payload,
                    },
                }),
            ),
        };
        self.call(Call {
            method: Method::POST,
            path: format!("/api/v2/conversations/messages/{integration}/inbound/open/{address}"),
            query,
            body: Some(&body),
            doing: "hand over a message",
            permission: "conversation:message:receive",
        })
        .await
    }

    /// Tells what became of an agent's message. There is no word for read.
    pub(crate) async fn post_receipt(
        &self,
        integration: &str,
        to: &Sender,
        message: &str,
        receipt: Receipt,
        time: Timestamp,
    ) -> Result<(), PlatformError> {
        let (status, reasons) = match receipt {
            Receipt::Delivered | Receipt::Read => ("Delivered", json!([])),
            Receipt::Failed => (
                "Failed",
                json!([{ "code": "GeneralError", "message": "The user's channel did not take the message." }]),
            ),
        };
        self.tell(Call {
            method: Method::POST,
            path: format!("/api/v2/conversations/messages/{integration}/inbound/open/receipt"),
            query: &[],
            body: Some(&json!({
                "id": message,
                "channel": {
                    "to": { "id": to.id, "idType": to.id_type },
                    "time": time.to_iso(),
                },
                "status": status,
                "isFinalReceipt": true,
                "reasons": reasons,
            })),
            doing: "confirm an agent's message",
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

fn attachment(file: &Attachment) -> Value {
    let kind = match file.mime.split('/').next() {
        Some("image") => "Image",
        Some("video") => "Video",
        Some("audio") => "Audio",
        _ => "File",
    };
    json!({ "mediaType": kind, "url": file.url, "mime": file.mime, "filename": file.name })
}

fn button(kind: ChoiceKind) -> &'static str {
    match kind {
        ChoiceKind::QuickReply => "QuickReply",
        ChoiceKind::Button => "Button",
        ChoiceKind::DatePicker => "DatePicker",
    }
}
