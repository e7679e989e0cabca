//! What the guest sends (PROTOCOLS 3.3, 3.5 and 3.6).

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One request: a text frame of ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Request {
    #[serde(flatten)]
    pub(in super::super) action: Action,
    pub(in super::super) token: Uuid,
    /// Repeated in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) tracing_id: Option<String>,
}

/// `action` and what belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(in super::super) enum Action {
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

impl Action {
    /// What it is called, and of a message what kind.
    pub(in super::super) fn name(&self) -> String {
        match self {
            Self::ConfigureSession { .. } => "configureSession".to_owned(),
            Self::OnMessage { message } => format!("onMessage {}", message.kind),
            Self::OnAttachment { .. } => "onAttachment".to_owned(),
            Self::GetJwt => "getJwt".to_owned(),
            Self::CloseSession { .. } => "closeSession".to_owned(),
        }
    }
}

/// `journeyContext`: who this is, to Genesys' own analytics.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct JourneyContext {
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
    pub(in super::super) fn of(token: Uuid) -> Self {
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
pub(in super::super) struct GuestMessage {
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

    pub(in super::super) fn text(text: &str) -> Self {
        Self {
            text: Some(text.to_owned()),
            ..Self::new("Text")
        }
    }

    /// A file that was uploaded.
    pub(in super::super) fn attachment(id: &str) -> Self {
        let content = serde_json::json!({"contentType": "Attachment", "attachment": {"id": id}});
        Self {
            content: vec![content],
            ..Self::new("Text")
        }
    }

    /// Something picked. Quick replies go as texts without text, everything else with its label.
    pub(in super::super) fn button(kind: &str, label: &str, payload: &str, message: &str) -> Self {
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

    pub(in super::super) fn presence(kind: &str) -> Self {
        let event = serde_json::json!({"eventType": "Presence", "presence": {"type": kind}});
        Self {
            events: vec![event],
            ..Self::new("Event")
        }
    }

    pub(in super::super) fn typing() -> Self {
        let event = serde_json::json!({"eventType": "Typing", "typing": {"type": "On"}});
        Self {
            events: vec![event],
            ..Self::new("Event")
        }
    }

    /// With attributes for routing and agents to see.
    pub(in super::super) fn with(mut self, attributes: BTreeMap<String, String>) -> Self {
        if !attributes.is_empty() {
            let metadata = GuestMetadata {
                custom_attributes: attributes,
            };
            self.channel = Some(GuestChannel { metadata });
        }
        self
    }

    /// The attributes it carries.
    pub(in super::super) fn attributes(&self) -> BTreeMap<String, String> {
        let metadata = self.channel.as_ref().map(|channel| &channel.metadata);
        metadata.map_or_else(BTreeMap::new, |it| it.custom_attributes.clone())
    }
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
}
