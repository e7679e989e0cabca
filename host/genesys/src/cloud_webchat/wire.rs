//! What the guest API and the event stream say, by the protocol's own names (PROTOCOLS 2.2 to 2.4).
//!
//! Everything that is read is optional but ids: an unknown role, state or body type is no error, and
//! one odd entry of a list hides none of its neighbours.

use crate::unreadable::unreadable;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// `CreateWebChatConversationRequest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    pub(super) organization_id: String,
    pub(super) deployment_id: String,
    pub(super) routing_target: RoutingTarget,
    pub(super) member_info: Guest,
}

/// `WebChatRoutingTarget`; the address is a queue's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RoutingTarget {
    pub(super) target_type: TargetType,
    pub(super) target_address: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) skills: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) priority: Option<i64>,
}

/// `routingTarget.targetType`: there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TargetType {
    #[serde(rename = "QUEUE")]
    Queue,
}

/// `GuestMemberInfo`. Absent fields are left out, not empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Guest {
    pub(super) display_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) phone_number: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) custom_fields: BTreeMap<String, String>,
}

/// The guest's token. Never shown, not even in logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Jwt(pub(super) String);

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jwt")
    }
}

/// `CreateWebChatConversationResponse`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) id: String,
    pub(super) jwt: Jwt,
    /// Opaque.
    pub(super) event_stream_uri: String,
    pub(super) member: Reference,
}

/// Something of which only the id counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reference {
    pub(super) id: String,
}

/// `WebChatMemberInfo`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberInfo {
    pub(super) id: String,
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) role: Role,
    /// None also if it is one nobody foresaw.
    #[serde(default, deserialize_with = "foreseen")]
    pub(super) state: Option<Presence>,
    #[serde(default, deserialize_with = "time")]
    pub(super) join_date: Option<Timestamp>,
    #[serde(default, deserialize_with = "time")]
    pub(super) leave_date: Option<Timestamp>,
}

/// `role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Role {
    Agent,
    Customer,
    Workflow,
    Acd,
    #[default]
    #[serde(other)]
    Unknown,
}

/// `state`. In the order in which a member goes through them, which no member goes through twice: one
/// who comes again is another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Presence {
    Alerting,
    Connected,
    Disconnected,
}

/// `WebChatMemberInfoEntityList`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Members {
    #[serde(deserialize_with = "lenient")]
    pub(super) entities: Vec<MemberInfo>,
    pub(super) page_count: Option<u32>,
}

/// `WebChatMessage`. Kept in the handle while it waits for its turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) id: String,
    #[serde(default)]
    pub(super) sender: Reference,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) body_type: BodyType,
    #[serde(default, deserialize_with = "time")]
    pub(super) timestamp: Option<Timestamp>,
}

impl Message {
    /// Whether it proves that its sender is connected, or was.
    pub(super) fn is_of_someone_there(&self) -> bool {
        matches!(self.body_type, BodyType::MemberJoin | BodyType::Standard)
            && !self.sender.id.is_empty()
    }

    /// When it was said.
    pub(super) fn at(&self) -> Timestamp {
        self.timestamp.unwrap_or_default()
    }
}

/// `bodyType`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum BodyType {
    /// Somebody's words. What has no type is that too.
    #[default]
    Standard,
    /// The system's words.
    Notice,
    /// The sender answered, or was there from the start.
    MemberJoin,
    /// The sender left.
    MemberLeave,
    /// The agent asks for the user's screen or the like.
    MediaRequest,
    #[serde(untagged)]
    Other(String),
}

/// `WebChatMessageEntityList`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Messages {
    #[serde(deserialize_with = "lenient")]
    pub(super) entities: Vec<Message>,
    /// The address of the next page, if there is one.
    pub(super) next: Option<String>,
}

/// A frame of the event stream.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Frame {
    topic_name: String,
    event_body: Value,
    metadata: Metadata,
}

/// What a frame is called.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// With a capital as captured, and without it in case.
    #[serde(rename = "CorrelationId", alias = "correlationId")]
    correlation: Value,
}

impl Metadata {
    pub(super) fn correlation(&self) -> Option<String> {
        self.correlation.as_str().map(str::to_owned)
    }
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Frames {
    Message(Message),
    Member(MemberChange),
    Typing(Typing),
    /// Genesys is about to close the socket.
    Closing,
    /// A heartbeat, or something else that needs no doing.
    Other,
}

/// `member-change`. Who that is has to be asked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct MemberChange {
    pub(super) member: MemberState,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct MemberState {
    pub(super) id: String,
    #[serde(default, deserialize_with = "foreseen")]
    pub(super) state: Option<Presence>,
}

/// `typing-indicator`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(super) struct Typing {
    pub(super) id: String,
    pub(super) sender: Reference,
}

/// Reads a frame.
///
/// # Errors
///
/// If it is not JSON, or of a known kind with another content.
pub(super) fn named_frame(text: &str) -> Result<(Frames, Metadata), serde_json::Error> {
    let frame: Frame = serde_json::from_str(text)?;
    let says = match frame.metadata.kind.as_str() {
        "message" => Frames::Message(serde_json::from_value(frame.event_body)?),
        "member-change" => Frames::Member(serde_json::from_value(frame.event_body)?),
        "typing-indicator" => Frames::Typing(serde_json::from_value(frame.event_body)?),
        _ if frame.topic_name == "v2.system.socket_closing" => Frames::Closing,
        _ => Frames::Other,
    };
    Ok((says, frame.metadata))
}

/// What a frame says, whatever it is called.
#[cfg(any(test, fuzzing))]
pub(super) fn frame(text: &str) -> Result<Frames, serde_json::Error> {
    named_frame(text).map(|(says, _)| says)
}

fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Timestamp::from_iso(&text),
        // As it stands in a handle.
        Value::Number(number) => number.as_u64().map(Timestamp),
        _ => None,
    })
}

fn foreseen<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Presence>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(value)?).ok())
}

fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    value: D,
) -> Result<Vec<T>, D::Error> {
    let list = Option::<Vec<Value>>::deserialize(value)?.unwrap_or_default();
    let read = |entry| match serde_json::from_value(entry) {
        Ok(entry) => Some(entry),
        Err(error) => {
            let why = unreadable(&error);
            tracing::warn!(why, "an entry of a list cannot be read");
            None
        }
    };
    Ok(list.into_iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_told_apart_by_their_metadata() {
        let member = r#"{"topicName":"v2.conversations.chats.33.members","version":"2",
            "eventBody":{"conversation":{"id":"33"},"member":{"id":"55","state":"ALERTING"},
            "timestamp":"2026-01-05T10:00:01.000Z"},"metadata":{"CorrelationId":"c","type":"member-change"}}"#;
        let Frames::Member(change) = frame(member).expect("readable") else {
            panic!("a member")
        };
        assert_eq!(change.member.state, Some(Presence::Alerting));
        let message = r#"{"eventBody":{"id":"m","conversation":{"id":"33"},"sender":{"id":"55"},"body":"Hello",
            "bodyType":"standard","timestamp":"2026-01-05T10:00:01.000Z"},"metadata":{"type":"message"}}"#;
        let Frames::Message(message) = frame(message).expect("readable") else {
            panic!("a message")
        };
        assert_eq!(message.body.as_deref(), Some("Hello"));
        assert_eq!(
            message.timestamp.map(Timestamp::to_iso).as_deref(),
            Some("2026-01-05T10:00:01.000Z")
        );
        let heartbeat =
            r#"{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}"#;
        assert_eq!(frame(heartbeat).expect("readable"), Frames::Other);
    }

    #[test]
    fn what_is_new_or_missing_is_no_error() {
        let members: Members = serde_json::from_str(
            r#"{"entities":[{"id":"1","role":"ROBOT","state":"LEVITATING"},{"odd":true},{"id":"2"}],"pageCount":null}"#,
        )
        .expect("readable");
        assert_eq!(members.entities.len(), 2);
        assert_eq!(members.entities[0].role, Role::Unknown);
        assert_eq!(members.entities[0].state, None);
        let message: Message = serde_json::from_str(
            r#"{"id":"m","bodyType":"hologram","sender":{"id":"5"},"timestamp":7}"#,
        )
        .expect("readable");
        assert_eq!(message.body_type, BodyType::Other("hologram".to_owned()));
        let join: Message =
            serde_json::from_str(r#"{"id":"m","bodyType":"member-join"}"#).expect("readable");
        assert_eq!(join.body_type, BodyType::MemberJoin);
    }

    #[test]
    fn a_message_that_waits_is_the_same_after_a_restart() {
        let message = Message {
            id: "m".to_owned(),
            body: Some("Hello".to_owned()),
            body_type: BodyType::Notice,
            timestamp: Some(Timestamp(1_767_607_200_000)),
            ..Message::default()
        };
        let handle = serde_json::to_value(&message).expect("a handle");
        let again: Message = serde_json::from_value(handle).expect("the same handle");
        assert_eq!(again, message);
    }

    proptest! {
        #[test]
        fn no_frame_is_too_odd_to_be_survived(text in ".{0,60}") {
            // Errors are as good as frames; only a panic is not.
            prop_assert!(frame(&text).is_ok() || frame(&text).is_err());
        }
    }
}
