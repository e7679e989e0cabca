//! Effects are pending until they are settled.

use super::{effect, turn};
use handoff_engine::name::{EffectId, SessionId};
use handoff_store::Store;
use std::sync::Arc;

async fn pending(store: &dyn Store, session: &str) -> Vec<EffectId> {
    let session = SessionId::new(session);
    let pending = store.pending_effects(&session).await.expect("reads");
    pending.into_iter().map(|effect| effect.id).collect()
}

pub(crate) async fn effects_are_pending_in_the_order_asked_until_they_are_settled(
    store: Arc<dyn Store>,
) {
    // More than nine of each, so that an order by text would show.
    for revision in 1..=11 {
        let turn = (0..11).fold(turn("s", revision), |turn, _| turn.asks("x"));
        store.append(turn.done(), &[]).await.expect("taken");
    }
    let mut all: Vec<EffectId> = (1..=11)
        .flat_map(|revision| (1..=11).map(move |number| effect("s", revision, number)))
        .collect();
    assert_eq!(pending(&*store, "s").await, all);
    let settled = [effect("s", 10, 2), effect("s", 2, 10)];
    let s = SessionId::new("s");
    store.settle(&s, &settled).await.expect("settles");
    all.retain(|id| !settled.contains(id));
    assert_eq!(pending(&*store, "s").await, all);
}

pub(crate) async fn a_turn_settles_effects_of_earlier_ones_along_with_it(store: Arc<dyn Store>) {
    let first = turn("s", 1).asks("a").asks("b").done();
    store.append(first, &[]).await.expect("taken");
    let second = turn("s", 2).asks("c").done();
    store
        .append(second, &[effect("s", 1, 1)])
        .await
        .expect("taken");
    assert_eq!(
        pending(&*store, "s").await,
        [effect("s", 1, 2), effect("s", 2, 1)]
    );
}

pub(crate) async fn settling_what_is_not_pending_is_no_error(store: Arc<dyn Store>) {
    let s = SessionId::new("s");
    let unknown = [effect("s", 9, 9)];
    store.settle(&s, &unknown).await.expect("no session");
    store
        .append(turn("s", 1).asks("a").done(), &[])
        .await
        .expect("taken");
    store.settle(&s, &unknown).await.expect("no effect");
    let settled = [effect("s", 1, 1)];
    store.settle(&s, &settled).await.expect("settles");
    store.settle(&s, &settled).await.expect("again");
    store
        .append(turn("s", 2).done(), &settled)
        .await
        .expect("along with a turn");
    assert_eq!(pending(&*store, "s").await, []);
}

pub(crate) async fn a_turn_settles_what_is_done_by_its_commit(store: Arc<dyn Store>) {
    let both = turn("s", 1).asks("a").asks("b").done();
    let done = [effect("s", 1, 1)];
    store.append(both, &done).await.expect("taken");
    let s = SessionId::new("s");
    let pending = store.pending_effects(&s).await.expect("reads");
    let ids: Vec<_> = pending.into_iter().map(|effect| effect.id).collect();
    assert_eq!(ids, [effect("s", 1, 2)]);
}

pub(crate) async fn sessions_do_not_settle_each_others_effects(store: Arc<dyn Store>) {
    store
        .append(turn("s", 1).asks("a").done(), &[])
        .await
        .expect("taken");
    store
        .append(turn("t", 1).asks("b").done(), &[])
        .await
        .expect("taken");
    let theirs = [effect("s", 1, 1)];
    store
        .settle(&SessionId::new("t"), &theirs)
        .await
        .expect("no effect of its own");
    assert_eq!(pending(&*store, "s").await, theirs);
    assert_eq!(pending(&*store, "t").await, [effect("t", 1, 1)]);
}

pub(crate) async fn unfinished_are_sessions_with_pending_effects_or_an_open_handoff(
    store: Arc<dyn Store>,
) {
    store
        .append(turn("done", 1).done(), &[])
        .await
        .expect("taken");
    store
        .append(turn("owing", 1).asks("a").asks("b").done(), &[])
        .await
        .expect("taken");
    store
        .append(turn("agent", 1).with_agent().done(), &[])
        .await
        .expect("taken");
    let unfinished = async || {
        let mut ids = store.unfinished().await.expect("reads");
        ids.sort();
        ids
    };
    let [agent, owing] = ["agent", "owing"].map(SessionId::new);
    assert_eq!(unfinished().await, [agent.clone(), owing.clone()]);
    store
        .settle(&owing, &[effect("owing", 1, 1)])
        .await
        .expect("settles");
    assert_eq!(unfinished().await, [agent.clone(), owing.clone()]);
    store
        .settle(&owing, &[effect("owing", 1, 2)])
        .await
        .expect("settles");
    assert_eq!(unfinished().await, [agent]);
    store
        .append(turn("agent", 2).done(), &[])
        .await
        .expect("taken");
    assert_eq!(unfinished().await, []);
}
