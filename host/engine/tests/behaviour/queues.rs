//! Queues that flows name, and the accounts at which they are meant.

use crate::support::Sample;
use handoff_engine::name::AccountName;
use serde_json::{Value, json};

async fn named_for(account: &str, nodes: Value) -> Vec<String> {
    let project = Sample::main("first", nodes).load().await;
    let named = project.queues_named_for(&AccountName::new(account));
    named
        .into_iter()
        .map(|it| format!("{} at {}/{}", it.queue, it.flow, it.node))
        .collect()
}

#[tokio::test]
async fn a_queue_is_meant_at_the_account_of_its_node_or_else_at_the_default_one() {
    let nodes = json!({
        "first": {"type": "redirect", "config": {"queue": "Billing"}, "to": {"error": "second"}},
        "second": {"type": "redirect", "config": {"queue": "Night", "account": "site"}},
    });
    assert_eq!(
        named_for("cloud", nodes.clone()).await,
        ["Billing at main/first"]
    );
    assert_eq!(named_for("site", nodes).await, ["Night at main/second"]);
}

#[tokio::test]
async fn a_queue_or_account_that_only_the_running_flow_knows_is_left_open() {
    let nodes = json!({
        "first": {"type": "redirect", "config": {"queue": "{{ context.queue }}"}, "to": {"error": "second"}},
        "second": {"type": "redirect", "config": {"queue": "Night", "account": "{{ context.account }}"}},
    });
    assert_eq!(
        named_for("cloud", nodes.clone()).await,
        ["Night at main/second"]
    );
    assert_eq!(named_for("site", nodes).await, ["Night at main/second"]);
}
