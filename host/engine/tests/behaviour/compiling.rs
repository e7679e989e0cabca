//! Loading nodes holds up nobody: compiling happens elsewhere, once for each component, and only for
//! what may run.

use crate::support::{Shaped, component, fixture, load, runtime};
use handoff_engine::node::Limits;
use handoff_engine::{Component, Engine};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn file(name: &str, bytes: Vec<u8>) -> Component {
    let name = name.to_owned();
    Component { name, bytes }
}

/// Ten components that nobody compiled before, on the one thread that serves as well. What counts is how
/// long that thread computes without letting others run, so a busy machine changes nothing.
#[cfg(unix)]
#[tokio::test]
async fn while_nodes_are_compiled_the_thread_that_asked_serves_others() {
    let components: Vec<Component> = built_nodes::STANDARD[..10]
        .iter()
        .map(|name| file(name, component(name)))
        .collect();
    let longest = Arc::new(Mutex::new((0_usize, Duration::ZERO)));
    let seen = Arc::clone(&longest);
    let serving = tokio::spawn(async move {
        let mut last = thread_time();
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let now = thread_time();
            let mut seen = seen.lock().expect("no panic");
            *seen = (seen.0 + 1, seen.1.max(now - last));
            last = now;
        }
    });
    let progress = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&progress);
    let engine = Engine::builder()
        .on_progress(move |at| {
            told.lock().expect("no panic").push((at.done, at.total));
        })
        .components(components)
        .build()
        .await
        .expect("loads");
    serving.abort();
    assert_eq!(engine.nodes().count(), 10);
    let (ticks, longest) = *longest.lock().expect("no panic");
    assert!(
        longest < Duration::from_millis(100),
        "held up for {longest:?}"
    );
    assert!(ticks > 10, "{ticks}");
    let progress = progress.lock().expect("no panic").clone();
    assert_eq!(
        progress,
        (1..=10).map(|done| (done, 10)).collect::<Vec<_>>()
    );
}

#[cfg(unix)]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).expect("is positive"),
        u32::try_from(time.tv_nsec).expect("is below a second"),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_ask_at_the_same_time_a_component_is_compiled_once() {
    let engine = Engine::builder().build().await.expect("starts");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let engine = engine.without_nodes();
        asking.spawn(async move {
            let end = file("end", component("end"));
            let engine = engine.with([end]).await.expect("loads");
            Arc::clone(engine.nodes().next().expect("one node"))
        });
    }
    let nodes = asking.join_all().await;
    assert!(nodes.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_component_that_is_refused_is_refused_to_all_who_asked() {
    let engine = Engine::builder().build().await.expect("starts");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let engine = engine.without_nodes();
        asking.spawn(async move {
            let bad = file("bad", fixture("bad-descriptor"));
            let errors = engine.with([bad]).await.expect_err("is refused");
            errors[0].code()
        });
    }
    for code in asking.join_all().await {
        assert_eq!(code, "node.bad_descriptor");
    }
}

/// Its code would not compile: that it is not even tried shows in what is said.
#[tokio::test]
async fn what_imports_more_than_it_may_is_refused_before_it_is_compiled() {
    let broken = Shaped::new("fixtures/foreign-import")
        .step("(i64.const 1)")
        .build();
    let refused = load(&runtime(|_| {}), "nodes/mine.wasm", &broken).await;
    assert_eq!(
        refused.expect_err("is refused").code(),
        "node.import_refused"
    );
    let broken = Shaped::new("fixtures/trap").step("(i64.const 1)").build();
    let refused = load(&runtime(|_| {}), "nodes/mine.wasm", &broken).await;
    assert_eq!(refused.expect_err("is refused").code(), "node.malformed");
}

/// However little it may wait: a node that is described computes, and does not wait.
#[tokio::test]
async fn no_wall_clock_runs_while_a_node_is_described() {
    let limits = |limits: &mut Limits| limits.wall = Duration::ZERO;
    let spin = "(local $i i32)
        (loop $again
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $i) (i32.const 30000000))))";
    let slow = Shaped::new("fixtures/trap").before_describe(spin).build();
    let node = load(&runtime(limits), "nodes/slow.wasm", &slow).await;
    node.expect("is described");
}
