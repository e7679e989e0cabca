//! What a node type says about itself.

use super::node_text;
use crate::name::NodeType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A node type's descriptor, as its component exports it. Members this version does not know are
/// kept out of the way, so that newer nodes load.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Descriptor {
    /// Name of the node type.
    #[serde(rename = "type")]
    pub node_type: NodeType,
    /// Version of the node, not of the contract.
    pub version: String,
    /// What builders call it.
    pub label: String,
    /// One sentence.
    pub summary: String,
    /// Markdown.
    #[serde(default)]
    pub help: String,
    /// Where a builder lists it.
    #[serde(default)]
    pub category: String,
    /// Inline SVG.
    #[serde(default)]
    pub icon: String,
    /// JSON Schema 2020-12 of the config.
    pub config: Value,
    /// The ways out.
    pub ports: Vec<PortDescriptor>,
    /// Context keys it reads.
    #[serde(default)]
    pub reads: Vec<Value>,
    /// Context keys it writes.
    #[serde(default)]
    pub writes: Vec<Value>,
    /// Interfaces of the contract that it uses.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Examples that double as tests.
    #[serde(default)]
    pub examples: Vec<Value>,
}

/// A way out of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortDescriptor {
    /// The name flows use.
    pub name: String,
    /// What builders call it.
    #[serde(default)]
    pub label: String,
    /// Whether leaving by it is good news.
    #[serde(default)]
    pub kind: PortKind,
}

/// Whether leaving by a port is good news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortKind {
    /// The node did what it is for.
    #[default]
    Success,
    /// It did not.
    Failure,
}

/// Bytes of a node's help that are kept.
const HELP: usize = 64 << 10;

impl Descriptor {
    /// Cuts what people will read, and takes out what would act on where they read it.
    pub(super) fn tidy(&mut self) {
        let sentences = [
            &mut self.version,
            &mut self.label,
            &mut self.summary,
            &mut self.category,
        ];
        let labels = self.ports.iter_mut().map(|port| &mut port.label);
        for text in sentences
            .into_iter()
            .chain(labels)
            .chain(&mut self.capabilities)
        {
            *text = node_text::sentence(std::mem::take(text));
        }
        self.help = node_text::kept_lines(std::mem::take(&mut self.help), HELP);
    }

    /// Whether leaving by a port is bad news.
    #[must_use]
    pub fn is_failure(&self, name: &str) -> bool {
        let mut ports = self.ports.iter();
        ports.any(|port| port.name == name && port.kind == PortKind::Failure)
    }

    /// Whether the node type has a port.
    #[must_use]
    pub fn has_port(&self, name: &str) -> bool {
        self.ports.iter().any(|port| port.name == name)
    }
}
