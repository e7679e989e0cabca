//! The descriptor: what a builder needs to draw a node, and a checker to check it.

use schemars::Schema;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{Node, schema};

/// What a builder needs to draw a node, and a checker to check it. The schema of the config is added
/// from [`Node::Config`].
#[derive(Debug, Clone, Copy)]
pub struct Descriptor {
    /// Name of the node's type, in camelCase, unique in a palette.
    pub type_name: &'static str,
    /// Version of the node, by semantic versioning: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// What the node does, in one sentence.
    pub summary: &'static str,
    /// How to use it, in Markdown.
    pub help: &'static str,
    /// Where a palette shows it.
    pub category: Category,
    /// An SVG document. Use `currentColor`, so that it fits light and dark.
    pub icon: &'static str,
    /// The ways out.
    pub ports: &'static [Port],
    /// Context keys the node reads by itself; those its templates read are known to the host.
    pub reads: &'static [Key],
    /// Context keys that may be set once the flow goes on, by the node or by the host for it.
    pub writes: &'static [Key],
    /// Interfaces of the contract the node calls.
    pub capabilities: &'static [Capability],
    /// A JSON array of examples, which double as tests; [`testing`](crate::testing) has the form.
    pub examples: &'static str,
}

/// Where a palette shows a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Category {
    /// Talking with the user.
    Conversation,
    /// Choosing the way.
    Logic,
    /// Keeping and changing values.
    Data,
    /// Agents and other bots.
    Handoff,
}

/// A named way out of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Port {
    /// The name a flow wires.
    pub name: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// Whether it is the good way.
    pub kind: PortKind,
}

impl Port {
    /// The way out that a node's faults take when it is wired.
    pub const ERROR: Self = Self::failure("error", "Error");
    /// The way on of a node that has but one.
    pub const NEXT: Self = Self::success("next", "Next");

    /// A way out that belongs to the normal course of the conversation.
    #[must_use]
    pub const fn success(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: PortKind::Success,
        }
    }

    /// A way out that may be left unwired.
    #[must_use]
    pub const fn failure(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            kind: PortKind::Failure,
        }
    }
}

/// Whether a port is the good way out or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PortKind {
    /// Part of the normal course; a flow should wire it.
    Success,
    /// Something went wrong.
    Failure,
}

/// A context key as a descriptor names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// This key.
    Named(&'static str),
    /// What the config has at this JSON Pointer: the text there, or the keys of the object there.
    /// Written `config:/pointer`.
    Config(&'static str),
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(key) => to.serialize_str(key),
            Self::Config(pointer) => to.collect_str(&format_args!("config:{pointer}")),
        }
    }
}

/// An interface of the contract, by its name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Context values.
    Context,
    /// What agents will see.
    ExternalAttributes,
    /// Messages and the transcript.
    Conversation,
    /// How the last handoff ended.
    Handoff,
    /// Placeholders of secrets.
    Secrets,
    /// Documents of API connectors.
    Connectors,
    /// How many agents there are.
    Availability,
    /// Requests over HTTP, which are WASI's and not the contract's own.
    Http,
    /// Log lines.
    Log,
}

/// The JSON text of a node's descriptor.
pub(crate) fn describe<N: Node>() -> String {
    #[derive(Serialize)]
    struct Document {
        #[serde(rename = "type")]
        type_name: &'static str,
        version: &'static str,
        label: &'static str,
        summary: &'static str,
        help: &'static str,
        category: Category,
        icon: &'static str,
        config: Schema,
        ports: &'static [Port],
        reads: &'static [Key],
        writes: &'static [Key],
        capabilities: &'static [Capability],
        examples: Value,
    }
    let Descriptor {
        type_name,
        version,
        label,
        summary,
        help,
        category,
        icon,
        ports,
        reads,
        writes,
        capabilities,
        examples,
    } = N::descriptor();
    let document = Document {
        type_name,
        version,
        label,
        summary,
        help: help.trim(),
        category,
        icon: icon.trim(),
        config: schema::of::<N::Config>(),
        ports,
        reads,
        writes,
        capabilities,
        examples: serde_json::from_str(examples).expect("the node's examples are a JSON array"),
    };
    serde_json::to_string(&document).expect("a descriptor always serialises")
}
