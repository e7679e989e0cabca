//! A flow and the scenario that plays it, made side by side.
//!
//! An importer knows how to hand over, not what the bot talks about. So it asks for what the handover needs,
//! hands over, and comes back; whoever imports puts the bot's own nodes around that.

use crate::ImportedFile;
use crate::manifest::inline;
use handoff_engine::name::{FlowId, NodeId, NodeType, Port};
use handoff_engine::project::{FlowFile, FlowFormat, FlowNode};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use toml_edit::{Array, DocumentMut, value};

/// The simulated agent who takes the conversation.
pub(crate) const AGENT: &str = "kim";
/// What people call that agent.
pub(crate) const AGENT_NAME: &str = "Kim";

/// A flow that grows node by node, each led to by the one before, and what a scenario sees of it.
#[derive(Debug, Default)]
pub(crate) struct Dialogue {
    nodes: IndexMap<NodeId, FlowNode>,
    /// The port that leads to the next node.
    open: Option<(NodeId, Port)>,
    /// What is asked for, and answered in the scenario.
    asked: BTreeMap<String, String>,
    steps: Vec<Value>,
}

impl Dialogue {
    /// A node, led to from the one before.
    pub(crate) fn then(&mut self, id: &str, node_type: &str, config: Value) {
        let id = NodeId::new(id);
        if let Some((before, port)) = self.open.take() {
            self.lead(before.as_str(), port.as_str(), id.as_str());
        }
        let config = match config {
            Value::Object(config) => config,
            _ => Map::new(),
        };
        let node = FlowNode {
            node_type: NodeType::new(node_type),
            config,
            to: IndexMap::new(),
            label: None,
            position: None,
        };
        self.nodes.insert(id.clone(), node);
        // Nothing comes after the end.
        self.open = (node_type != "end").then(|| (id, Port::new("next")));
    }

    /// A port of a node that leads somewhere.
    pub(crate) fn lead(&mut self, from: &str, port: &str, to: &str) {
        if let Some(node) = self.nodes.get_mut(&NodeId::new(from)) {
            node.to.insert(Port::new(port), NodeId::new(to));
        }
    }

    /// The port of the last node that leads to the next one, where that is not `next`.
    pub(crate) fn through(&mut self, port: &str) {
        if let Some((_, open)) = &mut self.open {
            *open = Port::new(port);
        }
    }

    /// Nothing leads to the next node by itself.
    pub(crate) fn close(&mut self) {
        self.open = None;
    }

    /// The bot says something.
    pub(crate) fn say(&mut self, id: &str, text: &str) {
        self.then(id, "say", json!({ "text": text }));
        self.step(json!({ "bot": text }));
    }

    /// The bot asks for a value of the context; in the scenario the user gives this answer. A value that is
    /// asked for already is not asked for again.
    pub(crate) fn ask(&mut self, key: &str, text: &str, answer: &str) {
        if self.asks_for(key) {
            return;
        }
        self.asked.insert(key.to_owned(), answer.to_owned());
        let mut config = json!({ "text": text, "saveTo": key });
        if answer.contains('@') {
            config["pattern"] = "email".into();
        }
        self.then(&format!("ask-{}", self.asked.len()), "ask", config);
        self.step(json!({ "bot": text }));
        self.step(json!({ "user": answer }));
    }

    /// Whether this value of the context is asked for.
    pub(crate) fn asks_for(&self, key: &str) -> bool {
        self.asked.contains_key(key)
    }

    /// What the user answers when asked for this value.
    pub(crate) fn answer(&self, key: &str) -> &str {
        self.asked.get(key).map(String::as_str).unwrap_or_default()
    }

    /// A step of the scenario.
    pub(crate) fn step(&mut self, step: Value) {
        self.steps.push(step);
    }

    /// The agent takes the conversation, both say a word, and the agent closes it.
    pub(crate) fn talk(&mut self, sees: &Map<String, Value>) {
        self.step(json!({ "agent": AGENT, "is": "alerting" }));
        if !sees.is_empty() {
            self.step(json!({ "agent": AGENT, "sees": sees }));
        }
        self.step(json!({ "agent": AGENT, "does": "accept" }));
        self.step(json!({ "agent": AGENT, "says": "Hello, how can I help?" }));
        self.step(json!({ "user-hears": "Hello, how can I help?", "from": AGENT_NAME }));
        self.step(json!({ "user": "Thank you, that is all." }));
        self.step(json!({ "agent": AGENT, "hears": "Thank you, that is all." }));
        self.step(json!({ "agent": AGENT, "does": "close" }));
    }

    /// `flows/ID.json`.
    pub(crate) fn flow(&self, id: &str, name: &str) -> ImportedFile {
        let start = self.nodes.keys().next().cloned();
        let flow = FlowFile {
            schema: None,
            handoff: FlowFormat::V1,
            id: FlowId::new(id),
            name: Some(name.to_owned()),
            start: start.unwrap_or_else(|| NodeId::new("")),
            nodes: self.nodes.clone(),
        };
        let text = serde_json::to_string_pretty(&flow).unwrap_or_default() + "\n";
        ImportedFile {
            path: format!("flows/{id}.json"),
            text,
        }
    }

    /// `scenarios/FILE.toml`.
    pub(crate) fn scenario(&self, file: &str, name: &str, bot: Option<&str>) -> ImportedFile {
        let mut document = DocumentMut::new();
        document["name"] = value(name);
        if let Some(bot) = bot {
            document["bot"] = value(bot);
        }
        let mut steps: Array = self.steps.iter().map(inline).collect();
        for step in steps.iter_mut() {
            step.decor_mut().set_prefix("\n  ");
        }
        steps.set_trailing("\n");
        steps.set_trailing_comma(true);
        document["steps"] = value(steps);
        ImportedFile {
            path: format!("scenarios/{file}.toml"),
            text: document.to_string(),
        }
    }
}
