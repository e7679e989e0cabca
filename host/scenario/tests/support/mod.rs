//! The standard nodes, compiled once per process.

use handoff_engine::egress::Allowed;
use handoff_engine::{Component, Engine};
use tokio::sync::OnceCell;

static ENGINE: OnceCell<Engine> = OnceCell::const_new();

/// An engine with the standard nodes.
pub(crate) async fn engine() -> &'static Engine {
    ENGINE.get_or_init(load).await
}

async fn load() -> Engine {
    let components = built_nodes::STANDARD.map(|name| Component {
        name: name.to_owned(),
        bytes: built_nodes::component(name),
    });
    let engine = Engine::builder()
        .cache(built_nodes::compiled())
        .cache_key(built_nodes::cache_key())
        .components(components)
        .allow_egress(Allowed::everything())
        .build()
        .await;
    engine.expect("the standard nodes load")
}
