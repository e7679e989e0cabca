//! Sessions that are over can be forgotten, and no others.

use super::{effect, turn};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_engine::session::DeadlineKind::Inactivity;
use handoff_engine::time::Timestamp;
use handoff_store::{Forgotten, Store};
use std::sync::Arc;

async fn forget(store: &dyn Store, session: &str) -> Forgotten {
    let session = SessionId::new(session);
    store.forget(&session).await.expect("answers")
}

async fn closed(store: &dyn Store, before: u64, limit: usize) -> String {
    let closed = store.closed_before(Timestamp(before), limit).await;
    let closed = closed.expect("reads");
    let names: Vec<&str> = closed.iter().map(SessionId::as_str).collect();
    names.concat()
}

pub(crate) async fn a_session_that_is_forgotten_is_as_if_it_had_never_been(store: Arc<dyn Store>) {
    // Names of which one begins like another, or holds what separates parts of keys.
    let names = ["", "s", "s\0", "s\0s", "s/1", "t"];
    for name in names {
        let first = turn(name, 1).input("hello").done();
        store.append(first, &[]).await.expect("taken");
        let last = turn(name, 2).due(Inactivity, 50).closes(9).done();
        store.append(last, &[]).await.expect("taken");
    }
    assert_eq!(forget(&*store, "s").await, Forgotten::Dropped);
    assert_eq!(forget(&*store, "s").await, Forgotten::Unknown);
    for name in names {
        let (id, left) = (SessionId::new(name), name != "s");
        assert_eq!(store.load(&id).await.expect("reads").is_some(), left);
        let journal = store
            .journal(&id, Revision(0), usize::MAX)
            .await
            .expect("reads");
        assert_eq!(journal.len(), if left { 2 } else { 0 }, "{name:?}");
        let hello = InputId::new("hello");
        assert_eq!(store.has_input(&id, &hello).await.expect("reads"), left);
    }
    let due = store.due(Timestamp(50), 9).await.expect("reads");
    assert_eq!(due.len(), names.len() - 1);
    let anew = turn("s", 1).input("hello").asks("a").done();
    store.append(anew, &[]).await.expect("begins anew");
}

pub(crate) async fn what_is_open_or_owes_something_is_not_forgotten(store: Arc<dyn Store>) {
    assert_eq!(forget(&*store, "s").await, Forgotten::Unknown);
    let open = turn("s", 1).asks("a").done();
    store.append(open, &[]).await.expect("taken");
    assert_eq!(forget(&*store, "s").await, Forgotten::StillNeeded);
    let over = turn("s", 2).asks("b").closes(5).done();
    store
        .append(over, &[effect("s", 1, 1)])
        .await
        .expect("taken");
    assert_eq!(forget(&*store, "s").await, Forgotten::StillNeeded);
    assert_eq!(closed(&*store, 9, 9).await, "");
    let s = SessionId::new("s");
    assert_eq!(store.pending_effects(&s).await.expect("reads").len(), 1);
    let journal = store
        .journal(&s, Revision(0), usize::MAX)
        .await
        .expect("reads");
    assert_eq!(journal.len(), 2);
    store
        .settle(&s, &[effect("s", 2, 1)])
        .await
        .expect("settles");
    assert_eq!(closed(&*store, 9, 9).await, "s");
    let handed_off = turn("s", 3).closes(5).with_agent().done();
    store.append(handed_off, &[]).await.expect("taken");
    assert_eq!(forget(&*store, "s").await, Forgotten::StillNeeded);
    assert_eq!(closed(&*store, 9, 9).await, "");
    store
        .append(turn("s", 4).closes(5).done(), &[])
        .await
        .expect("taken");
    assert_eq!(forget(&*store, "s").await, Forgotten::Dropped);
}

pub(crate) async fn what_may_be_forgotten_is_found_by_when_it_closed(store: Arc<dyn Store>) {
    for (session, at) in [("c", 300), ("a", 20), ("d", 1000), ("b", 300)] {
        let turn = turn(session, 1).closes(at).done();
        store.append(turn, &[]).await.expect("taken");
    }
    store.append(turn("o", 1).done(), &[]).await.expect("taken");
    assert_eq!(closed(&*store, 20, 9).await, "");
    assert_eq!(closed(&*store, 21, 9).await, "a");
    assert_eq!(closed(&*store, 1000, 9).await, "abc");
    assert_eq!(closed(&*store, 1000, 2).await, "ab");
    assert_eq!(closed(&*store, 1000, 0).await, "");
    assert_eq!(closed(&*store, u64::MAX, 9).await, "abcd");
    assert_eq!(forget(&*store, "b").await, Forgotten::Dropped);
    store.append(turn("c", 2).done(), &[]).await.expect("opens");
    assert_eq!(closed(&*store, u64::MAX, 9).await, "ad");
}
