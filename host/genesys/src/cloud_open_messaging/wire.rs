//! What Genesys sends to the webhook (PROTOCOLS 4.3).
//!
//! Defensive throughout: an unknown type, a missing field or a value of another type must never turn a
//! webhook call into a refusal, because that fails the chat, and never cost an agent's words.

use crate::lenient_json::says_nothing;
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
    /// It says of which type it is, known or not.
    #[serde(skip)]
    pub(super) has_type: bool,
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
    /// Reads a body that is signed, or one of its parts that was read from the conversation: `null` is
    /// what is absent, and numbers stand for texts. None if it is no object.
    pub(super) fn read(body: &Value) -> Option<Self> {
        let body = body.as_object()?;
        let get = |key: &str| body.get(key).filter(|value| !value.is_null());
        let channel = get("channel").and_then(Value::as_object);
        let of_channel = |key: &str| channel.and_then(|it| it.get(key));
        let to = of_channel("to");
        let to = to.and_then(|to| text(to).or_else(|| text(to.get("id")?)));
        let (said, content) = (get("text").and_then(text), list(get("content")));
        let content: Vec<Value> = content.into_iter().filter(is_content).collect();
        let events: Vec<OutboundEvent> = list(get("events")).iter().map(event).collect();
        let message_id = of_channel("messageId").and_then(text);
        let id = get("id").and_then(text).or_else(|| message_id.clone());
        let mut message = Self {
            id: id.unwrap_or_default(),
            channel: Channel {
                to: Address {
                    id: to.unwrap_or_default(),
                },
                message_id,
                time: of_channel("time").and_then(time),
            },
            kind: Kind::Unknown,
            text: said,
            content,
            events,
            originating_entity: get("originatingEntity").and_then(text),
            conversation_id: get("conversationId").and_then(text),
            status: get("status").and_then(text),
            reasons: list(get("reasons")),
            has_type: get("type").is_some(),
        };
        let inbound = get("direction").and_then(Value::as_str) == Some("Inbound");
        message.kind = match get("type").and_then(text).unwrap_or_default() {
            it if it.eq_ignore_ascii_case("text") => Kind::Text,
            it if it.eq_ignore_ascii_case("structured") => Kind::Structured,
            it if it.eq_ignore_ascii_case("event") => Kind::Event,
            it if it.eq_ignore_ascii_case("receipt") => Kind::Receipt,
            // Of a type that is new, or none: what a person can read is for the user to read.
            _ if inbound => Kind::Unknown,
            _ if message
                .text
                .as_deref()
                .is_some_and(|it| !it.trim().is_empty()) =>
            {
                Kind::Text
            }
            _ if !message.content.is_empty() => Kind::Structured,
            _ if !message.events.is_empty() => Kind::Event,
            _ => Kind::Unknown,
        };
        Some(message)
    }

    /// Whether it holds words, or something else for the user to see.
    pub(super) fn is_for_the_user(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Structured)
    }

    /// Whether it is for the user to see, and there is nothing to be seen.
    pub(super) fn says_nothing(&self) -> bool {
        let blank = self
            .text
            .as_deref()
            .is_none_or(|text| text.trim().is_empty());
        self.is_for_the_user() && blank && self.content.is_empty()
    }

    /// When Genesys sent it.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.channel.time.as_deref().and_then(Timestamp::from_iso)
    }

    /// Whether a person wrote it, and no bot.
    pub(super) fn is_from_a_person(&self) -> bool {
        self.originating_entity.as_deref() == Some("Human")
    }
}

/// A text; a number or a truth value says the same as one.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A list; one thing is a list of one.
fn list(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().filter(|it| !it.is_null()).cloned().collect(),
        Some(one) => vec![one.clone()],
    }
}

/// Whether a part of `content` can be something to see.
fn is_content(part: &Value) -> bool {
    part.is_object() && !says_nothing(part)
}

/// ISO 8601, of milliseconds too.
fn time(value: &Value) -> Option<String> {
    match value.as_u64() {
        Some(millis) => Some(Timestamp(millis).to_iso()),
        None => text(value),
    }
}

fn event(value: &Value) -> OutboundEvent {
    let typing = value.get("typing").filter(|it| it.is_object());
    OutboundEvent {
        event_type: value.get("eventType").and_then(text).unwrap_or_default(),
        typing: typing.map(|typing| Typing {
            kind: typing.get("type").and_then(text).unwrap_or_default(),
            duration: typing.get("duration").and_then(|it| text(it)?.parse().ok()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_new_in_a_webhook_body_is_no_error() {
        let outbound = Outbound::read(&json!({
            "id": "m", "type": "Hologram", "surprise": 1,
            "channel": {"to": {"id": "user-77", "idType": "Opaque"}, "from": {"nickName": "b"}},
        }))
        .expect("readable");
        assert_eq!(outbound.kind, Kind::Unknown);
        assert_eq!(outbound.channel.to.id, "user-77");
    }

    #[test]
    fn values_of_other_types_cost_no_words() {
        let odd = [
            json!(null),
            json!([]),
            json!({}),
            json!(7),
            json!("x"),
            json!(true),
        ];
        let whole = json!({
            "id": "m", "type": "Text", "text": "the words", "content": [], "events": [],
            "channel": {"to": {"id": "ana", "idType": "Opaque"}, "messageId": "m",
                "time": "2026-01-05T10:00:09.000Z"},
            "originatingEntity": "Human", "conversationId": "c", "status": "Sent", "reasons": [],
            "direction": "Outbound",
        });
        for (key, value) in odd.iter().flat_map(|value| {
            let keys = whole.as_object().expect("an object").keys();
            keys.filter(|key| *key != "text")
                .map(move |key| (key, value))
        }) {
            let mut body = whole.clone();
            body[key] = value.clone();
            let read = Outbound::read(&body).expect("is an object");
            assert_eq!(read.text.as_deref(), Some("the words"), "{body}");
            assert!(read.is_for_the_user(), "{body}");
            body.as_object_mut().expect("an object").remove(key);
            let read = Outbound::read(&body).expect("is an object");
            assert_eq!(read.text.as_deref(), Some("the words"), "{body}");
            assert!(read.is_for_the_user(), "{body}");
        }
        for value in odd {
            let mut body = whole.clone();
            body["channel"]["to"] = value.clone();
            body["channel"]["time"] = value;
            assert!(
                Outbound::read(&body)
                    .expect("is an object")
                    .is_for_the_user()
            );
        }
        let numeric = Outbound::read(&json!({"id": 4711, "channel": {"to": {"id": 12}}}));
        let numeric = numeric.expect("is an object");
        assert_eq!((&*numeric.id, &*numeric.channel.to.id), ("4711", "12"));
    }
}
