//! Conversations as the Platform API shows them (PROTOCOLS 4.5).
//!
//! Participants are only ever appended: a transfer, a decline or a new ring adds one and ends
//! another. One look at them therefore tells everything that led to it.

use super::call::{Call, Platform};
use super::error::PlatformError;
use handoff_engine::time::Timestamp;
use http::Method;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use std::collections::BTreeMap;

/// `MessageConversation`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conversation {
    /// In order of appearance.
    pub participants: Vec<Participant>,
}

/// `MessageMediaParticipant`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Participant {
    /// Genesys' id of this stay.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// What it is there for.
    pub purpose: Purpose,
    /// Where it stands.
    pub state: State,
    /// When it answered, if ever.
    #[serde(deserialize_with = "time")]
    pub connected_time: Option<Timestamp>,
    /// When it left.
    #[serde(deserialize_with = "time")]
    pub end_time: Option<Timestamp>,
    /// Why it left, for example `client`, `peer` or `transfer`.
    pub disconnect_type: Option<String>,
    /// The queue it waits in or came from.
    pub queue: Option<Reference>,
    /// The user behind an agent.
    pub user: Option<Reference>,
    /// When its after-call work began.
    #[serde(deserialize_with = "time")]
    pub start_acw_time: Option<Timestamp>,
    /// What it wrote, without the texts.
    pub messages: Vec<MessageDetails>,
}

/// `participants[].purpose`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The user.
    Customer,
    /// The user, as some media call them.
    External,
    /// A stay in a queue.
    Acd,
    /// An agent reached through a queue.
    Agent,
    /// An agent reached directly.
    User,
    /// Flows, bots and whatever else keeps a conversation going.
    #[default]
    #[serde(other)]
    Other,
}

/// `participants[].state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Ringing, in one of several words.
    #[serde(alias = "dialing", alias = "contacting", alias = "offering")]
    Alerting,
    /// Over, in one of two words.
    #[serde(alias = "terminated")]
    Disconnected,
    /// There, in one of several words.
    #[default]
    #[serde(other)]
    Connected,
}

/// `DomainEntityRef`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reference {
    /// Genesys' id.
    pub id: Option<String>,
    /// Display name, if shown.
    pub name: Option<String>,
}

/// `MessageDetails`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageDetails {
    /// Genesys' id of the message.
    pub message_id: String,
    /// When Genesys took it in.
    #[serde(deserialize_with = "time")]
    pub message_time: Option<Timestamp>,
}

/// `MessageData`: one message with its text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageData {
    /// Genesys' id of the message.
    pub id: String,
    /// The message as the transport carried it.
    pub normalized_message: Option<serde_json::Value>,
    /// The text, in older answers.
    pub text_body: Option<String>,
    /// When Genesys took it in.
    #[serde(deserialize_with = "time")]
    pub timestamp: Option<Timestamp>,
}

impl State {
    /// Whether the participant is still there, ringing or connected.
    #[must_use]
    pub fn is_present(self) -> bool {
        self != Self::Disconnected
    }
}

fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(value)?;
    Ok(text.as_deref().and_then(Timestamp::from_iso))
}

impl Platform {
    /// A conversation with everyone in it.
    pub(crate) async fn conversation(&self, id: &str) -> Result<Conversation, PlatformError> {
        let path = format!("/api/v2/conversations/messages/{id}");
        let doing = "look at the conversation";
        self.get(path, &[], doing, "conversation:message:view")
            .await
    }

    /// One message of a conversation.
    pub(crate) async fn message(
        &self,
        conversation: &str,
        message: &str,
    ) -> Result<MessageData, PlatformError> {
        let path = format!("/api/v2/conversations/messages/{conversation}/messages/{message}");
        let doing = "read a message of the conversation";
        self.get(path, &[], doing, "conversation:message:view")
            .await
    }

    /// Sets participant attributes; those not named stay.
    pub(crate) async fn set_attributes(
        &self,
        conversation: &str,
        participant: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), PlatformError> {
        self.tell(Call {
            method: Method::PATCH,
            path: format!(
                "/api/v2/conversations/messages/{conversation}/participants/{participant}/attributes"
            ),
            query: &[],
            body: Some(&json!({ "attributes": attributes })),
            doing: "set attributes of the conversation",
            permission: "conversation:participant:attributes",
        })
        .await
    }

    /// Sets participant attributes in a conversation of any kind; those not named stay.
    pub(crate) async fn set_participant_attributes(
        &self,
        conversation: &str,
        participant: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), PlatformError> {
        self.tell(Call {
            method: Method::PATCH,
            path: format!(
                "/api/v2/conversations/{conversation}/participants/{participant}/attributes"
            ),
            query: &[],
            body: Some(&json!({ "attributes": attributes })),
            doing: "set attributes of the conversation",
            permission: "conversation:participant:attributes",
        })
        .await
    }

    /// Ends one participant's part; the customer's ends the conversation.
    pub(crate) async fn disconnect_participant(
        &self,
        conversation: &str,
        participant: &str,
    ) -> Result<(), PlatformError> {
        self.tell(Call {
            method: Method::PATCH,
            path: format!(
                "/api/v2/conversations/messages/{conversation}/participants/{participant}"
            ),
            query: &[],
            body: Some(&json!({ "state": "disconnected" })),
            doing: "disconnect the customer",
            permission: "conversation:communication:disconnect",
        })
        .await
    }

    /// Tears a conversation down for everyone.
    pub(crate) async fn disconnect_all(&self, conversation: &str) -> Result<(), PlatformError> {
        self.tell(Call::<()> {
            method: Method::POST,
            path: format!("/api/v2/conversations/{conversation}/disconnect"),
            query: &[],
            body: None,
            doing: "end the conversation",
            permission: "conversation:communication:disconnect",
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_purposes_nobody_foresaw_are_no_error() {
        let conversation: Conversation = serde_json::from_value(json!({
            "id": "c", "participants": [
                {"id": "1", "purpose": "robot", "state": "levitating"},
                {"id": "2", "purpose": "agent", "state": "terminated", "endTime": "2026-01-05T10:00:00.000Z"},
                {"id": "3", "purpose": "agent", "state": "offering", "connectedTime": null},
            ]
        }))
        .expect("readable");
        let [robot, gone, ringing] = conversation.participants.as_slice() else {
            panic!("three")
        };
        assert_eq!(
            (robot.purpose, robot.state),
            (Purpose::Other, State::Connected)
        );
        assert_eq!(gone.state, State::Disconnected);
        assert!(gone.end_time.is_some());
        assert_eq!(ringing.state, State::Alerting);
    }
}
