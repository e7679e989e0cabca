//! Messages and events, live and out of the history (PROTOCOLS 3.6 and 3.8).

use super::lenient;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Body of `StructuredMessage`, live or out of the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct StructuredMessage {
    #[serde(deserialize_with = "lenient", skip_serializing_if = "String::is_empty")]
    pub(in super::super) id: String,
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(in super::super) kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) text: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) direction: Direction,
    /// `Human` or `Bot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) originating_entity: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) channel: Channel,
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub(in super::super) content: Vec<Value>,
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Vec::is_empty")]
    pub(in super::super) events: Vec<EventBody>,
}

/// `type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) enum Kind {
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
pub(in super::super) enum Direction {
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
pub(in super::super) struct Channel {
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) from: Option<From>,
}

/// `channel.from`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct From {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) nickname: Option<String>,
}

impl From {
    /// The name, if there is one.
    pub(in super::super) fn name(&self) -> Option<&str> {
        let name = self.nickname.as_deref()?.trim();
        Some(name).filter(|name| !name.is_empty())
    }
}

/// `events[]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct EventBody {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) event_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) typing: Option<Typing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) presence: Option<Presence>,
}

/// `events[].typing`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Typing {
    /// `On`, or in some stacks `Off`.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(in super::super) kind: String,
    /// Milliseconds.
    pub(in super::super) duration: Option<u64>,
}

/// `events[].presence`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Presence {
    /// `Join`, `Disconnect`, `Clear` and others.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(in super::super) kind: String,
}

impl StructuredMessage {
    /// The platform's id. Some events come live without one: then one is made of what they say, the
    /// same every time.
    pub(in super::super) fn key(&self) -> String {
        if !self.id.is_empty() {
            return self.id.clone();
        }
        let body = serde_json::to_vec(self).unwrap_or_default();
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &body).to_string()
    }

    /// When Genesys took it in.
    pub(in super::super) fn time(&self) -> Option<Timestamp> {
        self.channel.time.as_deref().and_then(Timestamp::from_iso)
    }

    /// Who wrote it, as the guest is told.
    pub(in super::super) fn nickname(&self) -> Option<&str> {
        self.channel.from.as_ref()?.name()
    }

    /// Whether a person wrote it, and no bot.
    pub(in super::super) fn is_from_a_person(&self) -> bool {
        self.originating_entity.as_deref() == Some("Human")
    }

    /// Whether it has a presence event of this kind.
    pub(in super::super) fn has_presence(&self, kind: &str) -> bool {
        let presence = self.events.iter().filter_map(|it| it.presence.as_ref());
        presence.into_iter().any(|presence| presence.kind == kind)
    }

    /// What a message of ours repeats: its text, the label of what was picked, or the ids of files.
    pub(in super::super) fn echo(&self) -> String {
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

/// A page of the history, newest first (PROTOCOLS 3.8).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Page {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) entities: Vec<StructuredMessage>,
    pub(in super::super) page_count: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
