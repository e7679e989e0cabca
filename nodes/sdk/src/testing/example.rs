//! The form of a descriptor's examples.
//!
//! An example is read three ways: by a designer as a recipe, by `check_examples` as a test of the
//! node's code, and by a host as a test of the finished component. It therefore holds the config as
//! a designer writes it and, where templates or expressions make a difference, as the node gets it.

use std::collections::BTreeMap;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{CloseReason, SessionEnd, Target, Trigger, UserMessage, Visit, testing::Message};

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
