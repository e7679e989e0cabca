//! What GMS's Chat API version 2 sends and takes, by the protocol's own names (PROTOCOLS 1.2, 1.3).
//!
//! Everything but the status code is optional, because with a status other than 0 nothing else may
//! be trusted, and proxies in front of GMS answer in shapes of their own.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// One form body.
pub(super) type Form = Vec<(String, String)>;

/// The answer to every operation.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Envelope {
    #[serde(deserialize_with = "status")]
    pub(super) status_code: Status,
    pub(super) chat_id: Option<String>,
    #[serde(deserialize_with = "text_or_number")]
    pub(super) alias: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) secure_key: Option<String>,
    pub(super) next_position: Option<u64>,
    pub(super) chat_ended: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub(super) messages: Vec<Event>,
    #[serde(deserialize_with = "lenient")]
    pub(super) errors: Vec<ApiError>,
}

/// `statusCode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    /// 0.
    Ok,
    /// 1: the same request may work in a moment.
    Transient,
    /// 2, and whatever else a future version may say: it will not.
    #[default]
    Permanent,
}

/// One entry of the transcript.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) index: u64,
    #[serde(default, rename = "type")]
    pub(super) kind: EventKind,
    #[serde(default)]
    pub(super) from: Participant,
    #[serde(default)]
    pub(super) text: Option<String>,
    /// Epoch milliseconds.
    #[serde(default)]
    pub(super) utc_time: Option<u64>,
    #[serde(default)]
    pub(super) user_data: Option<BTreeMap<String, serde_json::Value>>,
}

/// `messages[].type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum EventKind {
    ParticipantJoined,
    ParticipantLeft,
    Message,
    PushUrl,
    TypingStarted,
    TypingStopped,
    NicknameUpdated,
    FileUploaded,
    FileDeleted,
    CustomNotice,
    Notice,
    IdleAlert,
    IdleClose,
    #[default]
    #[serde(other)]
    Unknown,
}

/// `messages[].from`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Participant {
    pub(super) nickname: Option<String>,
    pub(super) participant_id: Option<i64>,
    #[serde(rename = "type")]
    pub(super) kind: ParticipantKind,
}

/// `messages[].from.type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum ParticipantKind {
    Client,
    Agent,
    Supervisor,
    External,
    #[default]
    #[serde(other)]
    Unknown,
}

/// `errors[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ApiError {
    pub(super) code: i64,
    pub(super) message: Option<String>,
    pub(super) advice: Option<String>,
}

fn status<'de, D: Deserializer<'de>>(value: D) -> Result<Status, D::Error> {
    Ok(match i64::deserialize(value)? {
        0 => Status::Ok,
        1 => Status::Transient,
        _ => Status::Permanent,
    })
}

/// `alias` is a number in text; some proxies drop the quotes.
fn text_or_number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(value)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A list of which unreadable entries are left out: one odd entry must not hide its neighbours.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    value: D,
) -> Result<Vec<T>, D::Error> {
    let list = Option::<Vec<serde_json::Value>>::deserialize(value)?.unwrap_or_default();
    Ok(list
        .into_iter()
        .filter_map(|entry| serde_json::from_value(entry).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_by_the_protocols_names() {
        let envelope: Envelope = serde_json::from_str(
            r#"{"statusCode":0,"chatId":"C1","alias":212,"userId":"U1","secureKey":"k","nextPosition":3,
            "chatEnded":false,"monitored":true,"messages":[{"index":2,"type":"Message","text":"Hi",
            "from":{"nickname":"Kim","participantId":2,"type":"Agent"},"utcTime":1732094405000},{"odd":1}]}"#,
        )
        .expect("readable");
        assert_eq!(envelope.status_code, Status::Ok);
        assert_eq!(envelope.alias.as_deref(), Some("212"));
        assert_eq!(envelope.messages.len(), 1);
        assert_eq!(envelope.messages[0].kind, EventKind::Message);
        assert_eq!(envelope.messages[0].from.kind, ParticipantKind::Agent);
    }

    #[test]
    fn what_is_new_or_missing_is_no_error() {
        let envelope: Envelope = serde_json::from_str(
            r#"{"statusCode":0,"messages":[{"index":1,"type":"Telepathy","from":{"type":"Ghost"}}],"errors":null}"#,
        )
        .expect("readable");
        assert_eq!(envelope.messages[0].kind, EventKind::Unknown);
        let failure: Envelope = serde_json::from_str(
            r#"{"statusCode":2,"chatEnded":true,"errors":[{"code":161,"advice":"give a name"}]}"#,
        )
        .expect("readable");
        assert_eq!(failure.status_code, Status::Permanent);
        assert_eq!(failure.errors[0].code, 161);
    }
}
