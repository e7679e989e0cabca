//! ServisBOT: Genesys live chat workers and BaaS connectors, as its command line writes them.
//!
//! The documents themselves are carried over as they are. What ServisBOT keeps elsewhere is put around
//! them: a flow that collects what a chat needs and pushes the worker, where requests of connectors may go,
//! and where the values of their secrets come from.

use crate::dialogue::Dialogue;
use crate::manifest::Manifest;
use crate::org::{Org, QUEUE};
use crate::readme::readme;
use crate::{ImportError, Imported, ImportedFile, Source, plain_name};
use handoff_engine::diagnostic::{Diagnostic, Place};
use handoff_engine::egress::Origin;
use handoff_engine::project::{ConnectorFile, RequestMapping};
use handoff_engine::source::{Document, pointer};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the documents do not say.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// What to call the project; by default, what ServisBOT calls the first worker.
    pub name: Option<String>,
    /// The AWS region of connectors that call AWS.
    pub aws_region: Option<String>,
}

const WORKER: &str = "genesys-livechat-v2-worker";
const CONNECTORS: [&str; 3] = ["api-connector", "private-api-connector", "aws-sdk"];

/// A document of a file.
struct Found<'s> {
    document: &'s Document,
    /// Where it stands in its file: empty if it is the file.
    at: String,
    /// Its name, as letters that a file can have.
    name: String,
    value: Value,
}

impl Found<'_> {
    fn place(&self, member: &str) -> Place {
        self.document.place(&format!("{}{member}", self.at))
    }

    /// The document as it is carried over: as it stands, if it has a file to itself.
    fn carried(&self, folder: &str) -> ImportedFile {
        let text = if self.at.is_empty() {
            self.document.text().to_owned()
        } else {
            serde_json::to_string_pretty(&self.value).unwrap_or_default() + "\n"
        };
        ImportedFile {
            path: format!("{folder}/{}.json", self.name),
            text,
        }
    }
}

/// Makes a project of ServisBOT's documents: one a file, or a list of them.
///
/// # Errors
/// Every mistake that keeps a document from being read, and if there is no worker among them.
pub fn import(sources: &[Source], choices: &Choices) -> Result<Imported, ImportError> {
    let documents = read(sources)?;
    let mut notes = Vec::new();
    let (workers, connectors) = sort(&documents, &mut notes)?;
    let Some(first) = workers.first() else {
        let file = sources.first().map(|it| it.file.clone());
        return Err(Diagnostic::error(
            "import.no_worker",
            Place::file(file.unwrap_or_default()),
            format!("there is no worker of type '{WORKER}' among the files"),
        )
        .help("name the worker's JSON file too, as ServisBOT's command line wrote it")
        .into());
    };

    let title = choices.name.clone();
    let title = title.unwrap_or_else(|| text(&first.value, "/Name").to_owned());
    let mut manifest = Manifest::new(&title, &flow_of(first));
    let mut org = Org::new(&[QUEUE]);
    let mut carried = Vec::new();
    let mut files = Vec::new();
    let mut services = BTreeSet::new();
    let asks = asked_for(&connectors);
    for worker in &workers {
        let file = worker.carried("workers");
        carried.push((
            format!("worker `{}`", text(&worker.value, "/Name")),
            format!("`{}`, bot `{}`", file.path, worker.name),
        ));
        let bot = flow_of(worker);
        manifest.entry(
            "bots",
            &bot,
            &format!("Collects what a chat needs, and pushes {}.", worker.name),
            &[("flow", bot.as_str().into())],
        );
        manifest.entry(
            "bots",
            &worker.name,
            text(&worker.value, "/Description"),
            &[("worker", file.path.as_str().into())],
        );
        files.push(file);
        let service = text(&worker.value, "/Data/GenesysServiceName");
        if !service.is_empty() && services.insert(service) {
            org.service(service);
        }
        files.extend(flow_and_scenario(worker, &asks));
    }
    let mut to_do = vec![
        "Build your bot's own nodes into the flow, in front of the questions: it is only what a handover \
         needs."
            .to_owned(),
    ];
    let around = around(&connectors, choices, &mut manifest)?;
    to_do.extend(around);
    for connector in &connectors {
        let file = connector.found.carried("connectors");
        carried.push((
            format!("BaaS connector `{}`", connector.file.alias),
            format!("`{}`, without a change", file.path),
        ));
        files.push(file);
    }
    files.push(org.file());
    files.insert(0, manifest.file());
    files.push(readme(&title, "ServisBOT", &carried, &to_do, &notes));
    Ok(Imported {
        files,
        to_do,
        notes,
    })
}

fn read(sources: &[Source]) -> Result<Vec<Document>, ImportError> {
    let mut documents = Vec::new();
    let mut mistakes = Vec::new();
    for source in sources {
        match Document::parse(&source.file, &source.text) {
            Ok(document) => documents.push(document),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(documents)
    } else {
        Err(ImportError(mistakes))
    }
}

/// A connector, and how the engine reads it.
struct Connector<'s> {
    found: Found<'s>,
    file: ConnectorFile,
}

/// Workers and connectors; of the rest, a note.
fn sort<'s>(
    documents: &'s [Document],
    notes: &mut Vec<Diagnostic>,
) -> Result<(Vec<Found<'s>>, Vec<Connector<'s>>), ImportError> {
    let mut workers: Vec<Found<'_>> = Vec::new();
    let mut connectors: Vec<Connector<'_>> = Vec::new();
    let mut mistakes = Vec::new();
    for document in documents {
        let whole = document.value();
        let each: Vec<(String, Value)> = match whole {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| (format!("/{index}"), item))
                .collect(),
            one => vec![(String::new(), one)],
        };
        for (at, value) in each {
            let kind = text(&value, "/Type").to_owned();
            let is_worker = kind == WORKER;
            if !is_worker && !CONNECTORS.contains(&kind.as_str()) {
                notes.push(unknown(document, &at, &kind));
                continue;
            }
            let named = if is_worker { "Name" } else { "Alias" };
            let name = plain_name(text(&value, &pointer("", named)));
            let found = Found {
                document,
                at,
                name,
                value,
            };
            if found.name.is_empty() {
                mistakes.push(
                    Diagnostic::error(
                        "import.no_name",
                        found.place(""),
                        format!("the document has no '{named}'"),
                    )
                    .help(format!("add \"{named}\": \"…\", by which others name it")),
                );
            } else if is_worker {
                if workers.iter().any(|it| it.name == found.name) {
                    mistakes.push(twice(&found, "/Name"));
                }
                workers.push(found);
            } else {
                if connectors.iter().any(|it| it.found.name == found.name) {
                    mistakes.push(twice(&found, "/Alias"));
                }
                match serde_json::from_value(found.value.clone()) {
                    Ok(file) => connectors.push(Connector { found, file }),
                    Err(error) => mistakes.push(
                        Diagnostic::error(
                            "import.bad_connector",
                            found.place(""),
                            format!("the connector '{}' cannot be read: {error}", found.name),
                        )
                        .help("'handoff schema connector' prints what a connector may hold"),
                    ),
                }
            }
        }
    }
    for worker in &workers {
        if workers.iter().any(|other| flow_of(other) == worker.name) {
            mistakes.push(
                Diagnostic::error(
                    "import.named_twice",
                    worker.place("/Name"),
                    format!(
                        "the bot that pushes a worker would be called '{}' too",
                        worker.name
                    ),
                )
                .help("rename the worker"),
            );
        }
    }
    if mistakes.is_empty() {
        Ok((workers, connectors))
    } else {
        Err(ImportError(mistakes))
    }
}

fn unknown(document: &Document, at: &str, kind: &str) -> Diagnostic {
    let place = document.place(&format!("{at}/Type"));
    let message = if kind.is_empty() {
        "a document without a 'Type' was left out".to_owned()
    } else {
        format!("a document of type '{kind}' was left out")
    };
    Diagnostic::warning("import.unknown_type", place, message).help(format!(
        "workers are of type '{WORKER}', connectors of type '{}'",
        CONNECTORS.join("', '")
    ))
}

fn twice(found: &Found<'_>, member: &str) -> Diagnostic {
    Diagnostic::error(
        "import.named_twice",
        found.place(member),
        format!("there are two documents called '{}'", found.name),
    )
    .help("leave one out, or rename it")
}

/// The bot, and the flow, that pushes a worker.
fn flow_of(worker: &Found<'_>) -> String {
    format!("{}Flow", worker.name)
}

/// Members of the context that connectors read, in the order of their names.
fn asked_for(connectors: &[Connector<'_>]) -> BTreeSet<String> {
    let mappings = connectors
        .iter()
        .flat_map(|it| it.file.request_mapping.values());
    let paths = mappings.map(|mapping| match mapping {
        RequestMapping::Body { input_path, .. }
        | RequestMapping::Url { input_path, .. }
        | RequestMapping::Header { input_path, .. } => input_path.as_str(),
    });
    paths
        .filter_map(|path| path.strip_prefix("$."))
        // What an agent writes behind a command.
        .filter(|key| *key != "arguments")
        // Deeper ones are nothing that a user types.
        .filter(|key| {
            key.chars()
                .all(|it| it.is_ascii_alphanumeric() || it == '_')
        })
        .map(str::to_owned)
        .collect()
}

fn flow_and_scenario(worker: &Found<'_>, asks: &BTreeSet<String>) -> [ImportedFile; 2] {
    let bot = flow_of(worker);
    let enabled = worker.value.pointer("/Enabled") != Some(&Value::Bool(false));
    let mut talk = Dialogue::default();
    talk.say("hello", "Hello. Before I find someone for you:");
    talk.ask("firstName", "What is your first name?", "Ana");
    talk.ask("lastName", "And your last name?", "Lima");
    if asks.contains("email") {
        talk.ask("email", "Your email address?", "ana@example.org");
    }
    for key in asks {
        talk.ask(key, &format!("What is your {key}?"), &format!("some {key}"));
    }
    let mut values = json!({ "nickname": "{{ context.firstName }}" });
    if talk.asks_for("email") {
        values["emailAddress"] = "{{ context.email }}".into();
    }
    talk.then("introduce", "setContext", json!({ "values": values }));
    talk.then("livechat", "pushBotSoStack", json!({ "bot": worker.name }));
    talk.lead("livechat", "error", "unavailable");
    if enabled {
        talk.step(json!({ "stack": [bot, worker.name] }));
        let sees = json!({ "nickname": "Ana", "firstName": "Ana", "lastName": "Lima" });
        talk.step(json!({ "identity": sees }));
        talk.talk(&Map::new());
    }
    talk.then("howItWent", "resumeAfterAgent", Value::Null);
    talk.lead("howItWent", "userLeft", "back");
    talk.lead("howItWent", "error", "unavailable");
    talk.through("agentLeft");
    let back = "You are back with the bot.";
    talk.then("back", "say", json!({ "text": back }));
    talk.then("bye", "end", json!({ "text": "Goodbye." }));
    let sorry = "Live chat is not available at the moment.";
    talk.then("unavailable", "say", json!({ "text": sorry }));
    talk.lead("unavailable", "next", "bye");
    talk.step(json!({ "bot": if enabled { back } else { sorry } }));
    talk.step(json!({ "bot": "Goodbye." }));
    talk.step(json!({ "session": "closed", "reason": "Completed" }));
    let name = if enabled {
        format!("{} hands over and gives back", worker.name)
    } else {
        format!("{} is switched off, and the bot says so", worker.name)
    };
    [
        talk.flow(&bot, &format!("Hand over to {}", worker.name)),
        talk.scenario(&worker.name, &name, Some(&bot)),
    ]
}

/// What connectors need around them: addresses, secrets, the AWS region. Says what people have to do for it.
fn around(
    connectors: &[Connector<'_>],
    choices: &Choices,
    manifest: &mut Manifest,
) -> Result<Vec<String>, ImportError> {
    let region = choices.aws_region.as_deref();
    let mut origins = BTreeSet::new();
    let mut secrets: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut signing = BTreeSet::new();
    let mut calls_aws = false;
    for Connector { found, file } in connectors {
        let needs_region = text(&found.value, "/Type") == "aws-sdk" && file.region.is_none();
        calls_aws |= needs_region;
        if needs_region && region.is_none() {
            return Err(Diagnostic::error(
                "import.no_region",
                found.place("/Endpoint"),
                format!(
                    "'{}' calls AWS, and its document does not say in which region",
                    file.alias
                ),
            )
            .help("say it: --aws-region eu-west-1, for example")
            .into());
        }
        // An address that cannot be read is a mistake that the project's check will show.
        let origin = file.address(region).map(|address| Origin::of(&address));
        let named = file.secrets();
        for secret in named.iter().filter(|secret| !secret.places.is_empty()) {
            let origins = secrets.entry(secret.name).or_default();
            origins.extend(origin.clone());
        }
        origins.extend(origin);
        signing.extend(file.credentials.as_deref());
    }
    if let Some(region) = region.filter(|_| calls_aws) {
        manifest.section("aws", "", &[("region", region.into())]);
    }
    let mut to_do = Vec::new();
    if !origins.is_empty() {
        manifest.section(
            "egress",
            "Where connectors may send requests.",
            &[("allow", json!(origins))],
        );
        let each: String = origins
            .iter()
            .map(|origin| format!(" --allow-egress {origin}"))
            .collect();
        to_do.push(format!(
            "Whoever runs the host has to allow requests too: `handoff serve …{each}`."
        ));
    }
    let mut variables = BTreeSet::new();
    for (srn, to) in &secrets {
        let variable = variable_of(srn, &mut variables);
        manifest.entry(
            "secrets",
            srn,
            "",
            &[("env", variable.as_str().into()), ("to", json!(to))],
        );
        let form = match signing.contains(srn) {
            true => ", as `{\"accessKeyId\": \"…\", \"secretAccessKey\": \"…\"}`",
            false => "",
        };
        to_do.push(format!(
            "Put the value of ServisBOT's secret `{srn}` into the environment variable `{variable}`{form}."
        ));
    }
    Ok(to_do)
}

/// An environment variable for a secret, after the last part of its name; one that no other secret has.
fn variable_of(srn: &str, taken: &mut BTreeSet<String>) -> String {
    let last = srn.rsplit(':').next().unwrap_or(srn);
    let name = plain_name(last).replace('-', "_").to_uppercase();
    // The prefix of variables that a project may use.
    let base = format!("HANDOFF_SECRET_{name}");
    let mut variable = base.clone();
    let mut number = 1;
    while !taken.insert(variable.clone()) {
        number += 1;
        variable = format!("{base}_{number}");
    }
    variable
}

/// The text at a JSON Pointer; empty if there is none.
fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value
        .pointer(at)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
