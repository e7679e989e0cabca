//! A project: a directory of bots, flows, accounts and channels, loaded and checked as a whole.
//!
//! Loading reports every mistake at once and yields a [`Project`] only if there is none. The engine
//! reads no disk: the caller supplies the files.

mod check;
mod check_accounts;
mod check_commands;
mod check_connector;
mod check_egress;
mod check_queue_key;
mod check_worker;
mod connector;
mod environment;
mod flow;
mod load;
mod manifest;
mod names;
mod queues;
mod secret_places;
mod worker;

pub use connector::{
    ConnectorFile, ConnectorType, EXECUTE_API, NamedSecret, RequestMapping, ResponseMapping,
};
pub use flow::{FlowFile, FlowFormat, FlowNode, Position};
pub use manifest::{
    AwsEntry, BotEntry, EgressEntry, LimitsEntry, MANIFEST, Manifest, SecretEntry, Span, SpanError,
    TranslationEntry,
};
pub use queues::NamedQueue;
pub use worker::{
    AutoDisconnectEvent, AutoDisconnectType, JoinEvent, QueueUpdateConfig, QuickResponse,
    QuickResponseType, SlashAction, SlashCommand, WorkerData, WorkerFile, WorkerType,
};

use crate::account::{Account, SecretRef};
use crate::diagnostic::{Diagnostic, Place};
use crate::egress::{Allowed, Grants};
use crate::handoff::TransferOptions;
use crate::name::{AccountName, BotName, EnvironmentName, FlowId, NodeId, NodeType, Port};
use crate::node::Node;
use crate::source::Document;
use crate::template::{PreparedConfig, Templates};
use crate::time::Millis;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The JSON Schemas of a project's files, by what the files are called.
#[must_use]
pub fn schemas() -> [(&'static str, serde_json::Value); 4] {
    [
        ("project", schemars::schema_for!(Manifest).to_value()),
        ("flow", schemars::schema_for!(FlowFile).to_value()),
        ("worker", schemars::schema_for!(WorkerFile).to_value()),
        ("connector", schemars::schema_for!(ConnectorFile).to_value()),
    ]
}

/// The text files of a project, by path relative to it, with `/` between the parts.
#[derive(Clone, Debug, Default)]
pub struct ProjectFiles(pub BTreeMap<String, String>);

/// A project that passed every check.
#[derive(Debug)]
pub struct Project {
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) environment: Option<EnvironmentName>,
    pub(crate) start: BotName,
    pub(crate) inactivity: Millis,
    pub(crate) default_account: Option<AccountName>,
    pub(crate) override_account: Option<AccountName>,
    pub(crate) channels: BTreeMap<String, AccountName>,
    pub(crate) accounts: BTreeMap<AccountName, Account>,
    pub(crate) account_names: Arc<[AccountName]>,
    /// Accounts that others have taken the place of.
    pub(crate) mapped: Arc<BTreeMap<AccountName, AccountName>>,
    pub(crate) bots: BTreeMap<BotName, Bot>,
    pub(crate) flows: BTreeMap<FlowId, Flow>,
    pub(crate) nodes: BTreeMap<NodeType, Arc<Node>>,
    pub(crate) secrets: BTreeMap<String, SecretRef>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) egress: Arc<Allowed>,
    pub(crate) connectors: Arc<BTreeMap<String, serde_json::Value>>,
    pub(crate) slash_commands: BTreeMap<String, SlashCommand>,
    pub(crate) translation: Option<TranslationEntry>,
    pub(crate) templates: Templates,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Something that can own a session.
#[derive(Clone, Debug)]
pub enum Bot {
    /// Runs a flow.
    Flow(FlowId),
    /// Opens its own handoff.
    Worker(WorkerBot),
}

/// A ServisBOT worker.
#[derive(Clone, Debug)]
pub struct WorkerBot {
    /// Where it hands over to.
    pub account: AccountName,
    /// A disabled worker takes no sessions.
    pub enabled: bool,
    /// Commands that agents type.
    pub slash_commands: BTreeMap<String, SlashCommand>,
    /// Texts that agents send by their number.
    pub quick_responses: Vec<QuickResponse>,
    /// What its handoffs are opened with.
    pub options: Box<TransferOptions>,
}

/// A checked flow.
#[derive(Debug)]
pub struct Flow {
    pub(crate) id: FlowId,
    pub(crate) start: NodeId,
    pub(crate) nodes: IndexMap<NodeId, PlacedNode>,
    pub(crate) document: Document,
}

/// A node of a checked flow.
#[derive(Debug)]
pub struct PlacedNode {
    pub(crate) node: Arc<Node>,
    pub(crate) config: PreparedConfig,
    pub(crate) to: IndexMap<Port, NodeId>,
}

impl Flow {
    /// The flow as its file has it.
    #[must_use]
    pub fn source(&self) -> serde_json::Value {
        self.document.value()
    }
}

impl Project {
    /// What the project is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The environment it was loaded for, if it has any.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentName> {
        self.environment.as_ref()
    }

    /// SHA-256 over all files and node components, and the environment, in hexadecimal. Sessions are pinned to it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The bot that new sessions talk to.
    #[must_use]
    pub fn start(&self) -> &BotName {
        &self.start
    }

    /// All accounts, those of worker bots included.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountName, &Account)> {
        self.accounts.iter()
    }

    /// An account by name.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// All bots.
    pub fn bots(&self) -> impl Iterator<Item = (&BotName, &Bot)> {
        self.bots.iter()
    }

    /// All flows.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowId, &Flow)> {
        self.flows.iter()
    }

    /// All node types in use.
    pub fn nodes(&self) -> impl Iterator<Item = (&NodeType, &Arc<Node>)> {
        self.nodes.iter()
    }

    /// The project's secrets, by name.
    #[must_use]
    pub fn secrets(&self) -> &BTreeMap<String, SecretRef> {
        &self.secrets
    }

    /// The secrets that requests of nodes may carry, by name.
    pub fn secrets_for_nodes(&self) -> impl Iterator<Item = (&str, &SecretRef)> {
        let granted = self
            .grants
            .0
            .iter()
            .filter(|(_, grant)| !grant.to.is_empty());
        granted.map(|(name, grant)| (name.as_str(), &grant.from))
    }

    /// Whether a secret only signs requests to AWS.
    #[must_use]
    pub fn signs(&self, secret: &str) -> bool {
        let grant = self.grants.0.get(secret);
        grant.is_some_and(|grant| grant.places.contains(&crate::egress::Place::AwsSignature))
    }

    /// Adds what whoever read the project's files has to say about them.
    pub fn add_warnings(&mut self, more: &[Diagnostic]) {
        self.warnings.extend_from_slice(more);
    }

    /// What is doubtful, though it loads.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Changes accounts before any session starts, for example to point them at a simulator.
    pub fn edit_accounts(&mut self, mut edit: impl FnMut(&AccountName, &mut Account)) {
        for (name, account) in &mut self.accounts {
            edit(name, account);
        }
    }

    /// Sends every transfer to one account, whatever flows and workers say.
    pub fn override_account(&mut self, account: AccountName) {
        self.override_account = Some(account);
    }

    /// The account of transfers that name none.
    #[must_use]
    pub fn default_account(&self) -> Option<&AccountName> {
        self.default_account.as_ref()
    }

    /// The account that all transfers go to, where that was said.
    #[must_use]
    pub fn overridden_by(&self) -> Option<&AccountName> {
        self.override_account.as_ref()
    }

    /// The account of a transfer: the override, the one asked for, the channel's, the default one,
    /// or the only one there is.
    pub(crate) fn choose_account(
        &self,
        asked: Option<&str>,
        channel: Option<&str>,
    ) -> Option<AccountName> {
        if let Some(account) = &self.override_account {
            return Some(account.clone());
        }
        if let Some(name) = asked {
            let meant = self.mapped.get(name).cloned();
            return Some(meant.unwrap_or_else(|| AccountName::new(name)));
        }
        channel
            .and_then(|channel| self.channels.get(channel))
            .or(self.default_account.as_ref())
            .or_else(|| {
                let mut names = self.accounts.keys();
                let only = names.next()?;
                names.next().is_none().then_some(only)
            })
            .cloned()
    }

    pub(crate) fn place_of(&self, flow: &FlowId, pointer: &str) -> Place {
        self.flows
            .get(flow)
            .map_or_else(Place::default, |flow| flow.document.place(pointer))
    }
}
