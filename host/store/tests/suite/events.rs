//! What users are shown and what was said are records of their own.

use super::{effect, line, turn};
use handoff_engine::name::{Revision, SessionId};
use handoff_engine::session::{Position, UserEventKind};
use handoff_store::{Forgotten, Store};
use std::sync::Arc;

fn position(revision: u64, effect: usize) -> Position {
    Position {
        revision: Revision(revision),
        effect,
    }
}

async fn filled(store: &dyn Store) -> SessionId {
    for revision in 1..=6 {
        let turn = turn("s", revision);
        // Every second turn shows nothing.
        let turn = match revision % 2 {
            0 => turn.asks("a").asks("b").asks("c"),
            _ => turn,
        };
        store.append(turn.done(), &[]).await.expect("taken");
        let other = super::turn("s/1", revision).asks("other");
        store.append(other.done(), &[]).await.expect("taken");
    }
    SessionId::new("s")
}

pub(crate) async fn what_users_are_shown_is_read_by_position_a_page_at_a_time(
    store: Arc<dyn Store>,
) {
    let s = filled(&*store).await;
    let mut after = Position::default();
    let mut seen = Vec::new();
    loop {
        let page = store.events(&s, after, 2).await.expect("reads");
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = last.position;
        for event in page {
            let UserEventKind::Message { text, .. } = event.kind else {
                panic!("{event:?}");
            };
            seen.push((event.position, text));
        }
    }
    let wanted: Vec<_> = [2, 4, 6]
        .into_iter()
        .flat_map(|revision| {
            let shown = (1..).zip(["a", "b", "c"]);
            shown.map(move |(effect, text)| (position(revision, effect), text.to_owned()))
        })
        .collect();
    assert_eq!(seen, wanted);
    let beyond = store.events(&s, position(u64::MAX, usize::MAX), 9).await;
    assert!(beyond.expect("reads").is_empty());
    let unknown = SessionId::new("unknown");
    let none = store.events(&unknown, Position::default(), 9).await;
    assert!(none.expect("reads").is_empty());
}

pub(crate) async fn a_position_that_no_event_has_is_told_apart(store: Arc<dyn Store>) {
    let s = filled(&*store).await;
    for (place, known) in [
        (position(2, 1), true),
        (position(6, 3), true),
        (position(2, 0), false),
        (position(2, 4), false),
        (position(3, 1), false),
        (position(999, 9), false),
        (position(2, usize::MAX), false),
        (Position::default(), false),
    ] {
        assert_eq!(
            store.has_event(&s, place).await.expect("reads"),
            known,
            "{place:?}"
        );
    }
}

pub(crate) async fn the_transcript_is_read_from_its_end(store: Arc<dyn Store>) {
    let s = filled(&*store).await;
    for limit in [0, 1, 4, 6, 100] {
        let lines = store.transcript(&s, limit).await.expect("reads");
        let first = 7_u64.saturating_sub(limit as u64).max(1);
        let wanted: Vec<_> = (first..=6).map(line).collect();
        assert_eq!(lines, wanted, "{limit}");
    }
}

pub(crate) async fn of_a_forgotten_session_no_event_and_no_line_is_left(store: Arc<dyn Store>) {
    let s = filled(&*store).await;
    let effects: Vec<_> = [2, 4, 6]
        .into_iter()
        .flat_map(|revision| (1..=3).map(move |number| effect("s", revision, number)))
        .collect();
    let last = turn("s", 7).closes(9).done();
    store.append(last, &effects).await.expect("taken");
    assert_eq!(store.forget(&s).await.expect("answers"), Forgotten::Dropped);
    assert!(store.transcript(&s, 99).await.expect("reads").is_empty());
    let events = store.events(&s, Position::default(), 99).await;
    assert!(events.expect("reads").is_empty());
    let other = SessionId::new("s/1");
    assert_eq!(store.transcript(&other, 99).await.expect("reads").len(), 6);
}
