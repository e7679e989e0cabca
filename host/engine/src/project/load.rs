//! From files to a project.

use super::check::{check_flow, check_manifest};
use super::check_accounts::check_accounts;
use super::check_commands::{check_aliases, check_commands, check_translation};
use super::check_connector::{Around, check_caller, check_connector};
use super::check_egress::check_egress;
use super::check_queue_key::check_queue_key;
use super::check_worker::{check_worker, worker_bot};
use super::connector::{ConnectorFile, EXECUTE_API, FOLDER};
use super::environment::{self, environment_of};
use super::names::Names;
use super::secret_places::NamedPlaces;
use super::{Bot, Flow, FlowFile, MANIFEST, Manifest, Project, ProjectFiles, WorkerFile};
use crate::account::Account;
use crate::diagnostic::{Diagnostic, Place, Severity, did_you_mean, name_list};
use crate::egress::Allowed;
use crate::name::{AccountName, BotName, EnvironmentName, FlowId, NodeType};
use crate::node::Node;
use crate::schema;
use crate::source::Document;
use crate::template::Templates;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Project {
    /// Loads a project for an environment; none is its first. `operator` is where requests may go at all. On failure the list holds every mistake that was found, warnings included.
    pub async fn load(
        files: &ProjectFiles,
        library: &BTreeMap<NodeType, Arc<Node>>,
        operator: &Allowed,
        environment: Option<&EnvironmentName>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let mut templates = Templates::default();
        let documents = parse_all(files, &mut found);

        let chosen = documents
            .get(MANIFEST)
            .map(|manifest| environment::choose(manifest, &documents, environment, &mut found));
        let manifest_document = chosen.as_ref().map(|chosen| &chosen.manifest);
        if !files.0.contains_key(MANIFEST) {
            found.push(
                Diagnostic::error(
                    "project.no_manifest",
                    Place::file(MANIFEST),
                    "a project needs a file 'project.toml'",
                )
                .help("name the directory that holds it, or create it with 'name', 'start' and '[bots]'"),
            );
        }
        let manifest: Option<Manifest> =
            manifest_document.and_then(|document| typed(document, "project.bad", &mut found));

        let mut flows: BTreeMap<FlowId, Flow> = BTreeMap::new();
        let mut unread = UnreadFlows::default();
        for file in files.0.keys().filter(|file| is_flow(file)) {
            let Some(document) = documents.get(file) else {
                unread.unnamed = true;
                continue;
            };
            let Some(parsed) = typed::<FlowFile>(document, "flow.bad", &mut found) else {
                unread.add(document);
                continue;
            };
            let flow = check_flow(&parsed, document, library, &mut templates, &mut found).await;
            if let Some(other) = flows.get(&flow.id) {
                found.push(Diagnostic::error(
                    "flow.duplicate_id",
                    document.place("/id"),
                    format!(
                        "the flow id '{}' is taken by {}; ids are unique in a project",
                        flow.id,
                        other.document.file()
                    ),
                ));
            }
            flows.insert(flow.id.clone(), flow);
        }

        let (Some(mut manifest), Some(chosen)) = (manifest, &chosen) else {
            return Err(sorted(found));
        };
        let document = &chosen.manifest;
        check_accounts(&manifest, document, &mut found);
        chosen.map_accounts(&mut manifest, &mut found);
        let mut accounts = manifest.accounts.clone();
        let bots = load_bots(
            &manifest,
            document,
            &documents,
            &Flows {
                read: &flows,
                unread: &unread,
            },
            &mut accounts,
            &mut found,
        );
        check_manifest(&manifest, document, &bots, &mut found);
        let egress: Allowed = manifest.egress.allow.iter().cloned().collect();
        let around = Around {
            manifest: &manifest,
            allowed: &egress,
        };
        let mut named_places = NamedPlaces::default();
        let connectors = load_connectors(&documents, &around, &mut named_places, &mut found);
        named_places.add_flows(&flows, &manifest, &mut found);
        named_places.check(&manifest, document, &mut found);
        check_caller(&connectors, library, Place::file(FOLDER), &mut found);
        check_egress(&manifest, document, operator, &flows, &mut found);
        check_commands(&manifest, document, &connectors, &mut found);
        check_translation(&manifest, document, &connectors, &mut found);
        for (name, bot) in &bots {
            let file = manifest.bots[name].worker.as_ref();
            if let (Bot::Worker(worker), Some(document)) =
                (bot, file.and_then(|file| documents.get(file)))
                && worker.enabled
            {
                let commands = &worker.slash_commands;
                check_aliases(
                    commands,
                    document,
                    "/Data/SlashCommands",
                    &connectors,
                    &mut found,
                );
            }
        }
        let names = Names::new(&manifest, &accounts);
        for flow in flows.values() {
            names.check(flow, &mut found);
            check_queue_key(flow, &accounts, &mut found);
        }

        if found
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
        {
            return Err(sorted(found));
        }
        let mut used: BTreeSet<NodeType> = flows
            .values()
            .flat_map(|flow| flow.nodes.values())
            .map(|placed| placed.node.descriptor().node_type.clone())
            .collect();
        if !connectors.is_empty() {
            used.insert(NodeType::new(EXECUTE_API));
        }
        let meant = |name: &AccountName| manifest.meant(name).clone();
        let default_account = manifest.default_account.as_ref().map(meant);
        let channels: BTreeMap<String, AccountName> = manifest
            .channels
            .iter()
            .map(|(channel, name)| (channel.clone(), meant(name)))
            .collect();
        let grants = named_places.grants(&manifest);
        let nodes: BTreeMap<NodeType, Arc<Node>> = library
            .iter()
            .filter(|(name, _)| used.contains(*name))
            .map(|(name, node)| (name.clone(), Arc::clone(node)))
            .collect();
        Ok(Self {
            digest: digest(files, &nodes, chosen.name.as_ref()),
            environment: chosen.name.clone(),
            name: manifest.name,
            start: manifest.start,
            inactivity: manifest.inactivity.0,
            default_account,
            override_account: None,
            channels,
            account_names: accounts
                .keys()
                .chain(manifest.mapped.keys())
                .cloned()
                .collect(),
            mapped: Arc::new(manifest.mapped),
            accounts,
            bots,
            flows,
            nodes,
            secrets: grants
                .0
                .iter()
                .map(|(name, grant)| (name.clone(), grant.from.clone()))
                .collect(),
            grants: Arc::new(grants),
            egress: Arc::new(egress),
            connectors: Arc::new(connectors),
            slash_commands: manifest.slash_commands,
            translation: manifest.translation,
            templates,
            warnings: sorted(found),
        })
    }
}

fn is_flow(file: &str) -> bool {
    file.starts_with("flows/") && file.ends_with(".json")
}

/// By file, and in each from top to bottom.
fn sorted(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by(|a, b| {
        let key = |it: &Diagnostic| (it.place.file.clone(), it.place.span.start);
        key(a).cmp(&key(b))
    });
    found
}

/// Flow files with mistakes. Whoever refers to such a flow is not wrong too.
#[derive(Default)]
struct UnreadFlows {
    /// Ids that could be read all the same.
    ids: BTreeSet<String>,
    /// Whether there are some whose id could not.
    unnamed: bool,
}

impl UnreadFlows {
    fn add(&mut self, document: &Document) {
        match document.value()["id"].as_str() {
            Some(id) => {
                self.ids.insert(id.to_owned());
            }
            None => self.unnamed = true,
        }
    }
}

/// The flows of a project, those that could be read and those that could not.
struct Flows<'a> {
    read: &'a BTreeMap<FlowId, Flow>,
    unread: &'a UnreadFlows,
}

impl Flows<'_> {
    fn may_have(&self, id: &FlowId) -> bool {
        self.read.contains_key(id) || self.unread.unnamed || self.unread.ids.contains(id.as_str())
    }

    fn unknown(&self, id: &FlowId, place: Place) -> Diagnostic {
        let ids = || self.read.keys().map(FlowId::as_str);
        let message = format!("there is no flow with the id '{id}'");
        let help = did_you_mean(id.as_str(), ids()).unwrap_or_else(|| match ids().next() {
            Some(_) => format!("the flows are {}", name_list(ids())),
            None => "the project has no flow yet; flows are JSON files in 'flows/'".to_owned(),
        });
        Diagnostic::error("project.unknown_flow", place, message).help(help)
    }
}

fn parse_all(files: &ProjectFiles, found: &mut Vec<Diagnostic>) -> BTreeMap<String, Document> {
    let mut documents = BTreeMap::new();
    for (file, text) in &files.0 {
        let ours = file == MANIFEST || file.ends_with(".json") || environment_of(file).is_some();
        if !ours || file.starts_with("scenarios/") {
            continue;
        }
        match Document::parse(file, text) {
            Ok(document) => {
                documents.insert(file.clone(), document);
            }
            Err(diagnostic) => found.push(diagnostic),
        }
    }
    documents
}

/// Reads a document as a type, by the schema of the type first, so that all mistakes come at once.
pub(super) fn typed<T: DeserializeOwned + schemars::JsonSchema>(
    document: &Document,
    code: &'static str,
    found: &mut Vec<Diagnostic>,
) -> Option<T> {
    let (schema, validator) = schema::of::<T>();
    let value = document.value();
    let breaches = schema::breaches(&validator, &schema, &value, &|_| false);
    if !breaches.is_empty() {
        found.extend(
            breaches
                .iter()
                .map(|breach| breach.diagnostic(code, document, "")),
        );
        return None;
    }
    match serde_path_to_error::deserialize(value) {
        Ok(typed) => Some(typed),
        Err(error) => {
            let pointer = error
                .path()
                .iter()
                .map(|segment| match segment {
                    Segment::Seq { index } => format!("/{index}"),
                    other => format!("/{other}"),
                })
                .collect::<String>();
            found.push(Diagnostic::error(
                code,
                document.place(&pointer),
                error.inner().to_string(),
            ));
            None
        }
    }
}

fn load_bots(
    manifest: &Manifest,
    document: &Document,
    documents: &BTreeMap<String, Document>,
    flows: &Flows<'_>,
    accounts: &mut BTreeMap<AccountName, Account>,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<BotName, Bot> {
    let mut bots = BTreeMap::new();
    for (name, entry) in &manifest.bots {
        let at = crate::source::pointer("/bots", name.as_str());
        let bot = match (&entry.flow, &entry.worker) {
            (Some(flow), None) => {
                if !flows.may_have(flow) {
                    let place = document.place(&format!("{at}/flow"));
                    found.push(flows.unknown(flow, place));
                }
                Some(Bot::Flow(flow.clone()))
            }
            (None, Some(file)) => match documents.get(file.as_str()) {
                Some(worker_document) => typed::<WorkerFile>(worker_document, "worker.bad", found)
                    .map(|worker| {
                        check_worker(&worker, worker_document, found);
                        let account = entry.account.as_ref().map(|name| manifest.meant(name));
                        Bot::Worker(worker_bot(name, account, worker, accounts))
                    }),
                None => {
                    found.extend(no_worker_file(file, document, documents, &at, found));
                    None
                }
            },
            (flow, _) => {
                let place = document.place_of(&at, crate::source::Part::Key);
                let (wrong, help) = match flow {
                    Some(_) => ("has both 'flow' and 'worker'", "keep one of them"),
                    None => (
                        "has neither 'flow' nor 'worker'",
                        "write for example 'flow = \"main\"'",
                    ),
                };
                let message = format!("the bot '{name}' {wrong}");
                found.push(Diagnostic::error("project.bad_bot", place, message).help(help));
                None
            }
        };
        if let Some(bot) = bot {
            bots.insert(name.clone(), bot);
        }
    }
    bots
}

/// Nothing if the file is there and does not parse, which is told already.
fn no_worker_file(
    file: &str,
    document: &Document,
    documents: &BTreeMap<String, Document>,
    at: &str,
    found: &[Diagnostic],
) -> Option<Diagnostic> {
    if found.iter().any(|it| it.place.file == file) {
        return None;
    }
    let others = documents
        .keys()
        .map(String::as_str)
        .filter(|other| *other != MANIFEST && !is_flow(other));
    let help = did_you_mean(file, others)
        .unwrap_or_else(|| "write its path relative to project.toml, with '/'".to_owned());
    let place = document.place(&format!("{at}/worker"));
    let message = format!("the worker file '{file}' is not in the project");
    Some(Diagnostic::error("project.no_worker_file", place, message).help(help))
}

/// The project's API connectors as nodes get them, by alias.
fn load_connectors(
    documents: &BTreeMap<String, Document>,
    around: &Around<'_>,
    named_places: &mut NamedPlaces,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Value> {
    let mut connectors = BTreeMap::new();
    let mut files: BTreeMap<String, &str> = BTreeMap::new();
    for (file, document) in documents
        .iter()
        .filter(|(file, _)| file.starts_with(FOLDER))
    {
        let Some(connector) = typed::<ConnectorFile>(document, "connector.bad", found) else {
            continue;
        };
        check_connector(&connector, document, around, found);
        named_places.add_connector(&connector);
        if let Some(other) = files.insert(connector.alias.clone(), file) {
            found.push(Diagnostic::error(
                "connector.duplicate_alias",
                document.place("/Alias"),
                format!(
                    "the Alias '{}' is taken by {other}; give each connector its own",
                    connector.alias
                ),
            ));
        }
        let mut value = document.value();
        if let (Some(aws), Value::Object(members)) = (&around.manifest.aws, &mut value) {
            members
                .entry("Region")
                .or_insert_with(|| Value::from(aws.region.clone()));
        }
        connectors.insert(connector.alias, value);
    }
    connectors
}

fn digest(
    files: &ProjectFiles,
    nodes: &BTreeMap<NodeType, Arc<Node>>,
    environment: Option<&EnvironmentName>,
) -> String {
    let mut hash = Sha256::new();
    if let Some(environment) = environment {
        hash.update(format!("environment {environment}\n"));
    }
    let served = files
        .0
        .iter()
        .filter(|(file, _)| !file.starts_with("scenarios/"));
    for (file, text) in served {
        hash.update((file.len() as u64).to_le_bytes());
        hash.update(file);
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    for node in nodes.values() {
        hash.update(node.digest());
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
