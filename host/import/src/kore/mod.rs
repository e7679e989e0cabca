//! Kore.ai: the settings of a Genesys agent, and the metadata that scripts set.
//!
//! Kore.ai's dialogs stay at Kore.ai: of them only the calls of `agentUtils.setMetaInfo` are read, since
//! they decide what agents see and which queue Architect finds.

mod script;

use crate::dialogue::Dialogue;
use crate::form::{Form, Label};
use crate::manifest::Manifest;
use crate::org::{Org, QUEUE};
use crate::readme::readme;
use crate::{ImportError, Imported, Source};
use handoff_engine::account::region_of;
use handoff_engine::diagnostic::Diagnostic;
use script::{MetaInfo, Value as Metadata};
use serde_json::{Map, Value, json};

const LOGIN_URL: Label = &["Genesys Cloud login URL", "Login URL", "Genesys login URL"];
const ORGANIZATION_ID: Label = &["Organization ID", "Organisation ID", "Org ID"];
const DEPLOYMENT_ID: Label = &["Deployment ID", "Deployment key"];
const QUEUE_NAME: Label = &["Queue Name", "Queue"];
const SOCKET_URL: Label = &["Genesys Web socket URL", "Websocket URL"];
const MODE: Label = &["Mode", "Integration type", "Conversation type"];
const NAME: Label = &["Name", "Agent name"];

/// The account that the settings become.
const ACCOUNT: &str = "genesys";
/// The flow that hands over.
const FLOW: &str = "agent-transfer";
/// The bot that has it.
const BOT: &str = "Assistant";

/// Makes a project of an agent's settings, and of scripts: JavaScript files, or a bot's export as JSON, in
/// which every text is searched for scripts.
///
/// # Errors
/// Every setting that is missing or cannot be meant, and files that cannot be read.
pub fn import(settings: &Source, scripts: &[Source]) -> Result<Imported, ImportError> {
    let form = Form::read(settings)?;
    let agent = Agent::read(&form)?;
    let mut notes = form.unknown(&[
        LOGIN_URL,
        ORGANIZATION_ID,
        DEPLOYMENT_ID,
        QUEUE_NAME,
        SOCKET_URL,
        MODE,
        NAME,
    ]);
    notes.extend(agent.socket_note(&form));
    let calls = script::read(scripts, &mut notes)?;

    let title = form.text(NAME).unwrap_or("Genesys agent").to_owned();
    let mut manifest = Manifest::new(&title, BOT);
    manifest.default_account(ACCOUNT);
    agent.account(&mut manifest);
    manifest.entry(
        "bots",
        BOT,
        "Asks for what the metadata is made of, and hands over.",
        &[("flow", FLOW.into())],
    );
    let mut files = vec![manifest.file()];
    let dialogue = dialogue(&agent, &calls);
    files.push(dialogue.flow(FLOW, "Agent transfer"));
    files.push(dialogue.scenario(
        FLOW,
        "The agent sees the metadata, and the dialog ends with the agent",
        None,
    ));
    files.push(agent.org(&calls).file());
    let to_do = agent.to_do(!calls.is_empty());
    files.push(readme(
        &title,
        "Kore.ai",
        &agent.carried(&calls),
        &to_do,
        &notes,
    ));
    Ok(Imported {
        files,
        to_do,
        notes,
    })
}

/// The settings.
struct Agent {
    region: String,
    organization_id: Option<String>,
    deployment_id: String,
    queue: Option<String>,
    web_messaging: bool,
}

impl Agent {
    fn read(form: &Form) -> Result<Self, ImportError> {
        let mut mistakes = Vec::new();
        let mut taken = |read: Result<&str, ImportError>| match read {
            Ok(text) => text.to_owned(),
            Err(error) => {
                mistakes.extend(error.0);
                String::new()
            }
        };
        let region = taken(form.region(LOGIN_URL));
        let deployment_id = taken(form.required(DEPLOYMENT_ID));
        let web_messaging = match form.text(MODE) {
            Some(mode) => !mode.to_lowercase().replace(' ', "").contains("webchat"),
            None => form.text(SOCKET_URL).is_some(),
        };
        if !web_messaging {
            taken(form.required(ORGANIZATION_ID));
            taken(form.required(QUEUE_NAME));
        }
        if !mistakes.is_empty() {
            return Err(ImportError(mistakes));
        }
        Ok(Self {
            region,
            organization_id: form.text(ORGANIZATION_ID).map(str::to_owned),
            deployment_id,
            queue: form.text(QUEUE_NAME).map(str::to_owned),
            web_messaging,
        })
    }

    /// What is odd about the socket's address, which the region gives.
    fn socket_note(&self, form: &Form) -> Option<Diagnostic> {
        let url = form.text(SOCKET_URL)?;
        let right = format!("wss://webmessaging.{}", self.region);
        let why = if region_of(url) != Some(self.region.as_str()) {
            "it is not of the login URL's region"
        } else if url.contains("://streaming.") {
            "it is that of notifications"
        } else {
            return None;
        };
        let message = format!("the socket address '{url}' was left out: {why}");
        Some(
            Diagnostic::warning("import.socket_url", form.place(SOCKET_URL), message).help(
                format!("the host connects to {right}, which the region gives"),
            ),
        )
    }

    fn account(&self, manifest: &mut Manifest) {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        if self.web_messaging {
            let comment = "The Genesys agent, Web Messaging.";
            let members = [
                ("transport", "cloud-web-messaging".into()),
                ("region", self.region.as_str().into()),
                ("deployment-id", self.deployment_id.as_str().into()),
            ];
            manifest.entry("accounts", ACCOUNT, comment, &members);
        } else {
            let comment = "The Genesys agent, WebChat.";
            let members = [
                ("transport", "cloud-webchat".into()),
                ("region", self.region.as_str().into()),
                ("organization-id", text(&self.organization_id)),
                ("deployment-id", self.deployment_id.as_str().into()),
                ("queue", text(&self.queue)),
            ];
            manifest.entry("accounts", ACCOUNT, comment, &members);
        }
    }

    fn default_queue(&self) -> &str {
        self.queue.as_deref().unwrap_or(QUEUE)
    }

    /// What stands before the names of attributes.
    fn prefix(&self) -> &'static str {
        if self.web_messaging { "" } else { "context." }
    }

    fn org(&self, calls: &[MetaInfo]) -> Org {
        let mut queues = vec![self.default_queue()];
        let named = calls.iter().filter_map(|call| call.attribute("QueueName"));
        for queue in named.filter_map(Metadata::literal) {
            if !queues.contains(&queue) {
                queues.push(queue);
            }
        }
        let mut org = Org::new(&queues);
        let flow = "Inbound";
        let key = format!("{}QueueName", self.prefix());
        org.add(
            "flows",
            &json!({ "name": flow, "transfer-to": { "find-queue": key, "default": self.default_queue() } }),
        );
        if let Some(id) = &self.organization_id {
            org.id(id);
        }
        let list = if self.web_messaging {
            "deployments"
        } else {
            "widgets"
        };
        org.add(
            list,
            &json!({ "name": "Deployment", "id": self.deployment_id, "flow": flow }),
        );
        org
    }

    fn to_do(&self, has_metadata: bool) -> Vec<String> {
        let mut to_do = vec![
            "Build your dialog into the flow, in front of the questions: it only asks for what the metadata \
             is made of."
                .to_owned(),
        ];
        if self.web_messaging {
            to_do.push(
                "If the Messenger deployment restricts its domains, add `origin = \"https://…\"` to the \
                 account."
                    .to_owned(),
            );
        } else {
            to_do.push(
                "Genesys is removing WebChat: move to Web Messaging or Open Messaging. The flow needs no \
                 change."
                    .to_owned(),
            );
        }
        to_do.push(
            "Add `oauth-client = { id = \"…\", secret = { env = \"GENESYS_CLIENT_SECRET\" } }` to the account \
             if agents are to be seen as they come and go, and run `handoff check DIR --org`."
                .to_owned(),
        );
        if has_metadata && !self.web_messaging {
            to_do.push(
                "WebChat puts `context.` in front of the names of attributes: Architect reads \
                 `context.QueueName`."
                    .to_owned(),
            );
        }
        to_do
    }

    fn carried(&self, calls: &[MetaInfo]) -> Vec<(String, String)> {
        let account = format!("account `{ACCOUNT}` in `project.toml`");
        let mut carried = vec![("settings of the agent".to_owned(), account)];
        for (index, call) in calls.iter().enumerate() {
            carried.push((
                format!("`agentUtils.setMetaInfo` in {}", call.place),
                format!("node `{}` of `flows/{FLOW}.json`", node_of(index)),
            ));
        }
        carried
    }
}

fn node_of(index: usize) -> String {
    format!("metadata-{}", index + 1)
}

fn dialogue(agent: &Agent, calls: &[MetaInfo]) -> Dialogue {
    let queue = agent.default_queue();
    let mut talk = Dialogue::default();
    talk.say("hello", "Hello, this is the assistant.");
    let mut waits_in = queue;
    let mut sees = Map::new();
    for (index, call) in calls.iter().enumerate() {
        for key in call.asks() {
            let is_queue = calls
                .iter()
                .filter_map(|call| call.attribute("QueueName"))
                .any(|value| value.reference() == Some(key));
            let own = format!("my {key}");
            talk.ask(
                key,
                &format!("Your {key}, please?"),
                if is_queue { queue } else { &own },
            );
        }
        talk.then(
            &node_of(index),
            "setMetaInfo",
            json!({ "key": "GenesysMetaData", "data": call.data() }),
        );
        for (name, value) in &call.attributes {
            let name = format!("{}{name}", agent.prefix());
            if let Some(text) = value.literal() {
                sees.insert(name, text.into());
            } else if let Some(key) = value.reference() {
                sees.insert(name, talk.answer(key).into());
            } else {
                sees.remove(&name);
            }
        }
        if let Some(literal) = call.attribute("QueueName").and_then(Metadata::literal) {
            waits_in = literal;
        }
    }
    talk.then("transfer", "agentTransfer", json!({}));
    talk.step(json!({ "queue": waits_in }));
    talk.talk(&sees);
    talk.step(json!({ "session": "closed", "reason": "AgentLeft" }));
    talk.lead("transfer", "userLeft", "bye");
    talk.lead("transfer", "noAgent", "sorry");
    talk.lead("transfer", "error", "sorry");
    talk.close();
    let sorry = "No agent can be reached at the moment.";
    talk.then("sorry", "say", json!({ "text": sorry }));
    talk.then("bye", "end", json!({ "text": "Goodbye." }));
    talk
}
