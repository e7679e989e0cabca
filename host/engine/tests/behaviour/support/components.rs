//! The node components that `cargo xtask build-nodes` made. Compiling one takes a moment, so each is
//! loaded at most once per process, and only if a test wants it.

use handoff_engine::name::NodeType;
use handoff_engine::node::{Limits, LoadError, Node, Runtime};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use tokio::sync::Mutex;

/// Node types and the files that hold them.
const STANDARD: [(&str, &str); 16] = [
    ("agentTransfer", "agent-transfer"),
    ("ask", "ask"),
    ("branch", "branch"),
    ("checkAvailability", "check-availability"),
    ("end", "end"),
    ("escalate", "escalate"),
    ("executeApi", "execute-api"),
    ("pushBotSoStack", "push-bot-so-stack"),
    ("raiseTicket", "raise-ticket"),
    ("redirect", "redirect"),
    ("resumeAfterAgent", "resume-after-agent"),
    ("say", "say"),
    ("setContext", "set-context"),
    (
        "setExternalSessionAttributes",
        "set-external-session-attributes",
    ),
    ("setMetaInfo", "set-meta-info"),
    ("survey", "survey"),
];

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| runtime(|_| {}));
static LOADED: Mutex<BTreeMap<String, Arc<Node>>> = Mutex::const_new(BTreeMap::new());

/// A runtime of its own, with other limits than the default ones.
pub(crate) fn runtime(edit: impl FnOnce(&mut Limits)) -> Runtime {
    let mut limits = Limits {
        instances: 8,
        ..Limits::default()
    };
    edit(&mut limits);
    Runtime::new(limits).expect("wasmtime starts")
}

/// The bytes of a standard node's component.
pub(crate) fn component(file: &str) -> Vec<u8> {
    built_nodes::component(file)
}

/// The bytes of a misbehaving component.
pub(crate) fn fixture(file: &str) -> Vec<u8> {
    built_nodes::component(&format!("fixtures/{file}"))
}

/// Loads a component into a runtime.
pub(crate) async fn load(runtime: &Runtime, file: &str, bytes: &[u8]) -> Result<Node, LoadError> {
    Node::load(runtime, file, bytes).await
}

/// The standard nodes of these types; all of them if none is named.
pub(crate) async fn library(types: &[String]) -> BTreeMap<NodeType, Arc<Node>> {
    let mut loaded = LOADED.lock().await;
    let mut library = BTreeMap::new();
    for (node_type, file) in STANDARD {
        if !types.is_empty() && !types.iter().any(|wanted| wanted == node_type) {
            continue;
        }
        if !loaded.contains_key(node_type) {
            let node = load(&RUNTIME, file, &component(file)).await;
            loaded.insert(
                node_type.to_owned(),
                Arc::new(node.expect("a standard node loads")),
            );
        }
        library.insert(node_type.into(), Arc::clone(&loaded[node_type]));
    }
    library
}
