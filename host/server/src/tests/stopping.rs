//! A host that is told to stop does so.

use super::support::{Desk, Trick};
use std::sync::Arc;
use tokio::sync::oneshot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_stopped_leaves_nothing_behind() {
    let desk = Desk::new().await;
    desk.with_agents("agent").await;
    desk.start("s").await;
    let (_never, released) = oneshot::channel();
    desk.store.play("s", Trick::Hold(released));
    let given = ["1", "2"].map(|id| {
        let host = desk.host.clone();
        tokio::spawn(async move { host.user_message(&"s".into(), id, "hello").await })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    desk.host.serve(listener);
    desk.host.stop();
    desk.host.stopped().await;
    for outcome in given {
        let error = outcome.await.expect("runs").expect_err("came to nothing");
        assert_eq!(error.code(), "host.stopping");
    }
    // Whatever was under way has let go of the clock.
    desk.clock.idle().await;
    assert_eq!(desk.clock.next_wake(), None);
    assert_eq!(desk.inputs("s").await, ["started"]);
    let inner = Arc::downgrade(&desk.host.0);
    drop(desk);
    assert!(inner.upgrade().is_none(), "something still holds the host");
}

#[tokio::test]
async fn a_host_that_stopped_takes_nothing_more() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.host.stop();
    desk.host.stop();
    let error = desk.say("s", "hello").await;
    assert_eq!(error, Err("host.stopping".to_owned()));
    let opened = desk.silent.opened();
    desk.host.carry_on(&"s".into()).await.expect("reads");
    assert!(desk.silent.resumed().is_empty());
    assert_eq!(desk.silent.opened(), opened);
    desk.host.stopped().await;
    assert_eq!(desk.journal("s").await.len(), 3, "{handoff}");
}
