//! What was appended is read back.

use super::{as_kept, effect, turn};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_store::Store;
use serde_json::{json, to_value};
use std::sync::Arc;

pub(crate) async fn an_unknown_session_has_nothing(store: Arc<dyn Store>) {
    let s = SessionId::new("s");
    assert!(store.load(&s).await.expect("reads").is_none());
    assert!(store.pending_effects(&s).await.expect("reads").is_empty());
    assert!(
        store
            .journal(&s, Revision(0), usize::MAX)
            .await
            .expect("reads")
            .is_empty()
    );
    let input = InputId::new("input-1");
    assert!(!store.has_input(&s, &input).await.expect("reads"));
    assert!(store.unfinished().await.expect("reads").is_empty());
}

pub(crate) async fn a_session_is_loaded_as_its_last_turn_left_it(store: Arc<dyn Store>) {
    let first = turn("s", 1).with_agent().done();
    store.append(Arc::clone(&first), &[]).await.expect("taken");
    let loaded = store.load(&first.session.id).await.expect("reads");
    assert_eq!(
        to_value(loaded).expect("is data"),
        to_value(&first.session).expect("is data")
    );
    let mut second = (*turn("s", 2).done()).clone();
    second
        .session
        .context
        .insert("city".to_owned(), json!("Lisboa"));
    let second = Arc::new(second);
    store.append(Arc::clone(&second), &[]).await.expect("taken");
    let loaded = store.load(&second.session.id).await.expect("reads");
    assert_eq!(
        to_value(loaded).expect("is data"),
        to_value(&second.session).expect("is data")
    );
}

pub(crate) async fn the_journal_is_read_from_a_revision_on(store: Arc<dyn Store>) {
    let s = SessionId::new("s");
    let turns: Vec<_> = (1..=12)
        .map(|next| turn("s", next).asks("x").done())
        .collect();
    for turn in &turns {
        store.append(Arc::clone(turn), &[]).await.expect("taken");
    }
    store
        .settle(&s, &[effect("s", 2, 1)])
        .await
        .expect("settles");
    for from in [0, 1, 2, 12, 13, u64::MAX] {
        let journal = store
            .journal(&s, Revision(from), usize::MAX)
            .await
            .expect("reads");
        let wanted = turns.iter().filter(|turn| turn.session.revision.0 >= from);
        let wanted: Vec<_> = wanted.map(|turn| as_kept(turn)).collect();
        let journal: Vec<_> = journal.iter().map(|turn| as_kept(turn)).collect();
        assert_eq!(journal, wanted, "from {from}");
        // Of too many, the last ones.
        let last = store.journal(&s, Revision(from), 3).await.expect("reads");
        let last: Vec<_> = last.iter().map(|turn| as_kept(turn)).collect();
        assert_eq!(
            last,
            wanted[wanted.len().saturating_sub(3)..],
            "from {from}"
        );
    }
}

pub(crate) async fn sessions_are_kept_apart(store: Arc<dyn Store>) {
    // Names of which one begins like another, or holds what separates parts of ids.
    let names = ["s", "s/1", "s/1/1", "t", ""];
    for (place, name) in names.iter().enumerate() {
        for revision in 1..=place as u64 + 1 {
            let turn = turn(name, revision).asks(name).done();
            store.append(turn, &[]).await.expect("taken");
        }
    }
    for (place, name) in names.iter().enumerate() {
        let id = SessionId::new(*name);
        let turns = place + 1;
        let session = store.load(&id).await.expect("reads").expect("is there");
        assert_eq!(
            (session.id.as_str(), session.revision.0),
            (*name, turns as u64)
        );
        let journal = store
            .journal(&id, Revision(0), usize::MAX)
            .await
            .expect("reads");
        assert_eq!(journal.len(), turns);
        assert!(journal.iter().all(|turn| turn.session.id == id));
        assert_eq!(
            store.pending_effects(&id).await.expect("reads").len(),
            turns
        );
    }
    assert_eq!(store.unfinished().await.expect("reads").len(), names.len());
}

pub(crate) async fn what_was_null_or_was_not_there_is_read_back_as_it_was(store: Arc<dyn Store>) {
    // Large enough that each value has a place of its own.
    let values = [
        json!(null),
        json!("x".repeat(300)),
        json!({}),
        json!([]),
        json!(null),
        json!({"a": null, "b": "x".repeat(300)}),
        json!([null, "x".repeat(300), {"c": null}]),
        json!(false),
    ];
    let mut turns = Vec::new();
    for (revision, value) in (1..).zip(&values) {
        let mut next = turn("s", revision);
        for name in ["one", "two", "three", "four", "five"] {
            next = next.remembers(name, json!(format!("{name}{}", "x".repeat(100))));
        }
        // One that is there at every second turn only.
        if revision % 2 == 0 {
            next = next.remembers("null", json!(null));
        }
        let next = next.remembers("value", value.clone()).with_agent().done();
        store.append(Arc::clone(&next), &[]).await.expect("taken");
        turns.push(next);
    }
    let journal = store
        .journal(&SessionId::new("s"), Revision(0), usize::MAX)
        .await;
    for (read, written) in journal.expect("reads").iter().zip(&turns) {
        assert_eq!(as_kept(read), as_kept(written));
    }
}

pub(crate) async fn what_is_deep_and_what_is_exact_is_read_back(store: Arc<dyn Store>) {
    // As deep as a parser with the usual limit lets through.
    let deep = "[".repeat(127) + &"]".repeat(127);
    let deep: serde_json::Value = serde_json::from_str(&deep).expect("parses");
    let exact = json!([
        0.1,
        1e23,
        5e-324,
        0.300_000_000_000_000_04,
        u64::MAX,
        i64::MIN,
        "\0\u{1F600}\""
    ]);
    let turns = [
        turn("s", 1).remembers("x", deep.clone()).done(),
        turn("s", 2).remembers("x", json!([deep])).done(),
        turn("s", 3).remembers("x", exact).done(),
        turn("s", 4).done(),
    ];
    for turn in &turns {
        store.append(Arc::clone(turn), &[]).await.expect("taken");
        let loaded = store.load(&turn.session.id).await.expect("reads");
        assert_eq!(
            to_value(loaded).expect("is data"),
            to_value(&turn.session).expect("is data")
        );
    }
    let journal = store
        .journal(&SessionId::new("s"), Revision(0), usize::MAX)
        .await;
    for (read, written) in journal.expect("reads").iter().zip(&turns) {
        assert_eq!(as_kept(read), as_kept(written));
    }
}
