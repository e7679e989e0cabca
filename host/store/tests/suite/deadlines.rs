//! What is due, and when.

use super::turn;
use handoff_engine::name::SessionId;
use handoff_engine::session::DeadlineKind::{Inactivity, NoAgent, Node};
use handoff_engine::time::Timestamp;
use handoff_store::{Due, Store};
use std::sync::Arc;

fn due(at: u64, session: &str, kind: handoff_engine::session::DeadlineKind) -> Due {
    Due {
        at: Timestamp(at),
        session: SessionId::new(session),
        kind,
    }
}

async fn all(store: &dyn Store) -> Vec<Due> {
    store.due(Timestamp(u64::MAX), 100).await.expect("reads")
}

pub(crate) async fn a_turn_replaces_the_deadlines_of_the_last_one(store: Arc<dyn Store>) {
    let first = turn("s", 1).due(Inactivity, 10).due(Node, 5).done();
    store.append(first, &[]).await.expect("taken");
    store
        .append(turn("t", 1).due(Node, 7).done(), &[])
        .await
        .expect("taken");
    assert_eq!(
        all(&*store).await,
        [
            due(5, "s", Node),
            due(7, "t", Node),
            due(10, "s", Inactivity)
        ]
    );
    let second = turn("s", 2).due(Inactivity, 12).due(Node, 5).done();
    store.append(second, &[]).await.expect("taken");
    assert_eq!(
        all(&*store).await,
        [
            due(5, "s", Node),
            due(7, "t", Node),
            due(12, "s", Inactivity)
        ]
    );
    store.append(turn("s", 3).done(), &[]).await.expect("taken");
    assert_eq!(all(&*store).await, [due(7, "t", Node)]);
}

pub(crate) async fn what_is_due_comes_in_order_and_no_more_than_asked_for(store: Arc<dyn Store>) {
    for (session, at) in [("c", 300), ("a", 20), ("d", 1000), ("b", 100)] {
        let turn = turn(session, 1).due(NoAgent, at).done();
        store.append(turn, &[]).await.expect("taken");
    }
    assert_eq!(store.next_due().await.expect("reads"), Some(Timestamp(20)));
    let at = async |now, limit| {
        let due = store.due(Timestamp(now), limit).await.expect("reads");
        let sessions: Vec<String> = due.iter().map(|due| due.session.to_string()).collect();
        sessions.concat()
    };
    assert_eq!(at(19, 9).await, "");
    assert_eq!(at(20, 9).await, "a");
    assert_eq!(at(999, 9).await, "abc");
    assert_eq!(at(999, 2).await, "ab");
    assert_eq!(at(999, 0).await, "");
    assert_eq!(at(1000, 9).await, "abcd");
    store.append(turn("a", 2).done(), &[]).await.expect("taken");
    assert_eq!(store.next_due().await.expect("reads"), Some(Timestamp(100)));
    assert_eq!(at(999, 2).await, "bc");
}

pub(crate) async fn a_store_without_deadlines_has_nothing_due(store: Arc<dyn Store>) {
    assert_eq!(store.next_due().await.expect("reads"), None);
    store
        .append(turn("s", 1).due(Node, 0).done(), &[])
        .await
        .expect("taken");
    assert_eq!(store.next_due().await.expect("reads"), Some(Timestamp(0)));
    assert_eq!(store.due(Timestamp(0), 9).await.expect("reads").len(), 1);
    store.append(turn("s", 2).done(), &[]).await.expect("taken");
    assert_eq!(store.next_due().await.expect("reads"), None);
}
