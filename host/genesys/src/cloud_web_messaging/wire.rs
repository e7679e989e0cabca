//! What goes over the guest's socket, and what the guest is told beside it (PROTOCOLS 3.1 to 3.8).
//!
//! Defensive throughout: a field that is missing, null or new is no error, because a frame that is not
//! understood must never cost the conversation.

use handoff_engine::time::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One request: a text frame of ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(flatten)]
    pub(super) action: Action,
    pub(super) token: Uuid,
    /// Repeated in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tracing_id: Option<String>,
}

/// `action` and what belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Action {
    ConfigureSession {
        deployment_id: String,
        start_new: bool,
        journey_context: JourneyContext,
    },
    OnMessage {
        message: Box<GuestMessage>,
    },
    OnAttachment {
        attachment_id: String,
        file_name: String,
        file_type: String,
        /// Bytes.
        file_size: u64,
        errors_as_json: bool,
    },
    GetJwt,
    CloseSession {
        close_all_connections: bool,
    },
}

/// `journeyContext`: who this is, to Genesys' own analytics.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JourneyContext {
    customer: JourneyCustomer,
    customer_session: JourneySession,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct JourneyCustomer {
    id: Uuid,
    id_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct JourneySession {
    id: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl JourneyContext {
    pub(super) fn of(token: Uuid) -> Self {
        Self {
            customer: JourneyCustomer {
                id: token,
                id_type: "cookie",
            },
            customer_session: JourneySession {
                id: "",
                kind: "web",
            },
        }
    }
}

/// `message` of `onMessage`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct GuestMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    content: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<GuestChannel>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct GuestChannel {
    metadata: GuestMetadata,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct GuestMetadata {
    custom_attributes: BTreeMap<String, String>,
}

impl GuestMessage {
    fn new(kind: &'static str) -> Self {
        Self {
            kind,
            text: None,
            content: Vec::new(),
            events: Vec::new(),
            channel: None,
        }
    }

    pub(super) fn text(text: &str) -> Self {
        Self {
            text: Some(text.to_owned()),
            ..Self::new("Text")
        }
    }

    /// A file that was uploaded.
    pub(super) fn attachment(id: &str) -> Self {
        let content = serde_json::json!({"contentType": "Attachment", "attachment": {"id": id}});
        Self {
            content: vec![content],
            ..Self::new("Text")
        }
    }

    /// Something picked. Quick replies go as texts without text, everything else with its label.
    pub(super) fn button(kind: &str, label: &str, payload: &str, message: &str) -> Self {
        let quick = kind == "QuickReply";
        let response = serde_json::json!({
            "type": kind, "text": label, "payload": payload, "originatingMessageId": message,
        });
        let content = serde_json::json!({
            "contentType": "ButtonResponse", "buttonResponse": response,
        });
        let (is, text) = if quick {
            ("Text", "")
        } else {
            ("Structured", label)
        };
        Self {
            text: Some(text.to_owned()),
            content: vec![content],
            ..Self::new(is)
        }
    }

    pub(super) fn presence(kind: &str) -> Self {
        let event = serde_json::json!({"eventType": "Presence", "presence": {"type": kind}});
        Self {
            events: vec![event],
            ..Self::new("Event")
        }
    }

    pub(super) fn typing() -> Self {
        let event = serde_json::json!({"eventType": "Typing", "typing": {"type": "On"}});
        Self {
            events: vec![event],
            ..Self::new("Event")
        }
    }

    /// With attributes for routing and agents to see.
    pub(super) fn with(mut self, attributes: BTreeMap<String, String>) -> Self {
        if !attributes.is_empty() {
            let metadata = GuestMetadata {
                custom_attributes: attributes,
            };
            self.channel = Some(GuestChannel { metadata });
        }
        self
    }

    /// The attributes it carries.
    pub(super) fn attributes(&self) -> BTreeMap<String, String> {
        let metadata = self.channel.as_ref().map(|channel| &channel.metadata);
        metadata.map_or_else(BTreeMap::new, |it| it.custom_attributes.clone())
    }
}

/// One text frame of theirs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Frame {
    /// What the body is, for example `StructuredMessage`; `string` for errors.
    #[serde(deserialize_with = "lenient")]
    pub(super) class: String,
    /// 200, or why not.
    #[serde(deserialize_with = "lenient")]
    pub(super) code: i64,
    pub(super) body: Value,
    #[serde(deserialize_with = "lenient")]
    pub(super) tracing_id: Option<String>,
}

impl Frame {
    pub(super) fn is_ok(&self) -> bool {
        matches!(self.code, 0 | 200..=299)
    }

    /// The words of an error.
    pub(super) fn words(&self) -> String {
        let body = &self.body;
        let words = body.as_str().or_else(|| body["errorMessage"].as_str());
        let words = words.unwrap_or_default().trim().trim_end_matches('.');
        if words.is_empty() {
            "it gave no reason".to_owned()
        } else {
            words.to_owned()
        }
    }

    /// Reads the body.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        match serde_json::from_value(self.body.clone()) {
            Ok(body) => Some(body),
            Err(error) => {
                tracing::warn!(class = self.class, %error, "a frame's body cannot be read");
                None
            }
        }
    }
}

/// Body of `SessionResponse`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SessionResponse {
    pub(super) connected: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub(super) new_session: bool,
    #[serde(deserialize_with = "lenient")]
    pub(super) read_only: bool,
    #[serde(deserialize_with = "lenient")]
    pub(super) allowed_media: AllowedMedia,
    #[serde(deserialize_with = "lenient")]
    pub(super) blocked_extensions: Vec<String>,
    /// Of keys and values together, UTF-8.
    pub(super) max_custom_data_bytes: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct AllowedMedia {
    pub(super) inbound: Option<InboundMedia>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InboundMedia {
    pub(super) file_types: Option<Vec<FileType>>,
    #[serde(rename = "maxFileSizeKB")]
    pub(super) max_file_size_kb: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct FileType {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
}

/// Body of `StructuredMessage`, live or out of the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StructuredMessage {
    #[serde(deserialize_with = "lenient", skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) direction: Direction,
    /// `Human` or `Bot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) originating_entity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) channel: Channel,
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub(super) content: Vec<Value>,
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<EventBody>,
}

/// `type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Text,
    Structured,
    Event,
    Receipt,
    #[default]
    #[serde(other)]
    Unknown,
}

/// `direction`, as Genesys sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Direction {
    /// From the guest.
    Inbound,
    /// To the guest.
    Outbound,
    #[default]
    #[serde(other)]
    Unknown,
}

/// `channel`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Channel {
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<From>,
}

/// `channel.from`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct From {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nickname: Option<String>,
}

impl From {
    /// The name, if there is one.
    pub(super) fn name(&self) -> Option<&str> {
        let name = self.nickname.as_deref()?.trim();
        Some(name).filter(|name| !name.is_empty())
    }
}

/// `events[]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EventBody {
    #[serde(deserialize_with = "lenient")]
    pub(super) event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) typing: Option<Typing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence: Option<Presence>,
}

/// `events[].typing`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typing {
    /// `On`, or in some stacks `Off`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
    /// Milliseconds.
    pub(super) duration: Option<u64>,
}

/// `events[].presence`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Presence {
    /// `Join`, `Disconnect`, `Clear` and others.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
}

impl StructuredMessage {
    /// The platform's id. Some events come live without one: then one is made of what they say, the
    /// same every time.
    pub(super) fn key(&self) -> String {
        if !self.id.is_empty() {
            return self.id.clone();
        }
        let body = serde_json::to_vec(self).unwrap_or_default();
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &body).to_string()
    }

    /// When Genesys took it in.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.channel.time.as_deref().and_then(Timestamp::from_iso)
    }

    /// Who wrote it, as the guest is told.
    pub(super) fn nickname(&self) -> Option<&str> {
        self.channel.from.as_ref()?.name()
    }

    /// Whether a person wrote it, and no bot.
    pub(super) fn is_from_a_person(&self) -> bool {
        self.originating_entity.as_deref() == Some("Human")
    }

    /// Whether it has a presence event of this kind.
    pub(super) fn has_presence(&self, kind: &str) -> bool {
        let presence = self.events.iter().filter_map(|it| it.presence.as_ref());
        presence.into_iter().any(|presence| presence.kind == kind)
    }

    /// What a message of ours repeats: its text, the label of what was picked, or the ids of files.
    pub(super) fn echo(&self) -> String {
        if let Some(text) = self.text.as_deref().filter(|text| !text.trim().is_empty()) {
            return text.to_owned();
        }
        let parts = self.content.iter().filter_map(|item| {
            let attachment = item["attachment"]["id"].as_str();
            attachment.or_else(|| item["buttonResponse"]["text"].as_str())
        });
        parts.collect::<Vec<_>>().join(" ")
    }
}

/// Body of `PresignedUrlResponse`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PresignedUrl {
    #[serde(deserialize_with = "lenient")]
    pub(super) attachment_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) url: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) headers: BTreeMap<String, String>,
}

/// Body of `UploadSuccessEvent`, `UploadFailureEvent` and `GenerateUrlError`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UploadOutcome {
    #[serde(deserialize_with = "lenient")]
    pub(super) attachment_id: String,
    pub(super) error_code: Option<i64>,
    pub(super) error_message: Option<String>,
}

/// Body of `JwtResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Jwt {
    #[serde(deserialize_with = "lenient")]
    pub(super) jwt: String,
    /// Seconds since the epoch.
    #[serde(deserialize_with = "lenient")]
    pub(super) exp: u64,
}

/// Body of `TooManyRequestsErrorMessage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TooMany {
    /// Seconds.
    pub(super) retry_after: Option<u64>,
}

/// A page of the history, newest first (PROTOCOLS 3.8).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Page {
    #[serde(deserialize_with = "lenient")]
    pub(super) entities: Vec<StructuredMessage>,
    pub(super) page_count: Option<u32>,
}

/// The deployment's configuration (PROTOCOLS 3.1).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    /// `Active` or `Inactive`.
    pub(super) status: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) messenger: Messenger,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Messenger {
    #[serde(deserialize_with = "lenient")]
    pub(super) file_upload: FileUpload,
    #[serde(deserialize_with = "lenient")]
    pub(super) apps: Apps,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FileUpload {
    pub(super) enable_attachments: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Apps {
    #[serde(deserialize_with = "lenient")]
    pub(super) conversations: Conversations,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Conversations {
    #[serde(deserialize_with = "lenient")]
    pub(super) auto_start: Toggle,
    pub(super) show_user_typing_indicator: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub(super) conversation_disconnect: Toggle,
    #[serde(deserialize_with = "lenient")]
    pub(super) conversation_clear: Toggle,
}

/// A feature that is on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Toggle {
    #[serde(deserialize_with = "lenient")]
    pub(super) enabled: bool,
}

/// Null, or something else than was expected, is the default.
fn lenient<'de, D, T>(value: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(value)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_written_as_the_protocol_writes_it() {
        let token = Uuid::nil();
        let request = Request {
            action: Action::OnMessage {
                message: Box::new(
                    GuestMessage::text("Hi")
                        .with(BTreeMap::from([("plan".to_owned(), "gold".to_owned())])),
                ),
            },
            token,
            tracing_id: Some("m-1".to_owned()),
        };
        let expected = json!({
            "action": "onMessage", "token": token, "tracingId": "m-1",
            "message": {"type": "Text", "text": "Hi",
                "channel": {"metadata": {"customAttributes": {"plan": "gold"}}}},
        });
        assert_eq!(serde_json::to_value(request).expect("JSON"), expected);
        let configure = Action::ConfigureSession {
            deployment_id: "d-1".to_owned(),
            start_new: false,
            journey_context: JourneyContext::of(token),
        };
        let written = serde_json::to_value(configure).expect("JSON");
        assert_eq!(written["action"], "configureSession");
        assert_eq!(written["journeyContext"]["customer"]["idType"], "cookie");
    }

    #[test]
    fn nulls_and_novelties_in_a_message_are_no_error() {
        let message: StructuredMessage = serde_json::from_value(json!({
            "id": null, "type": "Hologram", "direction": "Sideways", "content": null,
            "events": [{"eventType": "Presence", "presence": {"type": "Disconnect"}}],
            "metadata": {"readOnly": "true"}, "channel": null, "surprise": 1,
        }))
        .expect("readable");
        assert_eq!(message.kind, Kind::Unknown);
        assert!(message.has_presence("Disconnect"));
        assert_eq!(message.key(), message.clone().key());
    }
}
