//! A ServisBOT Genesys worker file, as ServisBOT writes it.
//!
//! A worker bot cannot be talked to. It is pushed to the session-owner stack by a flow, and once on
//! top opens its own handoff at once.

use crate::handoff::{HandoffMessages, IdleStep, QueueUpdates, TransferOptions};
use crate::time::Millis;
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
    /// What the user is told when an agent joins. `{{agentName}}` is the agent.
    #[serde(default)]
    pub on_join_events: Vec<JoinEvent>,
    /// What the user is told of the queue while waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_update_config: Option<QueueUpdateConfig>,
    /// What happens while the user does not answer the agent.
    #[serde(default)]
    pub auto_disconnect_events: Vec<AutoDisconnectEvent>,
}

impl WorkerData {
    /// What a handoff of the worker is opened with.
    pub(super) fn options(&self) -> TransferOptions {
        let joined: Vec<&str> = self
            .on_join_events
            .iter()
            .map(|it| it.value.as_str())
            .collect();
        let joined = (!joined.is_empty()).then(|| joined.join("\n"));
        let mut idle = self.auto_disconnect_events.clone();
        idle.sort_by_key(|event| event.seconds_after_agent_message);
        TransferOptions {
            messages: HandoffMessages {
                assigned: joined.clone(),
                agent_changed: joined,
                ..HandoffMessages::default()
            },
            queue_updates: self.queue_update_config.as_ref().map(|it| QueueUpdates {
                text: it.message.clone(),
                otherwise: None,
                every_ms: Millis::from_secs(it.interval.into()),
                max_position: None,
                max_wait_ms: None,
            }),
            user_idle: idle
                .into_iter()
                .map(|event| IdleStep {
                    after_ms: Millis::from_secs(event.seconds_after_agent_message.into()),
                    leave: event.event_type == AutoDisconnectType::Disconnect,
                    text: Some(event.user_message).filter(|text| !text.is_empty()),
                })
                .collect(),
            ..TransferOptions::default()
        }
    }
}

/// What the user is told when an agent joins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct JoinEvent {
    /// What it is.
    #[serde(rename = "Type")]
    pub event_type: QuickResponseType,
    /// The text.
    pub value: String,
}

/// What the user is told of the queue while waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct QueueUpdateConfig {
    /// The least number of seconds between two of them.
    #[serde(default = "half_a_minute")]
    pub interval: u32,
    /// The text, with `{{estimatedWaitTime}}` and `{{positionInQueue}}` filled in. Where the platform does not
    /// tell what it needs nothing is said.
    pub message: String,
}

fn half_a_minute() -> u32 {
    30
}

/// Something that happens while the user does not answer the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AutoDisconnectEvent {
    /// Seconds since the agent's last message.
    pub seconds_after_agent_message: u32,
    /// What happens.
    #[serde(rename = "Type")]
    pub event_type: AutoDisconnectType,
    /// What the user is told.
    #[serde(default)]
    pub user_message: String,
}

/// What happens to a user who does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AutoDisconnectType {
    /// They are told so.
    Warning,
    /// They leave the agent.
    Disconnect,
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
