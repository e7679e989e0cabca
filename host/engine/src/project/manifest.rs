//! `project.toml`: bots, accounts, channels and limits of a project.

use super::worker::SlashCommand;
use crate::account::{Account, SecretRef};
use crate::egress::{Origin, Place};
use crate::name::{AccountName, BotName, EnvironmentName, FlowId};
use crate::time::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the project file.
pub const MANIFEST: &str = "project.toml";

/// What `project.toml` says.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// What the project is called.
    pub name: String,
    /// The bot that new sessions talk to.
    pub start: BotName,
    /// How long a session may rest while a bot owns it, for example `30m` (the default). While an
    /// agent owns it, Genesys' own timeouts rule.
    #[serde(default = "default_inactivity")]
    pub inactivity: Span,
    /// Where the project runs, in the order it goes through, for example `["development", "live"]`. What
    /// differs in one stands in `project.NAME.toml`. The last one adds and edits no accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<EnvironmentName>,
    /// How much of something there may be.
    #[serde(default)]
    pub limits: LimitsEntry,
    /// The account of transfers that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_account: Option<AccountName>,
    /// Agent systems by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Account>")]
    pub accounts: BTreeMap<AccountName, Account>,
    /// Accounts that others have taken the place of, in the environment that is loaded.
    #[serde(skip)]
    pub mapped: BTreeMap<AccountName, AccountName>,
    /// Which account serves the sessions of a channel.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub channels: BTreeMap<String, AccountName>,
    /// Who can own a session.
    #[schemars(with = "BTreeMap<String, BotEntry>")]
    pub bots: BTreeMap<BotName, BotEntry>,
    /// Secrets by name; ServisBOT's SRNs are names too.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretEntry>,
    /// Where requests of nodes may go. What is not listed is denied.
    #[serde(default)]
    pub egress: EgressEntry,
    /// What API connectors of type `aws-sdk` need to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsEntry>,
    /// Commands that agents type in every handoff, by their first word, for example `/email`. A worker's
    /// own commands come first.
    #[serde(default)]
    pub slash_commands: BTreeMap<String, SlashCommand>,
    /// Translates between users and agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translation: Option<TranslationEntry>,
}

/// How much of something there may be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LimitsEntry {
    /// Accounts under `[accounts]`.
    #[serde(default = "default_accounts")]
    pub accounts: usize,
}

impl Default for LimitsEntry {
    fn default() -> Self {
        Self {
            accounts: default_accounts(),
        }
    }
}

/// As many as Yellow.ai allows.
fn default_accounts() -> usize {
    15
}

/// Translates what users and agents say to each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TranslationEntry {
    /// The Alias of an API connector. It gets `$.text`, `$.from` and `$.to`, and answers into
    /// `$.translation`.
    pub connector: String,
    /// The language that agents speak, as a tag: `en`.
    pub agent_language: String,
    /// The context key that holds the user's language. While there is none nothing is translated.
    #[serde(default = "default_user_language")]
    pub user_language: String,
    /// Whether the original is shown under the translation.
    #[serde(default)]
    pub show_original: bool,
}

fn default_user_language() -> String {
    "language".to_owned()
}

/// A secret: either `env` or `file` is given.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("x-expected" = "{ env = \"VARIABLE\" } or { file = \"path\" }, for nodes also with to = [\"https://...\"] and in = [\"header:...\"]; a secret itself never stands in a project"))]
pub struct SecretEntry {
    /// The name of an environment variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file below the directory of secrets, which is `secrets/` in the project unless the operator names
    /// another; one trailing line end is dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where requests of nodes may carry it. Nowhere if left out; accounts use it all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<Origin>,
    /// Where in those requests it may stand, for example `["header:authorization"]`. If left out, where API
    /// connectors and flows name it.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub places: Option<Vec<Place>>,
}

impl SecretEntry {
    /// Where it comes from, if exactly one place is given.
    #[must_use]
    pub fn from(&self) -> Option<SecretRef> {
        match (&self.env, &self.file) {
            (Some(name), None) => Some(SecretRef::Env(name.clone())),
            (None, Some(path)) => Some(SecretRef::File(path.clone())),
            _ => None,
        }
    }
}

/// Where requests of nodes may go.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EgressEntry {
    /// Origins, for example `https://api.example.com` or `https://*.example.com`.
    #[serde(default)]
    pub allow: Vec<Origin>,
}

/// What API connectors of type `aws-sdk` need to know.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AwsEntry {
    /// The AWS region, for example `eu-west-1`.
    pub region: String,
}

impl Manifest {
    /// The account that a name means where the project is loaded.
    pub(super) fn meant<'m>(&'m self, name: &'m AccountName) -> &'m AccountName {
        self.mapped.get(name).unwrap_or(name)
    }

    /// Every place where a secret is asked for, by JSON Pointer.
    pub(super) fn secret_refs(&self) -> Vec<(String, &SecretRef)> {
        let mut refs = Vec::new();
        for (name, account) in &self.accounts {
            let at = crate::source::pointer("/accounts", name.as_str());
            match account {
                Account::EngageChatV2(engage) => {
                    if let Some(key) = &engage.api_key {
                        refs.push((format!("{at}/api-key"), key));
                    }
                }
                Account::CloudWebchat(chat) => {
                    if let Some(client) = &chat.oauth_client {
                        refs.push((format!("{at}/oauth-client/secret"), &client.secret));
                    }
                }
                Account::CloudWebMessaging(messaging) => {
                    if let Some(secret) = &messaging.token_secret {
                        refs.push((format!("{at}/token-secret"), secret));
                    }
                    if let Some(client) = &messaging.oauth_client {
                        refs.push((format!("{at}/oauth-client/secret"), &client.secret));
                    }
                }
                Account::CloudOpenMessaging(cloud) => {
                    if let Some(token) = &cloud.events_token {
                        refs.push((format!("{at}/events-token"), token));
                    }
                    refs.push((format!("{at}/client-secret"), &cloud.client_secret));
                    refs.push((format!("{at}/webhook-secret"), &cloud.webhook_secret));
                }
            }
        }
        refs
    }
}

/// A bot: either `flow` or `worker` is given.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BotEntry {
    /// The id of a flow of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
    /// A ServisBOT worker file, relative to the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The account a worker bot hands over to, instead of the Engage site in its own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
}

/// A span of time as people write it: `90s`, `31m`, `1h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Millis);

impl Span {
    /// Reads `90s`, `31m`, `1h 30m`.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let span: jiff::SignedDuration = text.parse().map_err(|_| SpanError(text.to_owned()))?;
        u64::try_from(span.as_millis())
            .map(|millis| Self(Millis(millis)))
            .map_err(|_| SpanError(text.to_owned()))
    }
}

/// A text that is no span of time.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not a span of time; write for example '90s', '31m' or '1h 30m'")]
pub struct SpanError(String);

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}ms", self.0.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A span of time: 90s, 31m, 1h 30m.",
            "examples": ["30m", "90s"],
        })
    }
}

fn default_inactivity() -> Span {
    Span(Millis::from_mins(30))
}
