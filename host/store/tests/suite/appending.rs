//! One turn after another, each once.

use super::{effect, turn};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_store::{AppendError, Store};
use std::sync::Arc;

async fn revision(store: &dyn Store, session: &str) -> Option<u64> {
    let session = store.load(&SessionId::new(session)).await.expect("loads");
    session.map(|session| session.revision.0)
}

pub(crate) async fn a_turn_is_taken_at_the_next_revision_only(store: Arc<dyn Store>) {
    for next in 1..=3 {
        store
            .append(turn("s", next).done(), &[])
            .await
            .expect("taken");
        assert_eq!(revision(&*store, "s").await, Some(next));
    }
    for other in [0, 1, 2, 3, 5] {
        let turn = turn("s", other).input("another").done();
        let refused = store.append(turn, &[]).await.expect_err("refused");
        let AppendError::Conflict { expected, found } = refused else {
            panic!("{refused}");
        };
        assert_eq!((expected.0, found.0), (u64::saturating_sub(other, 1), 3));
    }
    assert_eq!(revision(&*store, "s").await, Some(3));
}

pub(crate) async fn a_turn_computed_from_another_revision_changes_nothing(store: Arc<dyn Store>) {
    let first = turn("s", 1).asks("a").done();
    store.append(first, &[]).await.expect("taken");
    let stale = turn("s", 1)
        .input("another")
        .asks("b")
        .due(handoff_engine::session::DeadlineKind::Node, 5)
        .with_agent()
        .done();
    let refused = store.append(stale, &[effect("s", 1, 1)]).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { .. })),
        "{refused:?}"
    );
    let s = SessionId::new("s");
    let pending = store.pending_effects(&s).await.expect("reads");
    assert_eq!(pending.len(), 1, "{pending:?}");
    assert_eq!(pending[0].id, effect("s", 1, 1));
    assert_eq!(store.next_due().await.expect("reads"), None);
    assert_eq!(
        store
            .journal(&s, Revision(0), usize::MAX)
            .await
            .expect("reads")
            .len(),
        1
    );
    let another = InputId::new("another");
    assert!(!store.has_input(&s, &another).await.expect("reads"));
    let unknown = turn("new", 2).asks("b").done();
    let refused = store.append(unknown, &[]).await;
    assert!(
        matches!(refused, Err(AppendError::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!(revision(&*store, "new").await, None);
    assert_eq!(store.unfinished().await.expect("reads"), [s]);
}

pub(crate) async fn the_same_input_twice_is_a_duplicate_and_changes_nothing(store: Arc<dyn Store>) {
    let first = turn("s", 1).input("hello").asks("a").done();
    store.append(first, &[]).await.expect("taken");
    let again = turn("s", 2).input("hello").asks("b").done();
    let refused = store.append(again, &[effect("s", 1, 1)]).await;
    let Err(AppendError::Duplicate(id)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(id, InputId::new("hello"));
    assert_eq!(revision(&*store, "s").await, Some(1));
    let pending = store.pending_effects(&SessionId::new("s")).await;
    assert_eq!(pending.expect("reads").len(), 1);
    let next = turn("s", 2).input("hello again").done();
    store
        .append(next, &[])
        .await
        .expect("the revision is still free");
    let elsewhere = turn("t", 1).input("hello").done();
    store
        .append(elsewhere, &[])
        .await
        .expect("inputs are a session's own");
}

pub(crate) async fn a_lost_answer_can_be_told_from_a_lost_turn(store: Arc<dyn Store>) {
    let s = SessionId::new("s");
    let input = InputId::new("input-1");
    assert!(!store.has_input(&s, &input).await.expect("reads"));
    store.append(turn("s", 1).done(), &[]).await.expect("taken");
    assert!(store.has_input(&s, &input).await.expect("reads"));
    store.append(turn("s", 2).done(), &[]).await.expect("taken");
    assert!(
        store.has_input(&s, &input).await.expect("reads"),
        "for good"
    );
    let other = SessionId::new("t");
    assert!(!store.has_input(&other, &input).await.expect("reads"));
}

pub(crate) async fn of_many_writers_at_one_revision_one_wins(store: Arc<dyn Store>) {
    let writers = (0..16).map(|writer| {
        let store = Arc::clone(&store);
        let turn = turn("s", 1).input(&format!("writer-{writer}")).done();
        tokio::spawn(async move { store.append(turn, &[]).await.is_ok() })
    });
    let writers: Vec<_> = writers.collect();
    let mut won = 0;
    for writer in writers {
        won += usize::from(writer.await.expect("runs"));
    }
    assert_eq!(won, 1);
    assert_eq!(revision(&*store, "s").await, Some(1));
}
