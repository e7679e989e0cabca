//! What must hold between the parts of a project.

use super::{Bot, Flow, FlowFile, FlowNode, Manifest, PlacedNode};
use crate::account::{Account, OpenMessagingAccount, REGIONS};
use crate::diagnostic::{Diagnostic, Place, did_you_mean, name_list};
use crate::name::{AccountName, BotName, NodeId, NodeType};
use crate::node::Node;
use crate::schema::breaches;
use crate::source::{Document, Part, pointer};
use crate::template::{Templates, is_template};
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Checks a flow and puts together what can be run of it.
pub(super) async fn check_flow(
    file: &FlowFile,
    document: &Document,
    library: &BTreeMap<NodeType, Arc<Node>>,
    templates: &mut Templates,
    found: &mut Vec<Diagnostic>,
) -> Flow {
    check_target(
        file,
        &file.start,
        document,
        "/start",
        "the start node",
        found,
    );
    let mut nodes = IndexMap::new();
    for (id, placed) in &file.nodes {
        let at = pointer("/nodes", id.as_str());
        for (port, target) in &placed.to {
            let to = pointer(&format!("{at}/to"), port.as_str());
            let what = format!("the target of port '{port}'");
            check_target(file, target, document, &to, &what, found);
        }
        let Some(node) = library.get(&placed.node_type) else {
            found.push(unknown_type(&placed.node_type, library, document, &at));
            continue;
        };
        check_ports(placed, node, document, &at, found);
        check_config(placed, node, templates, document, &at, found).await;
        nodes.insert(
            id.clone(),
            PlacedNode {
                node: Arc::clone(node),
                config: templates.prepare(
                    Value::Object(placed.config.clone()),
                    &node.descriptor().config,
                ),
                to: placed.to.clone(),
            },
        );
    }
    // A port or start that leads nowhere may have been meant for the very node nothing leads to.
    let all_lead_somewhere = std::iter::once(&file.start)
        .chain(file.nodes.values().flat_map(|node| node.to.values()))
        .all(|target| file.nodes.contains_key(target));
    let unreachable = if all_lead_somewhere {
        unreachable_nodes(file)
    } else {
        Vec::new()
    };
    for id in unreachable {
        found.push(
            Diagnostic::warning(
                "flow.unreachable",
                document.place_of(&pointer("/nodes", id.as_str()), Part::Key),
                format!("no path from the start leads to the node '{id}'"),
            )
            .help("wire a port to it, or remove it"),
        );
    }
    Flow {
        id: file.id.clone(),
        start: file.start.clone(),
        nodes,
        document: document.clone(),
    }
}

fn check_target(
    file: &FlowFile,
    target: &NodeId,
    document: &Document,
    at: &str,
    what: &str,
    found: &mut Vec<Diagnostic>,
) {
    if file.nodes.contains_key(target) {
        return;
    }
    let ids = || file.nodes.keys().map(NodeId::as_str);
    let mut diagnostic = Diagnostic::error(
        "flow.missing_target",
        document.place(at),
        format!("{what} is '{target}', and this flow has no such node"),
    );
    diagnostic.help = did_you_mean(target.as_str(), ids())
        .or_else(|| Some(format!("the nodes are {}", name_list(ids()))));
    found.push(diagnostic);
}

fn unknown_type(
    wrong: &NodeType,
    library: &BTreeMap<NodeType, Arc<Node>>,
    document: &Document,
    at: &str,
) -> Diagnostic {
    let known = || library.keys().map(NodeType::as_str);
    let mut diagnostic = Diagnostic::error(
        "flow.unknown_type",
        document.place(&format!("{at}/type")),
        format!("there is no node type '{wrong}'"),
    );
    diagnostic.help = did_you_mean(wrong.as_str(), known()).or_else(|| {
        Some(format!(
            "the node types are {}; put the component of another one into the project's 'nodes' directory",
            name_list(known())
        ))
    });
    diagnostic
}

fn check_ports(
    placed: &FlowNode,
    node: &Node,
    document: &Document,
    at: &str,
    found: &mut Vec<Diagnostic>,
) {
    let ports = || {
        node.descriptor()
            .ports
            .iter()
            .map(|port| port.name.as_str())
    };
    for port in placed.to.keys() {
        if ports().any(|known| known == port.as_str()) {
            continue;
        }
        let place = document.place_of(&pointer(&format!("{at}/to"), port.as_str()), Part::Key);
        let mut diagnostic = Diagnostic::error(
            "flow.unknown_port",
            place,
            format!("'{}' has no port '{port}'", placed.node_type),
        );
        diagnostic.help = did_you_mean(port.as_str(), ports())
            .or_else(|| Some(format!("its ports are {}", name_list(ports()))));
        found.push(diagnostic);
    }
}

async fn check_config(
    placed: &FlowNode,
    node: &Node,
    templates: &Templates,
    document: &Document,
    at: &str,
    found: &mut Vec<Diagnostic>,
) {
    let config = Value::Object(placed.config.clone());
    let base = format!("{at}/config");
    let schema = &node.descriptor().config;
    // What a template comes to is checked when it has come to it.
    let template = |value: &Value| value.as_str().is_some_and(is_template);
    let mut wrong = breaches(node.config_validator(), schema, &config, &template);
    for breach in &mut wrong {
        if breach.pointer.is_empty() && breach.message.starts_with("this") {
            breach.message = breach.message.replacen("this", "the config", 1);
        }
    }
    let schema_holds = wrong.is_empty();
    found.extend(
        wrong
            .iter()
            .map(|breach| breach.diagnostic("flow.bad_config", document, &base)),
    );
    for error in templates.check(&config, schema) {
        let place = document.place(&format!("{base}{}", error.pointer));
        let mut diagnostic = Diagnostic::error(error.code, place, error.message);
        diagnostic.help = error.help;
        found.push(diagnostic);
    }
    if !schema_holds {
        return;
    }
    match node.validate(&config).await {
        Ok(problems) => found.extend(problems.into_iter().map(|problem| {
            let place = document.place(&format!("{base}{}", problem.path));
            Diagnostic::error(
                "flow.bad_config",
                place,
                format!("{} ({})", problem.message, problem.code),
            )
        })),
        Err(failure) => found.push(Diagnostic::error(
            "node.validate_failed",
            document.place(&format!("{at}/type")),
            format!(
                "'{}' could not check its config: {failure}",
                placed.node_type
            ),
        )),
    }
}

fn unreachable_nodes(file: &FlowFile) -> Vec<NodeId> {
    let mut reached = BTreeSet::new();
    let mut next = vec![&file.start];
    while let Some(id) = next.pop() {
        if let Some(node) = file.nodes.get(id)
            && reached.insert(id)
        {
            next.extend(node.to.values());
        }
    }
    file.nodes
        .keys()
        .filter(|id| !reached.contains(id))
        .cloned()
        .collect()
}

/// Checks what the manifest refers to.
pub(super) fn check_manifest(
    manifest: &Manifest,
    document: &Document,
    bots: &BTreeMap<BotName, Bot>,
    found: &mut Vec<Diagnostic>,
) {
    match bots.get(&manifest.start) {
        Some(Bot::Flow(_)) => {}
        Some(Bot::Worker(_)) => found.push(
            Diagnostic::error(
                "bot.not_addressable",
                document.place("/start"),
                format!(
                    "'{}' is a worker bot, and users cannot talk to one",
                    manifest.start
                ),
            )
            .help("start with a flow bot whose flow pushes the worker with a pushBotSoStack node"),
        ),
        None if manifest.bots.contains_key(&manifest.start) => {}
        None => {
            let mut diagnostic = Diagnostic::error(
                "project.unknown_bot",
                document.place("/start"),
                format!("there is no bot '{}' under [bots]", manifest.start),
            );
            diagnostic.help = did_you_mean(
                manifest.start.as_str(),
                manifest.bots.keys().map(BotName::as_str),
            );
            found.push(diagnostic);
        }
    }
    let channels = manifest
        .channels
        .iter()
        .map(|(channel, account)| (pointer("/channels", channel), account));
    let of_bots = manifest.bots.iter().filter_map(|(name, entry)| {
        let account = entry.account.as_ref()?;
        Some((pointer("/bots", name.as_str()) + "/account", account))
    });
    let default = manifest
        .default_account
        .iter()
        .map(|account| ("/default-account".to_owned(), account));
    for (at, account) in channels.chain(of_bots).chain(default) {
        if manifest.accounts.contains_key(manifest.meant(account)) {
            continue;
        }
        let names = || manifest.accounts.keys().map(AccountName::as_str);
        let mut diagnostic = Diagnostic::error(
            "project.unknown_account",
            document.place(&at),
            format!("there is no account '{account}' under [accounts]"),
        );
        diagnostic.help = did_you_mean(account.as_str(), names())
            .or_else(|| Some(format!("the accounts are {}", name_list(names()))));
        found.push(diagnostic);
    }
    for (name, account) in &manifest.accounts {
        let at = pointer("/accounts", name.as_str());
        check_account(account, document, &at, found);
    }
    check_secrets(manifest, document, found);
}

fn check_account(account: &Account, document: &Document, at: &str, found: &mut Vec<Diagnostic>) {
    if let Some(region) = account.unknown_region() {
        let mut diagnostic = Diagnostic::error(
            "account.unknown_region",
            document.place(&format!("{at}/region")),
            format!("'{region}' is no region of Genesys Cloud"),
        );
        diagnostic.help = did_you_mean(region, REGIONS).or_else(|| {
            Some(
                "take the part after 'login.' of the address at which people log in, for example \
                 mypurecloud.de"
                    .to_owned(),
            )
        });
        found.push(diagnostic);
    }
    match account {
        Account::EngageChatV2(engage) => {
            let place = document.place(&format!("{at}/url"));
            found.extend(not_a_url("url", &engage.url, place));
        }
        Account::CloudWebchat(_) => found.push(
            Diagnostic::warning(
                "account.deprecated_transport",
                document.place(&format!("{at}/transport")),
                "Genesys has deprecated WebChat version 2 and is removing it",
            )
            .help("move to 'cloud-web-messaging', or to 'cloud-open-messaging'; the flows stay as they are"),
        ),
        Account::CloudWebMessaging(messaging) => {
            if let Some(origin) = &messaging.origin {
                let place = document.place(&format!("{at}/origin"));
                found.extend(not_a_url("origin", origin, place));
            }
        }
        Account::CloudOpenMessaging(account) => check_provision(account, document, at, found),
    }
}

fn check_provision(
    account: &OpenMessagingAccount,
    document: &Document,
    at: &str,
    found: &mut Vec<Diagnostic>,
) {
    let Some(provision) = &account.provision else {
        return;
    };
    let place = document.place(&format!("{at}/provision/webhook"));
    found.extend(not_a_url("webhook", &provision.webhook, place));
    for competency in provision.flows.keys() {
        if account.competencies.contains_key(competency) {
            continue;
        }
        let known = || account.competencies.keys().map(String::as_str);
        let place = document.place_of(
            &pointer(&format!("{at}/provision/flows"), competency),
            Part::Key,
        );
        let message = format!("the account has no integration for the competency '{competency}'");
        let mut diagnostic = Diagnostic::error("account.unknown_competency", place, message);
        diagnostic.help = did_you_mean(competency, known())
            .or_else(|| Some("add it to the account's 'competencies'".to_owned()));
        found.push(diagnostic);
    }
}

/// A mistake if a base URL is none. A blank one is told elsewhere, or a builder's first state.
pub(super) fn not_a_url(member: &str, text: &str, place: Place) -> Option<Diagnostic> {
    let web = ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme) && text.len() > scheme.len());
    if web || text.trim().is_empty() {
        return None;
    }
    let message = format!("'{member}' is \"{text}\", which is no web address");
    let help = "write scheme, host and port, for example 'https://gms.example.org:8080'";
    Some(Diagnostic::error("project.bad_url", place, message).help(help))
}

fn check_secrets(manifest: &Manifest, document: &Document, found: &mut Vec<Diagnostic>) {
    use crate::account::SecretRef;
    for (name, entry) in &manifest.secrets {
        if entry.from().is_none() {
            let place = document.place(&pointer("/secrets", name));
            let message =
                format!("the secret '{name}' needs one place to come from, and has another number");
            found.push(
                Diagnostic::error("project.bad_secret", place, message)
                    .help("write either env = \"VARIABLE\" or file = \"path\""),
            );
        }
    }
    for (at, secret) in manifest.secret_refs() {
        if let SecretRef::Named(name) = secret
            && !manifest.secrets.contains_key(name)
        {
            found.push(
                Diagnostic::error(
                    "project.unknown_secret",
                    document.place(&at),
                    format!("there is no secret '{name}' under [secrets]"),
                )
                .help(format!(
                    "add '\"{name}\" = {{ env = \"...\" }}' under [secrets]"
                )),
            );
        }
    }
}
