//! Nodes that take what all nodes share: memory by many small pieces, time inside the host, places in
//! the pool, room in the journal. Limits count sums, and nobody else notices.

use crate::support::{Sample, Shaped, fixture, load, runtime, shaped, told};
use handoff_engine::node::{Limits, Node, Outcome, StepFailure, StepHost, StepInput, Trigger};
use handoff_engine::session::Status;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Text that is a value in one go.
const FRAME: &str = "fixtures/trap";

fn input() -> StepInput {
    StepInput {
        trigger: Trigger::Entered,
        config: "{}".to_owned(),
        state: None,
        node_id: "n".to_owned(),
        session_id: "s".to_owned(),
        now: 0,
    }
}

async fn step(node: &Node) -> Result<Outcome, StepFailure> {
    step_in(node, StepHost::default()).await.1
}

async fn step_in(node: &Node, host: StepHost) -> (StepHost, Result<Outcome, StepFailure>) {
    node.step(host, input(), "seed").await
}

/// The code with which a node cannot even be loaded, or with which its step fails.
async fn code(shape: Shaped, edit: impl FnOnce(&mut Limits)) -> String {
    let node = load(&runtime(edit), "nodes/mine.wasm", &shape.build()).await;
    match node {
        Err(error) => error.code().to_owned(),
        Ok(node) => match step(&node).await {
            Ok(outcome) => format!("{outcome:?}"),
            Err(failure) => failure.code().to_owned(),
        },
    }
}

/// A module with so many memories of so many pages, and so many tables of so many elements.
fn module(memories: (usize, usize), tables: (usize, usize)) -> String {
    let memory = format!("(memory {}) ", memories.1).repeat(memories.0);
    let table = format!("(table {} funcref) ", tables.1).repeat(tables.0);
    format!("(module {memory} {table})")
}

#[tokio::test]
async fn memory_is_the_sum_of_all_memories_and_tables_however_they_are_spread() {
    // Core instances, memories and their pages, tables and their elements.
    let shapes = [
        (40, (1, 1_024), (0, 0)),
        (2, (1, 100), (0, 0)),
        (60, (1, 3), (0, 0)),
        (1, (8, 20), (0, 0)),
        (5, (4, 8), (0, 0)),
        (60, (0, 0), (1, 20_000)),
        (4, (0, 0), (15, 20_000)),
        (20, (1, 5), (1, 20_000)),
    ];
    for (instances, memories, tables) in shapes {
        let shape = Shaped::new(FRAME).and(&module(memories, tables), instances);
        let limit = |limits: &mut Limits| {
            limits.memory = if memories.1 > 200 { 64 << 20 } else { 8 << 20 };
            limits.instances = 1;
        };
        // `describe` has an instance of its own, and needs as much.
        let refused = load(&runtime(limit), "nodes/mine.wasm", &shape.build()).await;
        let error = refused.expect_err("is stopped").to_string();
        assert!(error.contains("bytes of memory and was stopped"), "{error}");
    }
    let modest = Shaped::new(FRAME).and(&module((2, 1), (1, 100)), 20);
    let limit = |limits: &mut Limits| limits.memory = 8 << 20;
    assert!(code(modest, limit).await.contains("Leave"));
}

#[tokio::test]
async fn memory_that_grows_piece_by_piece_is_counted_too() {
    let grow = "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
                (unreachable)";
    let shape = Shaped::new(FRAME)
        .step(grow)
        .and(&module((1, 40), (0, 0)), 1);
    let limit = |limits: &mut Limits| limits.memory = 4 << 20;
    assert_eq!(code(shape, limit).await, "node.out_of_memory");
}

#[tokio::test]
async fn what_is_made_of_too_many_parts_is_refused_before_it_is_compiled() {
    let shapes = [
        ("memories", 250, module((1, 1), (0, 0))),
        ("memories", 10, module((50, 0), (0, 0))),
        ("tables", 65, module((0, 0), (1, 1))),
        ("tables", 5, module((0, 0), (100, 0))),
        ("core instances", 300, module((0, 0), (0, 0))),
    ];
    for (what, instances, module) in shapes {
        let shape = Shaped::new(FRAME).and(&module, instances);
        let refused = load(&runtime(|_| {}), "nodes/mine.wasm", &shape.build()).await;
        let error = refused.expect_err("is refused");
        assert_eq!(error.code(), "node.too_many_parts");
        assert!(error.to_string().contains(what), "{error}");
    }
}

/// Every one waits until it is stopped; today's pool has room for four.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_steps_wait_none_finds_the_pool_full() {
    let limits = |limits: &mut Limits| {
        limits.instances = 30;
        limits.wall = Duration::from_millis(20);
    };
    let sleep = load(&runtime(limits), "sleep", &fixture("sleep")).await;
    let sleep = Arc::new(sleep.expect("loads"));
    let mut steps = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let sleep = Arc::clone(&sleep);
        steps.spawn(async move { step(&sleep).await.expect_err("is stopped") });
    }
    for failure in steps.join_all().await {
        assert_eq!(failure.code(), "node.wall_deadline", "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_fills_the_pool_is_waited_for_and_starves_nobody() {
    let shared = runtime(|limits| limits.instances = 16);
    let shapes = [
        (60, (1, 1), (0, 0)),
        (10, (6, 0), (0, 0)),
        (50, (0, 0), (1, 1)),
    ];
    let mut nodes = Vec::new();
    for (instances, memories, tables) in shapes {
        let shape = Shaped::new(FRAME).and(&module(memories, tables), instances);
        let node = load(&shared, "nodes/mine.wasm", &shape.build()).await;
        nodes.push(Arc::new(node.expect("is within the limits")));
    }
    let plain = load(&shared, "plain", &Shaped::new(FRAME).build()).await;
    let plain = Arc::new(plain.expect("loads"));
    let mut steps = tokio::task::JoinSet::new();
    for round in 0..240 {
        let node = match round % 4 {
            0 => &nodes[round / 4 % nodes.len()],
            _ => &plain,
        };
        let node = Arc::clone(node);
        steps.spawn(async move { step(&node).await });
    }
    for outcome in steps.join_all().await {
        assert!(matches!(outcome, Ok(Outcome::Leave(_))), "{outcome:?}");
    }
}

/// A step that is given up on while it runs leaves its place like any other.
#[tokio::test]
async fn a_step_that_nobody_waits_for_any_more_leaves_its_place() {
    let narrow = runtime(|limits| limits.instances = 1);
    let sleep = load(&narrow, "sleep", &fixture("sleep"))
        .await
        .expect("loads");
    for _ in 0..20 {
        let given_up = tokio::time::timeout(Duration::from_millis(1), step(&sleep)).await;
        assert!(given_up.is_err());
    }
    let plain = load(&narrow, "plain", &Shaped::new(FRAME).build()).await;
    assert!(step(&plain.expect("loads")).await.is_ok());
}

/// One call of the host takes longer than the node's own time between two ticks.
#[cfg(unix)]
#[tokio::test]
async fn time_inside_the_host_is_the_nodes_time() {
    let limit = Duration::from_millis(50);
    let find = Shaped::new("execute-api")
        .imports(
            r#"(import "handoff:node/connectors@0.1.0" "find" (func $find (param i32 i32 i32)))"#,
        )
        .step(
            "(loop $again
               (call $find (i32.const 1024) (i32.const 4) (i32.const 256))
               (br $again))
             (unreachable)",
        );
    let node = load(&runtime(|limits| limits.cpu = limit), "find", &find.build()).await;
    let node = node.expect("loads");
    let words: Vec<&str> = std::iter::repeat_n("word", 100_000).collect();
    let document = json!({"words": words});
    let before = thread_time();
    drop(document.to_string());
    let one_call = thread_time() - before;
    let mut host = StepHost::default();
    host.connectors = Arc::new([("next".to_owned(), document)].into());
    let before = thread_time();
    let (_, result) = step_in(&node, host).await;
    let used = thread_time() - before;
    assert_eq!(result.expect_err("is stopped").code(), "node.cpu_deadline");
    // The limit, the call under way, and setting up.
    let most = limit * 3 + one_call * 4;
    assert!(used < most, "{used:?}; a call takes {one_call:?}");
}

#[cfg(unix)]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).expect("is positive"),
        u32::try_from(time.tv_nsec).expect("is below a second"),
    )
}

#[tokio::test]
async fn whatever_a_node_says_is_kept_short_and_without_control_characters() {
    for letter in [b'x', 0x1b, b'\n', 0x7f] {
        for length in [1, 2_048, 2_049, 500_000] {
            let programs = [
                shaped::fault(10, length, letter),
                shaped::fault(length, 10, letter),
                shaped::fault(length, length, letter),
                shaped::leave_by(letter, length),
            ];
            for program in programs {
                let shape = Shaped::new(FRAME).step(&program).build();
                let node = load(&runtime(|_| {}), "shaped", &shape)
                    .await
                    .expect("loads");
                let failure = step(&node).await.expect_err("fails");
                for said in [failure.code().to_owned(), failure.to_string()] {
                    assert!(said.len() <= 2_048, "{} bytes", said.len());
                    assert!(!said.contains(|it: char| it.is_control()), "{said:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_too_much_to_hand_over_at_once_stops_the_step() {
    for length in [2_000_000, 50_000_000] {
        let programs = [
            shaped::fault(10, length, b'x'),
            shaped::fault(length, 10, b'x'),
            shaped::leave_by(b'x', length),
        ];
        for program in programs {
            let shape = Shaped::new(FRAME).step(&program);
            assert_eq!(code(shape, |_| {}).await, "node.too_much_at_once");
        }
    }
}

#[tokio::test]
async fn a_descriptor_is_short_or_refused() {
    let describing = |filler: usize| {
        let descriptor = json!({
            "type": "shaped", "version": "1", "label": "x".repeat(filler), "summary": "\u{1b}[2J",
            "config": {}, "ports": [],
        });
        Shaped::new(FRAME).descriptor(&descriptor.to_string())
    };
    for filler in [300_000, 1_200_000, 20_000_000] {
        let refused = code(describing(filler), |_| {}).await;
        let expected = ["node.bad_descriptor", "node.describe_failed"];
        assert!(expected.contains(&refused.as_str()), "{refused}");
    }
    let node = load(&runtime(|_| {}), "shaped", &describing(100_000).build()).await;
    let node = node.expect("loads");
    let descriptor = node.descriptor();
    assert!(descriptor.label.len() <= 2_048);
    assert_eq!(descriptor.summary, "\u{fffd}[2J");
}

/// Twelve values of 9,000 bytes: each is allowed, and not all of them.
#[tokio::test]
async fn the_context_is_limited_in_all_and_the_fault_names_the_key() {
    let values: serde_json::Map<_, _> = (10..22)
        .map(|index| (format!("k{index}"), json!("x".repeat(9_000))))
        .collect();
    let mut nodes = json!({
        "hear": {"type": "ask", "to": {"next": "set"}},
        "set": {"type": "setContext", "config": {"values": values}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.message }}"}, "to": {"next": "k0"}},
        "end": {"type": "ask", "config": {"text": "{{ error.message }}"}},
    });
    // A step each, and none of them too much by itself.
    for index in 0..20 {
        nodes[format!("k{index}")] = json!({
            "type": "setContext",
            "config": {"values": {(format!("s{index}")): "x".repeat(9_000)}},
            "to": {"next": format!("k{}", index + 1), "error": "end"},
        });
    }
    nodes["k20"] = json!({"type": "end"});
    let mut talk = Sample::main("hear", nodes).talk().await;
    talk.start().await;
    let turn = talk.user("hi").await;
    insta::assert_snapshot!(told(&turn).join("\n"));
    assert!(talk.session.context.is_empty(), "the step left no trace");
    talk.user("again").await;
    assert_eq!(talk.error().0, "node.context_full");
    let size = json!(talk.session.context).to_string().len();
    assert!((90_000..101_000).contains(&size), "{size}");
}

#[tokio::test]
async fn a_turn_that_writes_without_end_is_stopped() {
    let circles = [
        json!({"say": {"type": "say", "config": {"text": "x".repeat(16_000)}, "to": {"next": "say"}}}),
        json!({
            "say": {"type": "say", "config": {"text": "x".repeat(9_000)}, "to": {"next": "set"}},
            "set": {"type": "setContext", "config": {"values": {"a": "x".repeat(9_000)}}, "to": {"next": "say"}},
        }),
        json!({"say": {
            "type": "pushBotSoStack",
            "config": {"bot": "main"},
            "to": {"next": "say"},
        }}),
    ];
    for nodes in circles {
        let mut talk = Sample::main("say", nodes).talk().await;
        let turn = talk.start().await;
        assert!(matches!(talk.session.status, Status::Closed { .. }));
        let stopped = ["flow.turn_too_large", "flow.loop"];
        assert!(stopped.contains(&talk.error().0), "{:?}", talk.error());
        let size = serde_json::to_string(&turn.journal).expect("is JSON").len()
            + serde_json::to_string(&turn.effects).expect("is JSON").len();
        assert!(size < 5 << 20, "{size}");
    }
}
