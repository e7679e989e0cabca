//! Sessions are counted as they come and go.

use super::{effect, turn};
use handoff_engine::name::SessionId;
use handoff_store::{Census, Store};
use std::sync::Arc;

async fn census(store: &dyn Store) -> Census {
    store.census().await.expect("reads")
}

fn counted<const N: usize>(open: [(&str, u64); N], handed_off: u64) -> Census {
    let open = open.map(|(version, sessions)| (version.to_owned(), sessions));
    Census {
        open: open.into(),
        handed_off,
    }
}

pub(crate) async fn open_sessions_are_counted_by_the_version_they_are_pinned_to(
    store: Arc<dyn Store>,
) {
    assert_eq!(census(&*store).await, Census::default());
    for (session, version) in [("a", "old"), ("b", "old"), ("c", "new")] {
        let first = turn(session, 1).of_version(version).done();
        store.append(first, &[]).await.expect("taken");
    }
    assert_eq!(census(&*store).await, counted([("old", 2), ("new", 1)], 0));
    let second = turn("a", 2).of_version("old").with_agent().done();
    store.append(second, &[]).await.expect("taken");
    assert_eq!(census(&*store).await, counted([("old", 2), ("new", 1)], 1));
    for session in ["a", "b"] {
        let revision = if session == "a" { 3 } else { 2 };
        let last = turn(session, revision).of_version("old").closes(9).done();
        store.append(last, &[]).await.expect("taken");
    }
    assert_eq!(census(&*store).await, counted([("new", 1)], 0));
}

pub(crate) async fn what_is_refused_or_forgotten_is_not_counted(store: Arc<dyn Store>) {
    let first = turn("a", 1).of_version("v").asks("x").closes(5).done();
    store.append(first, &[]).await.expect("taken");
    let wrong = turn("b", 2).of_version("v").done();
    store
        .append(wrong, &[])
        .await
        .expect_err("it has no first turn");
    assert_eq!(census(&*store).await, Census::default());
    let a = SessionId::new("a");
    store
        .settle(&a, &[effect("a", 1, 1)])
        .await
        .expect("settles");
    store.forget(&a).await.expect("is over");
    assert_eq!(census(&*store).await, Census::default());
}
