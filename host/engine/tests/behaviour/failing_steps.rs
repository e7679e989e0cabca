//! Nodes that crash, hang, hoard or lie: the step fails with its own code, leaves no trace, and the
//! session goes on by the `error` port or closes. Nobody else notices.

use crate::support::{Sample, Talk, fixture, library, load, runtime, told};
use handoff_engine::name::NodeType;
use handoff_engine::node::{Limits, Node, StepFailure};
use handoff_engine::session::{CloseReason, Entry, Status};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A misbehaving node, in a runtime whose limits a test does not wait for.
async fn misbehaving(file: &str) -> Node {
    let runtime = runtime(|limits: &mut Limits| {
        limits.instances = 2;
        limits.cpu = Duration::from_millis(30);
        limits.wall = Duration::from_millis(100);
        limits.memory = 8 << 20;
    });
    load(&runtime, file, &fixture(file))
        .await
        .expect("the fixture loads")
}

/// A conversation that comes to the node once the user has said something.
async fn talk_to(node: Node, wired: bool) -> Talk {
    let node_type = node.descriptor().node_type.clone();
    let to = if wired {
        json!({"error": "sorry"})
    } else {
        json!({})
    };
    let mut nodes = json!({
        "hear": {"type": "ask", "config": {"saveTo": "said"}, "to": {"next": "odd"}},
        "odd": {"type": node_type.as_str(), "to": to},
    });
    if wired {
        let sorry = json!({
            "type": "ask",
            "config": {"text": "{{ error.code }} at {{ error.node }}: {{ error.message }}"},
        });
        nodes["sorry"] = sorry;
    }
    let mut talk = Sample::main("hear", nodes).node(node).talk().await;
    talk.start().await;
    talk
}

/// What the user is told when the node fails and its `error` port is wired.
async fn by_the_error_port(file: &str) -> String {
    let mut talk = talk_to(misbehaving(file).await, true).await;
    let turn = talk.user("hi").await;
    assert!(talk.session.is_open());
    assert_eq!(talk.context("said"), json!("hi"), "earlier steps stand");
    told(&turn).join("\n")
}

#[tokio::test]
async fn a_crash_is_told_in_the_words_of_the_panic() {
    insta::assert_snapshot!(by_the_error_port("trap").await);
}

#[tokio::test]
async fn an_endless_loop_is_stopped_by_the_cpu_limit() {
    insta::assert_snapshot!(by_the_error_port("spin").await);
}

#[tokio::test]
async fn hoarded_memory_is_stopped_by_the_memory_limit() {
    insta::assert_snapshot!(by_the_error_port("allocate").await);
}

#[tokio::test]
async fn a_long_sleep_is_stopped_by_the_wall_limit() {
    insta::assert_snapshot!(by_the_error_port("sleep").await);
}

#[tokio::test]
async fn a_port_the_descriptor_lacks_is_refused() {
    insta::assert_snapshot!(by_the_error_port("undeclared-port").await);
}

#[tokio::test]
async fn a_failure_nobody_wired_closes_the_session_with_the_error() {
    let mut talk = talk_to(misbehaving("trap").await, false).await;
    let turn = talk.user("hi").await;
    assert_eq!(told(&turn), ["close Error"]);
    let Status::Closed {
        reason: CloseReason::Error(detail),
        ..
    } = &talk.session.status
    else {
        panic!("closed with {:?}", talk.session.status);
    };
    assert_eq!(detail.code, "node.trapped");
    assert_eq!(talk.stack(), Vec::<String>::new());
    assert!(turn.deadlines.is_empty());
}

#[tokio::test]
async fn a_failed_step_is_journaled_once_and_never_as_a_step() {
    let mut talk = talk_to(misbehaving("trap").await, true).await;
    let turn = talk.user("hi").await;
    let failed = turn
        .journal
        .iter()
        .filter(|entry| matches!(entry, Entry::Failed(_)));
    assert_eq!(failed.count(), 1);
    let stepped = turn
        .journal
        .iter()
        .any(|entry| matches!(entry, Entry::Stepped { node, .. } if node.as_str() == "odd"));
    assert!(!stepped);
}

/// `setContext` sets its keys in order; the second value is beyond the limit.
#[tokio::test]
async fn what_a_step_wrote_before_it_failed_leaves_no_trace() {
    let nodes = json!({
        "hear": {"type": "ask", "to": {"next": "set"}},
        "set": {
            "type": "setContext",
            "config": {"values": {"a": "written first", "b": "{{ 'x' * 10001 }}"}},
            "to": {"error": "sorry"},
        },
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }}"}},
    });
    let mut talk = Sample::main("hear", nodes).talk().await;
    talk.start().await;
    let before = talk.session.context.clone();
    let turn = talk.user("hi").await;
    assert_eq!(told(&turn), ["main: context.too_large"]);
    assert_eq!(talk.session.context, before);
}

#[tokio::test]
async fn a_node_that_fills_the_context_with_keys_is_stopped() {
    let narrow = runtime(|limits| limits.writes = 2);
    let set = load(&narrow, "set", &crate::support::component("set-context")).await;
    let nodes = json!({
        "set": {"type": "setContext", "config": {"values": {"a": 1, "b": null, "c": 3}}},
    });
    let mut talk = Sample::main("set", nodes)
        .node(set.expect("loads"))
        .talk()
        .await;
    talk.start().await;
    assert_eq!(talk.error().0, "node.too_many_writes");
    insta::assert_snapshot!(talk.error().1);
    assert!(talk.session.context.is_empty());
}

/// `ask` in another runtime refuses its message: nothing of the step is said.
#[tokio::test]
async fn a_message_of_a_failed_step_is_not_sent() {
    let short = runtime(|limits| limits.message = 10);
    let ask = load(&short, "ask", &crate::support::component("ask")).await;
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "{{ 'far too long' }}"}},
    });
    let mut talk = Sample::main("ask", nodes)
        .node(ask.expect("loads"))
        .talk()
        .await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["close Error"]);
    assert_eq!(talk.error().0, "conversation.too_long");
    assert!(talk.transcript().is_empty());
}

#[tokio::test]
async fn a_refused_push_takes_the_steps_writes_with_it() {
    let nodes = json!({
        "push": {"type": "pushBotSoStack", "config": {"bot": "{{ 'nobody' }}"}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.message }}"}},
    });
    let mut talk = Sample::main("push", nodes).talk().await;
    let turn = talk.start().await;
    insta::assert_snapshot!(told(&turn).join("\n"));
    assert_eq!(talk.stack(), ["main"]);
}

#[tokio::test]
async fn while_one_session_spins_another_on_the_same_runtime_goes_on() {
    let limits = |limits: &mut Limits| {
        limits.instances = 2;
        limits.cpu = Duration::from_millis(200);
    };
    let shared = runtime(limits);
    let spin = load(&shared, "spin", &fixture("spin"))
        .await
        .expect("loads");
    let ask = load(&shared, "ask", &crate::support::component("ask"))
        .await
        .expect("loads");
    let nodes = json!({"spin": {"type": "spin"}});
    let mut stuck = Sample::main("spin", nodes).node(spin).talk().await;
    let nodes = json!({"ask": {"type": "ask", "config": {"text": "Hello"}}});
    let mut well = Sample::main("ask", nodes).node(ask).talk().await;
    // One thread for both: the sound one comes first only if the other lets go of it.
    let finished = std::sync::Mutex::new(Vec::new());
    let first = async {
        stuck.start().await;
        finished.lock().expect("no panic").push("stuck");
    };
    let second = async {
        let turn = well.start().await;
        assert_eq!(told(&turn), ["main: Hello"]);
        finished.lock().expect("no panic").push("well");
    };
    futures(first, second).await;
    assert_eq!(*finished.lock().expect("no panic"), ["well", "stuck"]);
    assert_eq!(stuck.error().0, "node.cpu_deadline");
}

async fn futures(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {
    tokio::join!(first, second);
}

/// Time spent in the queue for an instance is nobody's processor time.
#[tokio::test]
async fn waiting_for_an_instance_costs_no_cpu_time() {
    let narrow = runtime(|limits| {
        limits.instances = 1;
        limits.cpu = Duration::from_millis(40);
        limits.wall = Duration::from_secs(20);
    });
    let spin = Arc::new(
        load(&narrow, "spin", &fixture("spin"))
            .await
            .expect("loads"),
    );
    let ask = load(&narrow, "ask", &crate::support::component("ask"))
        .await
        .expect("loads");
    let mut queue = Vec::new();
    for _ in 0..4 {
        let spin = Arc::clone(&spin);
        queue.push(tokio::spawn(async move { enter(&spin).await }));
    }
    tokio::task::yield_now().await;
    let last = enter(&ask).await;
    assert_eq!(last, None, "the step that waited for four others is sound");
    for spinning in queue {
        assert_eq!(
            spinning.await.expect("no panic").as_deref(),
            Some("node.cpu_deadline")
        );
    }
}

/// Time spent asleep is no processor time either: only the wall limit counts it.
#[tokio::test]
async fn a_sleep_longer_than_the_cpu_limit_is_no_endless_loop() {
    let sleep = misbehaving("sleep").await;
    assert_eq!(enter(&sleep).await.as_deref(), Some("node.wall_deadline"));
}

/// The code with which the first step of a node fails, if it fails.
async fn enter(node: &Node) -> Option<String> {
    use handoff_engine::node::{StepHost, StepInput, Trigger};
    let input = StepInput {
        trigger: Trigger::Entered,
        config: "{}".to_owned(),
        state: None,
        node_id: "n".to_owned(),
        session_id: "s".to_owned(),
        now: 0,
    };
    let (_, result) = node.step(StepHost::default(), input, "seed").await;
    result
        .err()
        .as_ref()
        .map(StepFailure::code)
        .map(str::to_owned)
}

#[tokio::test]
async fn the_standard_nodes_import_nothing_but_the_contract_and_an_empty_wasi() {
    for (node_type, node) in library(&[]).await {
        for import in node.imports() {
            let known = import.starts_with("handoff:node/") || import.starts_with("wasi:");
            assert!(known, "{node_type} imports {import}");
            assert!(!import.contains("sockets"), "{node_type} imports {import}");
        }
        assert_eq!(
            node.descriptor().node_type,
            NodeType::new(node_type.as_str())
        );
    }
}
