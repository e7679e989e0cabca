//! What Genesys sends to the webhook (PROTOCOLS 4.3).
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
#[serde(rename_all = "camelCase", default)]
pub(super) struct Channel {
    pub(super) to: Address,
    /// Of a receipt, the id of the message it is about, in some stacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
