//! Accounts: configured agent systems, as a project file declares them.
//!
//! These are plain data, so that a project can be checked without a network. `handoff-genesys` turns
//! them into transports. Secrets are named, never written down.

use crate::handoff::{IdentityField, TransportKind};
use crate::time::Millis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a secret comes from. The value itself never stands in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("x-expected" = "{ env = \"VARIABLE\" }, { file = \"path\" } or { named = \"name\" }; a secret itself never stands in a project"))]
pub enum SecretRef {
    /// The name of an environment variable.
    Env(String),
    /// A file, relative to the project; one trailing line end is dropped.
    File(String),
    /// A secret of the project's `[secrets]` table, by its name there. ServisBOT's SRNs are such
    /// names.
    Named(String),
}

/// One configured agent system and the transport that reaches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "transport", rename_all = "kebab-case")]
pub enum Account {
    /// Genesys Engage over Chat API version 2.
    EngageChatV2(EngageAccount),
    /// Genesys Cloud over WebChat version 2.
    CloudWebchat(WebChatAccount),
    /// Genesys Cloud over Web Messaging.
    CloudWebMessaging(WebMessagingAccount),
    /// Genesys Cloud over Open Messaging.
    CloudOpenMessaging(OpenMessagingAccount),
}

/// A Genesys Engage site: two values suffice, the Digital Channel URL and the chat service's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EngageAccount {
    /// Digital Channel URL: scheme, host and port of GMS, for example `https://gms.example.org:8080`.
    pub url: String,
    /// Name of the chat service in GMS, for example `customer-support`.
    pub service: String,
    /// Path before the service's name. A proxy in front of GMS may use another one.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// API key, where a gateway in front of GMS asks for one (header `apikey`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretRef>,
    /// Whether the site's configuration requires `emailAddress`: then a transfer without one is
    /// refused before any network call.
    #[serde(default)]
    pub require_email: bool,
    /// The user-data key under which the routing strategy reads the queue's name.
    #[serde(default = "default_queue_attribute")]
    pub queue_attribute: String,
    /// Milliseconds between two polls; Genesys advises 3 to 5 seconds.
    #[serde(default = "default_poll_interval")]
    pub poll_interval_ms: Millis,
    /// Whether anything is handed over to it. A transfer to an account that is switched off is refused.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub enabled: bool,
    /// Whether sessions are told what happens there. Of an account whose events are switched off they learn
    /// that a handoff is over, and nothing else.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub events: bool,
}

/// A Genesys Cloud organisation reached through an Open Messaging integration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OpenMessagingAccount {
    /// The organisation's region, for example `mypurecloud.de`. The address at which people log in there
    /// will do, `https://login.mypurecloud.de`.
    #[serde(deserialize_with = "region")]
    pub region: String,
    /// Id of an OAuth client with the client-credentials grant.
    pub client_id: String,
    /// Secret of that client.
    pub client_secret: SecretRef,
    /// The Open Messaging integration, by name or id.
    pub integration: String,
    /// The integration's Outbound Notification Webhook Signature Secret Token.
    pub webhook_secret: SecretRef,
    /// Competencies that have an integration of their own, by name or id: a transfer with that competency
    /// opens there, so that Message Routing can lead it to the competency's flow and queue. All others open
    /// on `integration`. They post to the same webhook and sign with the same secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub competencies: BTreeMap<String, String>,
    /// What `handoff provision` sets up at Genesys: `integration` and those of the competencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provision: Option<Provision>,
    /// The bearer token by which an Architect workflow may report events of conversations, where
    /// process-automation triggers do that. Without it none are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_token: Option<SecretRef>,
    /// The participant attribute in which the Architect flow reads the queue's name, for its
    /// `FindQueue` expression. It is set when the flow names a queue.
    #[serde(default = "default_queue_attribute")]
    pub queue_attribute: String,
    /// Other hosts than the region's own, for proxies and simulators.
    #[serde(default)]
    pub hosts: HostOverrides,
    /// Whether anything is handed over to it. A transfer to an account that is switched off is refused.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub enabled: bool,
    /// Whether sessions are told what happens there. Of an account whose events are switched off they learn
    /// that a handoff is over, and nothing else.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub events: bool,
}

/// How the integrations of an account are to be at Genesys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provision {
    /// Where Genesys is to post what agents write, for example
    /// `https://bots.example.org/v1/genesys/care/webhook`: where this host is reached, and the account's
    /// name. Genesys takes https on its usual port only.
    pub webhook: String,
    /// The inbound message flow that is to answer, by its exact name. Left out, people choose it under
    /// Admin, Routing, Message Routing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<String>,
    /// Flows of competencies that another one answers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flows: BTreeMap<String, String>,
}

impl OpenMessagingAccount {
    /// The account's own integration, and those of its competencies, each once.
    pub fn integrations(&self) -> impl Iterator<Item = &str> {
        let own = std::iter::once(self.integration.as_str());
        let mut all: Vec<&str> = Vec::new();
        for name in own.chain(self.competencies.values().map(String::as_str)) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all.into_iter()
    }
}

/// A Genesys Cloud organisation reached through a WebChat deployment (Admin, Contact Center,
/// Widgets, type *Third Party*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebChatAccount {
    /// The organisation's region, for example `mypurecloud.de`. The address at which people log in there
    /// will do, `https://login.mypurecloud.de`.
    #[serde(deserialize_with = "region")]
    pub region: String,
    /// The organisation's id.
    pub organization_id: String,
    /// The deployment's id, also called its key.
    pub deployment_id: String,
    /// The queue for transfers that name none. WebChat cannot start without a queue's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// An OAuth client, if the Platform API may be asked too: whether the queue can be seen, and how
    /// long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<OAuthClient>,
    /// Other hosts than the region's own, for proxies and simulators.
    #[serde(default)]
    pub hosts: HostOverrides,
    /// Whether anything is handed over to it. A transfer to an account that is switched off is refused.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub enabled: bool,
    /// Whether sessions are told what happens there. Of an account whose events are switched off they learn
    /// that a handoff is over, and nothing else.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub events: bool,
}

/// A Genesys Cloud organisation reached through a Web Messaging deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WebMessagingAccount {
    /// The organisation's region, for example `mypurecloud.de`. The address at which people log in there
    /// will do, `https://login.mypurecloud.de`.
    #[serde(deserialize_with = "region")]
    pub region: String,
    /// The Messenger deployment's id, also called its key.
    pub deployment_id: String,
    /// The web origin to come from, where the deployment restricts its domains, for example
    /// `https://www.example.org`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The participant attribute in which the Architect flow reads the queue's name, for its
    /// `FindQueue` expression. It is set when the flow names a queue.
    #[serde(default = "default_queue_attribute")]
    pub queue_attribute: String,
    /// What a session's second handoff is.
    #[serde(default)]
    pub second_handoff: SecondHandoff,
    /// Mixed into the guest tokens, which otherwise are as secret as the ids they derive from.
    /// Required for a history that outlives a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<SecretRef>,
    /// An OAuth client, if the Platform API may be asked too: agents are then seen while it rings and
    /// when they come and go, and a user who leaves is disconnected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_client: Option<OAuthClient>,
    /// Other hosts than the region's own, for proxies and simulators.
    #[serde(default)]
    pub hosts: HostOverrides,
    /// Whether anything is handed over to it. A transfer to an account that is switched off is refused.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub enabled: bool,
    /// Whether sessions are told what happens there. Of an account whose events are switched off they learn
    /// that a handoff is over, and nothing else.
    #[serde(default = "on", skip_serializing_if = "is_on")]
    pub events: bool,
}

/// What the second handoff of a session is on Web Messaging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SecondHandoff {
    /// A new messaging session: agents see only what is said from then on.
    #[default]
    StartNew,
    /// The same messaging session goes on: agents see the history. With a `token-secret`, and an
    /// `externalId` in the transfer's identity, it also is that of the user's earlier sessions.
    Resume,
}

/// An OAuth client with the client-credentials grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OAuthClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretRef,
}

/// The regions of Genesys Cloud.
pub const REGIONS: [&str; 17] = [
    "mypurecloud.com",
    "mypurecloud.ie",
    "mypurecloud.com.au",
    "mypurecloud.jp",
    "mypurecloud.de",
    "usw2.pure.cloud",
    "cac1.pure.cloud",
    "apne2.pure.cloud",
    "euw2.pure.cloud",
    "aps1.pure.cloud",
    "use2.us-gov-pure.cloud",
    "sae1.pure.cloud",
    "mec1.pure.cloud",
    "apne3.pure.cloud",
    "euc2.pure.cloud",
    "mxc1.pure.cloud",
    "apse1.pure.cloud",
];

/// Whether Genesys Cloud has this region.
#[must_use]
pub fn is_region(region: &str) -> bool {
    REGIONS.contains(&region)
}

/// The region, if Genesys Cloud has none of that name. Where hosts are overridden the region is nobody's
/// business.
#[must_use]
pub fn unknown_region<'r>(region: &'r str, hosts: &HostOverrides) -> Option<&'r str> {
    (*hosts == HostOverrides::default() && !is_region(region)).then_some(region)
}

/// The region of an address there, such as the one at which people log in, `https://login.mypurecloud.com`.
#[must_use]
pub fn region_of(address: &str) -> Option<&str> {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    let of_host = host.split_once('.').map(|(_, rest)| rest);
    [Some(host), of_host]
        .into_iter()
        .flatten()
        .find(|name| is_region(name))
}

/// Reads a region, also from an address there.
fn region<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    Ok(region_of(&text).unwrap_or(&text).to_owned())
}

/// Base URLs that differ from the region's own, each with its scheme and without a trailing slash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct HostOverrides {
    /// Platform API, `https://api.{region}`.
    pub api: Option<String>,
    /// OAuth, `https://login.{region}`.
    pub login: Option<String>,
    /// Notification sockets, `wss://streaming.{region}`. Only used to build addresses that Genesys
    /// does not return itself.
    pub streaming: Option<String>,
    /// Web Messaging sockets, `wss://webmessaging.{region}`.
    pub webmessaging: Option<String>,
    /// Deployment configuration, `https://api-cdn.{region}`.
    pub cdn: Option<String>,
    /// Attachments, `https://api-downloads.{region}`.
    pub downloads: Option<String>,
}

impl EngageAccount {
    /// A site with everything else as Genesys delivers it.
    #[must_use]
    pub fn new(url: String, service: String) -> Self {
        Self {
            url,
            service,
            prefix: default_prefix(),
            api_key: None,
            require_email: false,
            queue_attribute: default_queue_attribute(),
            poll_interval_ms: default_poll_interval(),
            enabled: true,
            events: true,
        }
    }
}

impl HostOverrides {
    /// Every host replaced by one, as a simulator serves them all.
    #[must_use]
    pub fn all(base_url: &str) -> Self {
        let http = Some(base_url.to_owned());
        let ws = Some(base_url.replacen("http", "ws", 1));
        Self {
            api: http.clone(),
            login: http.clone(),
            streaming: ws.clone(),
            webmessaging: ws,
            cdn: http.clone(),
            downloads: http,
        }
    }
}

impl Account {
    /// The transport of the account.
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        match self {
            Self::EngageChatV2(_) => TransportKind::EngageChatV2,
            Self::CloudWebchat(_) => TransportKind::CloudWebchat,
            Self::CloudWebMessaging(_) => TransportKind::CloudWebMessaging,
            Self::CloudOpenMessaging(_) => TransportKind::CloudOpenMessaging,
        }
    }

    /// Whether anything is handed over to it.
    #[must_use]
    pub fn enabled(&self) -> bool {
        match self {
            Self::EngageChatV2(account) => account.enabled,
            Self::CloudWebchat(account) => account.enabled,
            Self::CloudWebMessaging(account) => account.enabled,
            Self::CloudOpenMessaging(account) => account.enabled,
        }
    }

    /// Whether sessions are told what happens there.
    #[must_use]
    pub fn events(&self) -> bool {
        match self {
            Self::EngageChatV2(account) => account.events,
            Self::CloudWebchat(account) => account.events,
            Self::CloudWebMessaging(account) => account.events,
            Self::CloudOpenMessaging(account) => account.events,
        }
    }

    /// The attribute in which routing reads the queue's name, where the transport has one.
    #[must_use]
    pub fn queue_attribute(&self) -> Option<&str> {
        match self {
            Self::EngageChatV2(account) => Some(&account.queue_attribute),
            Self::CloudWebchat(_) => None,
            Self::CloudWebMessaging(account) => Some(&account.queue_attribute),
            Self::CloudOpenMessaging(account) => Some(&account.queue_attribute),
        }
    }

    /// The account's region, if Genesys Cloud has none of that name.
    pub(crate) fn unknown_region(&self) -> Option<&str> {
        let (region, hosts) = match self {
            Self::EngageChatV2(_) => return None,
            Self::CloudWebchat(account) => (&account.region, &account.hosts),
            Self::CloudWebMessaging(account) => (&account.region, &account.hosts),
            Self::CloudOpenMessaging(account) => (&account.region, &account.hosts),
        };
        unknown_region(region, hosts)
    }

    /// Identity fields that a transfer over this account must have.
    #[must_use]
    pub fn required_identity(&self) -> Vec<IdentityField> {
        let mut fields = self.transport().required_identity().to_vec();
        if let Self::EngageChatV2(EngageAccount {
            require_email: true,
            ..
        }) = self
        {
            fields.push(IdentityField::EmailAddress);
        }
        fields
    }

    /// Points every host of the account at one base URL, such as a simulator's.
    pub fn redirect_to(&mut self, base_url: &str) {
        match self {
            Self::EngageChatV2(account) => base_url.clone_into(&mut account.url),
            Self::CloudWebchat(account) => account.hosts = HostOverrides::all(base_url),
            Self::CloudWebMessaging(account) => account.hosts = HostOverrides::all(base_url),
            Self::CloudOpenMessaging(account) => account.hosts = HostOverrides::all(base_url),
        }
    }
}

fn on() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_on(switch: &bool) -> bool {
    *switch
}

fn default_prefix() -> String {
    "/genesys/2/chat".to_owned()
}

fn default_queue_attribute() -> String {
    "QueueName".to_owned()
}

fn default_poll_interval() -> Millis {
    Millis::from_secs(3)
}
