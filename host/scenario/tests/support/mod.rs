//! The standard nodes, compiled once per process.

use handoff_engine::Engine;
use handoff_server::read_components;
use std::path::{Path, PathBuf};
use tokio::sync::OnceCell;

static ENGINE: OnceCell<Engine> = OnceCell::const_new();

/// An engine with the nodes that `cargo xtask build-nodes` made.
pub(crate) async fn engine() -> &'static Engine {
    ENGINE.get_or_init(load).await
}

async fn load() -> Engine {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nodes");
    let nodes = std::env::var_os("HANDOFF_NODES").map_or(built, PathBuf::from);
    let components = read_components(&nodes).expect("run 'cargo xtask build-nodes' first");
    let engine = Engine::builder().components(components).build().await;
    engine.expect("the standard nodes load")
}
