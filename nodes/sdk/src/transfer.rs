//! A request to hand the session to an agent.
//!
//! The contract carries the rarely used parts as one JSON object, so that it can grow without a new
//! version; here they are typed. Absent parts are left out of the JSON, never sent as null or empty.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// Who is to get the session, and what they are told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferRequest {
    /// Account to use; none takes the project's default account.
    #[serde(skip)]
    pub account: Option<String>,
    /// Who is to get the session.
    #[serde(skip)]
    pub target: Target,
    /// Who the user is.
    #[serde(skip_serializing_if = "Identity::is_empty")]
    pub identity: Identity,
    /// What it is about, as the agent sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Higher is sooner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Names of the skills an agent must have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Name or code of the language an agent must speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The competency of the bot that could not help, for accounts that route by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub competency: Option<String>,
    /// External session attributes of this transfer alone, over those of the session.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// What the user is told.
    #[serde(skip_serializing_if = "TransferMessages::is_empty")]
    pub messages: TransferMessages,
    /// What the agent gets to read of the conversation so far.
    #[serde(skip_serializing_if = "Transcript::is_none")]
    pub transcript: Transcript,
    /// How long to wait for an agent.
    #[serde(
        rename = "noAgentTimeoutMs",
        skip_serializing_if = "Option::is_none",
        serialize_with = "as_millis"
    )]
    pub no_agent_timeout: Option<Duration>,
    /// Text by which the user leaves the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_end_command: Option<String>,
    /// What the user is told of the queue while waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_updates: Option<QueueUpdates>,
    /// What happens while the user does not answer the agent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_idle: Vec<IdleStep>,
}

impl TransferRequest {
    /// The `options` of the contract: everything but account and target.
    #[must_use]
    pub fn options(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and maps of strings always serialise")
    }
}

/// Who is to get a transferred session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// A queue by its name, matched exactly: case and spaces count.
    Queue(String),
    /// Whoever the account's own routing picks.
    #[default]
    AnyAgent,
}

/// Who the user is. Fields left out or blank are not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Identity {
    /// The name shown in the chat. Genesys Engage requires it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// First name. Genesys Engage requires it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name. Genesys Engage requires it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// Mobile phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// The user's id in your own systems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

impl Identity {
    /// Whether no field is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same without blank fields: a template may well render to nothing, and Genesys should then
    /// see the field as missing, not as empty.
    #[must_use]
    pub fn without_blanks(self) -> Self {
        let filled = |field: Option<String>| field.filter(|text| !text.trim().is_empty());
        Self {
            nickname: filled(self.nickname),
            first_name: filled(self.first_name),
            last_name: filled(self.last_name),
            email_address: filled(self.email_address),
            mobile: filled(self.mobile),
            external_id: filled(self.external_id),
        }
    }
}

/// What the user is told while a handoff goes its way. A message left out is not sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TransferMessages {
    /// Once an agent has been asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// Once an agent has taken the conversation. `{agentName}` is the agent, here and in the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// Once another agent has taken the conversation over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_changed: Option<String>,
    /// Once the agent has closed the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_left: Option<String>,
    /// Once the user has left the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_left: Option<String>,
    /// When no agent could be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_agent: Option<String>,
    /// To the agent, not the user: once the user has left. Left out, it is a sentence in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub farewell: Option<String>,
}

/// What the user is told of the queue while waiting. What has not changed is not told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueUpdates {
    /// `{position}` is the user's place, 1 the next; `{minutes}` and `{seconds}` are how long it may take.
    /// Genesys Cloud tells how long, and no place; Genesys Engage tells neither.
    #[schemars(extend("examples" = ["It may take {minutes} more minutes."]))]
    pub text: String,
    /// Instead of it, where Genesys does not tell what the text needs, or that is over a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// The least number of seconds between two of them.
    #[serde(
        default = "QueueUpdates::every",
        rename(serialize = "everyMs"),
        serialize_with = "seconds_as_millis"
    )]
    #[schemars(title = "Seconds between two")]
    pub every: u32,
    /// Users who are further back are not told the place.
    #[serde(
        default,
        rename = "maxPosition",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_position: Option<u32>,
    /// Users who may have to wait for more seconds are not told how long.
    #[serde(
        default,
        rename(serialize = "maxWaitMs", deserialize = "maxWait"),
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_seconds_as_millis"
    )]
    pub max_wait: Option<u32>,
}

impl QueueUpdates {
    fn every() -> u32 {
        60
    }
}

/// Something that happens while the user does not answer the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdleStep {
    /// How many seconds after the agent's last message.
    #[serde(rename(serialize = "afterMs"), serialize_with = "seconds_as_millis")]
    pub after: u32,
    /// What the user is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// On: the user leaves the agent then.
    #[serde(default)]
    pub leave: bool,
}

/// What the agent gets to read of the conversation so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transcript {
    /// Nothing but what the user wrote last.
    #[default]
    None,
    /// All of it.
    Full,
    /// The last lines, as many.
    Last(u32),
    /// This text instead, for example a summary.
    Text(String),
}

impl Transcript {
    /// Whether the agent gets to read nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl TransferMessages {
    /// Whether no message is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn as_millis<S: Serializer>(span: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    let millis = span.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    millis.serialize(to)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn seconds_as_millis<S: Serializer>(seconds: &u32, to: S) -> Result<S::Ok, S::Error> {
    (u64::from(*seconds) * 1000).serialize(to)
}

fn some_seconds_as_millis<S: Serializer>(seconds: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
    let millis = seconds.map(|seconds| u64::from(seconds) * 1000);
    millis.serialize(to)
}
