//! The form of a descriptor's examples.
//!
//! An example is read three ways: by a designer as a recipe, by `check_examples` as a test of the
//! node's code, and by a host as a test of the finished component. It therefore holds the config as
//! a designer writes it and, where templates or expressions make a difference, as the node gets it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    Availability, CloseReason, HttpRequest, HttpResponse, SessionEnd, Target, Trigger, UserMessage,
    Visit, testing::Message,
};

/// One example: given this, the node does that.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Example {
    /// What it shows, as a sentence.
    pub name: String,
    /// The config as it stands in a flow file.
    pub config: Value,
    /// The config as the node gets it, where that differs.
    #[serde(default)]
    pub resolved: Option<Value>,
    /// The session before the step.
    #[serde(default)]
    pub given: Given,
    /// What the step has to do.
    pub expect: Expect,
}

/// The session before a step, and why the step happens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Given {
    /// Why the step is called.
    pub trigger: ExampleTrigger,
    /// What the node remembered; null if nothing.
    pub state: Value,
    /// The flow context.
    pub context: BTreeMap<String, Value>,
    /// External session attributes.
    pub attributes: BTreeMap<String, String>,
    /// How the last handoff ended.
    pub last_handoff: Option<SessionEnd>,
    /// The project's secrets.
    pub secrets: BTreeSet<String>,
    /// Documents of API connectors, by alias.
    pub connectors: BTreeMap<String, Value>,
    /// What the platform tells of every queue.
    pub availability: Option<Availability>,
    /// What requests are answered, in order: `{"status": 200, "body": ..}`.
    pub answers: Vec<Answer>,
}

/// What a request is answered in an example.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: text as it is, anything else as JSON text.
    #[serde(default)]
    pub body: Value,
}

impl From<Answer> for HttpResponse {
    fn from(answer: Answer) -> Self {
        Self {
            status: answer.status,
            headers: answer.headers.into_iter().collect(),
            body: match answer.body {
                Value::Null => Vec::new(),
                Value::String(text) => text.into_bytes(),
                other => other.to_string().into_bytes(),
            },
        }
    }
}

/// A request as an example expects it. What is left out is not compared.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRequest {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers, by lower-case name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: text as it is, anything else as JSON.
    #[serde(default)]
    pub body: Option<Value>,
}

impl ExpectedRequest {
    /// What of a request is not as expected.
    pub(super) fn mismatch(&self, sent: &HttpRequest) -> Option<String> {
        let headers: BTreeMap<_, _> = sent
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        let body = String::from_utf8_lossy(&sent.body);
        let same_body = self.body.as_ref().is_none_or(|expected| match expected {
            Value::String(text) => *text == body,
            other => serde_json::from_str::<Value>(&body).is_ok_and(|body| body == *other),
        });
        let same = self.method == sent.method
            && self.url == sent.url
            && self
                .headers
                .iter()
                .all(|(name, value)| headers.get(name) == Some(&value))
            && same_body;
        (!same).then(|| {
            format!(
                "sends {} {} with {headers:?} and {body}, not {self:?}",
                sent.method, sent.url
            )
        })
    }
}

/// A trigger: `"entered"`, `{"userMessage": "text"}`, `{"returned": {"reason": ..}}`, `"timedOut"`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExampleTrigger {
    /// The flow arrived at the node.
    #[default]
    Entered,
    /// The user wrote this.
    UserMessage(String),
    /// An owner gave the session back.
    Returned(SessionEnd),
    /// The timeout passed.
    TimedOut,
}

impl ExampleTrigger {
    pub(super) fn with_state<S: DeserializeOwned>(
        self,
        state: Value,
        visit: &Visit,
    ) -> serde_json::Result<Trigger<S>> {
        Ok(match self {
            Self::Entered => Trigger::Entered,
            Self::UserMessage(text) => Trigger::UserMessage {
                message: UserMessage {
                    id: "message".into(),
                    text,
                    at: visit.now,
                },
                state: serde_json::from_value(state)?,
            },
            Self::Returned(end) => Trigger::Returned {
                end,
                state: serde_json::from_value(state)?,
            },
            Self::TimedOut => Trigger::TimedOut {
                state: serde_json::from_value(state)?,
            },
        })
    }
}

/// What a step has to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expect {
    /// What it decides.
    pub outcome: ExpectedOutcome,
    /// Context keys as they must be afterwards; null means gone. Others must be as before.
    #[serde(default)]
    pub context: Map<String, Value>,
    /// Attributes as they must be afterwards; null means gone. Others must be as before.
    #[serde(default)]
    pub attributes: BTreeMap<String, Option<String>>,
    /// Exactly the messages it sends.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// Exactly the requests it sends.
    #[serde(default)]
    pub requests: Vec<ExpectedRequest>,
}

/// An outcome, or a fault. `{"leave": "next"}`, `{"wait": {}}`, `{"pushBot": "name"}`,
/// `{"transfer": {"target": {"queue": "Billing"}, "options": {}}}`, `{"close": "completed"}`,
/// `{"fault": "code"}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExpectedOutcome {
    /// Leaves by the port of this name.
    Leave(String),
    /// Waits.
    Wait(ExpectedWait),
    /// Pushes the bot of this name.
    PushBot(String),
    /// Hands over.
    Transfer(ExpectedTransfer),
    /// Closes.
    Close(CloseReason),
    /// Fails with this code.
    Fault(String),
}

/// How a step waits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExpectedWait {
    /// In milliseconds.
    pub timeout_ms: Option<u64>,
    /// What it remembers; not compared if left out.
    pub state: Option<Value>,
}

/// How a step hands over.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExpectedTransfer {
    /// None for the project's default account.
    #[serde(default)]
    pub account: Option<String>,
    /// `{"queue": "name"}` or `"anyAgent"`.
    pub target: Target,
    /// The `options` of the contract.
    #[serde(default)]
    pub options: Map<String, Value>,
}
