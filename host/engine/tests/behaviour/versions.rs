//! Versions of a project side by side on one runtime.

use handoff_engine::{Component, Engine};
use std::sync::Arc;

fn component(name: &str) -> Component {
    Component {
        name: name.to_owned(),
        bytes: built_nodes::component(name),
    }
}

#[tokio::test]
async fn versions_that_have_a_component_in_common_share_its_code() {
    let builder = Engine::builder().components([component("say"), component("ask")]);
    let first = builder.build().await.expect("loads");
    let second = first.without_nodes();
    assert_eq!(second.nodes().count(), 0);
    let second = second.with([component("say")]).await.expect("loads");
    let say = |engine: &Engine| {
        let mut nodes = engine.nodes();
        let say = nodes.find(|node| node.descriptor().node_type.as_str() == "say");
        Arc::clone(say.expect("is there"))
    };
    assert!(Arc::ptr_eq(&say(&first), &say(&second)));
}
