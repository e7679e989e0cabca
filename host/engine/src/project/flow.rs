//! A flow file: a graph of nodes.

use crate::name::{FlowId, NodeId, NodeType, Port};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The format a flow file names in its member `handoff`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FlowFormat {
    /// The first and only format.
    #[serde(rename = "flow@1")]
    V1,
}

/// A flow as it stands in `flows/*.json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowFile {
    /// JSON Schema of this file, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The format: `flow@1`.
    pub handoff: FlowFormat,
    /// By which bots refer to the flow.
    pub id: FlowId,
    /// What designers call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The node a session enters first.
    pub start: NodeId,
    /// The nodes by id.
    #[schemars(with = "std::collections::BTreeMap<String, FlowNode>")]
    pub nodes: IndexMap<NodeId, FlowNode>,
}

/// One use of a node type.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowNode {
    /// Name of the node type, for example `setContext`.
    #[serde(rename = "type")]
    pub node_type: NodeType,
    /// The node's config, by the schema of its type.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Where each port leads. A port left out ends the flow; a failure port left out leads to `error`,
    /// and without that closes the session with an error.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub to: IndexMap<Port, NodeId>,
    /// What designers call this use of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Where a builder draws it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// Where a builder draws a node, in its own units.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}
