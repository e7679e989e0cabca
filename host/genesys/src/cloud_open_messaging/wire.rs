//! What Genesys sends to the webhook and over the notification socket (PROTOCOLS 4.3, 5).
//!
//! Defensive throughout: an unknown type or a missing field must never turn a webhook call into a
//! refusal, because that fails the chat.

use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of a webhook call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Outbound {
    /// Repeated with a redelivery.
    pub(super) id: String,
    pub(super) channel: Channel,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) content: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<OutboundEvent>,
    /// `Human` or `Bot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) originating_entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) conversation_id: Option<String>,
    /// Of a receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    /// Of a receipt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasons: Vec<Value>,
}

/// `channel`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Channel {
    pub(super) to: Address,
    /// ISO 8601.
    pub(super) time: Option<String>,
}

/// `channel.to`: for agents' messages, the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    pub(super) id: String,
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

/// `events[]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OutboundEvent {
    pub(super) event_type: String,
    pub(super) typing: Option<Typing>,
}

/// `events[].typing`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Typing {
    /// `On`, or in some stacks `Off`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Milliseconds.
    pub(super) duration: Option<u64>,
}

impl Outbound {
    /// When Genesys sent it.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.channel.time.as_deref().and_then(Timestamp::from_iso)
    }

    /// Whether a person wrote it, and no bot.
    pub(super) fn is_from_a_person(&self) -> bool {
        self.originating_entity.as_deref() == Some("Human")
    }
}

/// A frame of a notification socket. The body is not read: that something happened is all it is
/// asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Frame {
    pub(super) topic_name: String,
}

/// The events after which a conversation is looked at. Ringing, answering and leaving agents, queues
/// and the end all show in one of them.
pub(super) const DETAIL_EVENTS: [&str; 5] = [
    "user.start",
    "user.end",
    "acd.start",
    "acd.end",
    "customer.end",
];

const DETAIL_PREFIX: &str = "v2.detail.events.conversation.";

/// The topics to follow for a conversation.
pub(super) fn topics(conversation: &str) -> impl Iterator<Item = String> {
    DETAIL_EVENTS
        .iter()
        .map(move |event| format!("{DETAIL_PREFIX}{conversation}.{event}"))
}

/// The conversation a topic is about.
pub(super) fn conversation_of(topic: &str) -> Option<&str> {
    let rest = topic.strip_prefix(DETAIL_PREFIX)?;
    rest.split_once('.').map(|(conversation, _)| conversation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_topic_leads_back_to_its_conversation() {
        for topic in topics("9a1b") {
            assert_eq!(conversation_of(&topic), Some("9a1b"));
        }
        assert_eq!(conversation_of("channel.metadata"), None);
    }

    #[test]
    fn what_is_new_in_a_webhook_body_is_no_error() {
        let outbound: Outbound = serde_json::from_value(json!({
            "id": "m", "type": "Hologram", "surprise": 1,
            "channel": {"to": {"id": "user-77", "idType": "Opaque"}, "from": {"nickName": "b"}},
        }))
        .expect("readable");
        assert_eq!(outbound.kind, Kind::Unknown);
        assert_eq!(outbound.channel.to.id, "user-77");
    }
}
