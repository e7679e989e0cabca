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
    /// Once an agent has taken the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
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
