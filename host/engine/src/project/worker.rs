//! A ServisBOT Genesys worker file, as ServisBOT writes it.
//!
//! A worker bot cannot be talked to. It is pushed to the session-owner stack by a flow, and once on
//! top opens its own handoff at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The worker type of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WorkerType {
    /// Live chat with a Genesys Engage workspace over Chat API version 2.
    #[serde(rename = "genesys-livechat-v2-worker")]
    GenesysLivechatV2,
}

/// A worker as it stands in its file. Members that ServisBOT's own tools add are kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WorkerFile {
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What ServisBOT calls it.
    pub name: String,
    /// `genesys-livechat-v2-worker`.
    #[serde(rename = "Type")]
    pub worker_type: WorkerType,
    /// A disabled worker takes no sessions.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Not used by this type of worker.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Where it hands over to.
    pub data: WorkerData,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a Genesys live chat worker needs to know.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct WorkerData {
    /// Digital Channel URL.
    pub genesys_url: String,
    /// The chat service's name in GMS.
    pub genesys_service_name: String,
    /// Commands that agents type, by the text they start with.
    #[serde(default)]
    pub slash_commands: BTreeMap<String, SlashCommand>,
    /// Texts that agents can send to the user by their number: `/quick` lists them.
    #[serde(default)]
    pub quick_responses: Vec<QuickResponse>,
}

/// A text that an agent can send with few keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct QuickResponse {
    /// What it is.
    #[serde(rename = "Type")]
    pub response_type: QuickResponseType,
    /// The text.
    pub value: String,
    /// Under what agents look for it.
    #[serde(default)]
    pub category: String,
}

/// What a quick response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum QuickResponseType {
    /// A text.
    Message,
}

/// A command that an agent can type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlashCommand {
    /// What it does, for the agent.
    #[serde(default)]
    pub description: String,
    /// What is done, in order.
    pub actions: Vec<SlashAction>,
}

/// One thing a slash command does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", content = "value", rename_all = "camelCase")]
pub enum SlashAction {
    /// Calls the BaaS connector of this alias.
    ExecuteApi(String),
    /// Sends this text to the user, as the agent's.
    Message(String),
}

fn enabled() -> bool {
    true
}
