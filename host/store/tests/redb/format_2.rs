//! A file in format 2, made by hand, is read by every later version: a session longer than what format 2 kept of its
//! transcript, with each line in its turn.

use handoff_engine::name::{Revision, SessionId};
use handoff_engine::session::{Position, UserEventKind};
use handoff_store::{RedbStore, Store};
use redb::{Database, TableDefinition as Table};
use serde_json::{Value, json};
use std::path::Path;

type Head = (u64, Option<u64>, bool, Vec<(u64, u8)>, &'static [u8]);
type Entry = (&'static [u8], &'static [u8]);

const ABOUT: Table<'_, &str, &str> = Table::new("handoff-store");
const SESSIONS: Table<'_, &str, Head> = Table::new("sessions");
const JOURNAL: Table<'_, (&str, u64), Entry> = Table::new("journal");
const VERSIONS: Table<'_, &str, u64> = Table::new("versions");

/// Turns of the session.
const TURNS: u64 = 700;

/// Lines that format 2 kept in a session.
const KEPT: u64 = 500;

fn line(number: u64) -> Value {
    json!({"speaker": {"bot": "CareBot"}, "text": format!("line {number}"), "at": number})
}

/// The lines kept after a turn: each turn says one.
fn lines(revision: u64) -> Vec<Value> {
    let first = revision.saturating_sub(KEPT) + 1;
    (first..=revision).map(line).collect()
}

fn session(revision: u64) -> Value {
    json!({
        "id": "s", "revision": revision, "project": "digest", "channel": null, "status": "open",
        "stack": [{"flow": {"bot": "CareBot", "flow": "care", "node": "ask", "waiting": "entry"}}],
        "context": {"turn": revision}, "attributes": {}, "transcript": lines(revision),
        "last_message": null, "last_handoff": null, "last_error": null, "inactive_at": null,
    })
}

fn turn(revision: u64) -> Value {
    json!({
        "at": revision,
        "input": {"id": format!("in-{revision}"), "kind": {"user-message": {"text": "more"}}},
        "journal": [],
        "effects": [{"id": format!("s/{revision}/1"), "kind": {
            "send-to-user": {"from": {"bot": "CareBot"}, "text": format!("line {revision}")},
        }}],
        "deadlines": [],
    })
}

fn way_back(revision: u64) -> Value {
    let front: Vec<Value> = (revision > KEPT)
        .then(|| line(revision - KEPT))
        .into_iter()
        .collect();
    let keep = (revision - 1).min(KEPT) - front.len() as u64;
    json!({"members": {
        "revision": {"was": revision - 1},
        "context": {"members": {"turn": {"was": revision - 1}}},
        "transcript": {"items": {"front": front, "keep": keep}},
    }})
}

fn make(path: &Path) -> Result<(), redb::Error> {
    let database = Database::create(path)?;
    let transaction = database.begin_write()?;
    {
        let mut about = transaction.open_table(ABOUT)?;
        about.insert("format", "2")?;
        about.insert("made by", "handoff-store 0.1.0")?;
        about.insert("written by", "handoff-store 0.1.0")?;
        let snapshot = session(TURNS).to_string();
        let head = (TURNS, None, false, Vec::new(), snapshot.as_bytes());
        transaction.open_table(SESSIONS)?.insert("s", head)?;
        transaction.open_table(VERSIONS)?.insert("digest", 1)?;
        let mut journal = transaction.open_table(JOURNAL)?;
        for revision in 1..=TURNS {
            let turn = turn(revision).to_string();
            let back = match revision {
                1 => String::new(),
                _ => way_back(revision).to_string(),
            };
            journal.insert(("s", revision), (turn.as_bytes(), back.as_bytes()))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

#[tokio::test]
async fn a_long_session_in_format_2_is_read_line_by_line_and_event_by_event() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.handoff");
    make(&path).expect("is made");
    let store = RedbStore::open(&path).expect("opens");
    let s = SessionId::new("s");

    let transcript = store.transcript(&s, usize::MAX).await.expect("reads");
    let numbers: Vec<u64> = transcript.iter().map(|line| line.at.0).collect();
    assert_eq!(numbers, (1..=TURNS).collect::<Vec<_>>());
    let session = store.load(&s).await.expect("reads").expect("is there");
    assert_eq!(session.lines, TURNS);

    let after = Position {
        revision: Revision(TURNS - 3),
        effect: 1,
    };
    let events = store.events(&s, after, 2).await.expect("reads");
    let texts: Vec<_> = events
        .iter()
        .map(|event| match &event.kind {
            UserEventKind::Message { text, .. } => text.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["line 698", "line 699"]);

    let journal = store
        .journal(&s, Revision(0), usize::MAX)
        .await
        .expect("reads");
    assert_eq!(journal.len() as u64, TURNS);
    for (revision, turn) in (1..).zip(&journal) {
        assert_eq!(turn.session.revision, Revision(revision));
        assert_eq!(turn.session.context["turn"], json!(revision));
    }
    drop(store);
    let verified = RedbStore::verify(&path).expect("is whole");
    assert_eq!(
        (verified.turns, verified.events, verified.lines),
        (TURNS, TURNS, TURNS)
    );
}

#[tokio::test]
async fn a_session_that_cannot_be_brought_over_is_named_and_the_file_left_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.handoff");
    make(&path).expect("is made");
    let damage = || -> Result<(), redb::Error> {
        let database = Database::open(&path)?;
        let transaction = database.begin_write()?;
        let entry = (b"{}".as_slice(), b"{}".as_slice());
        transaction.open_table(JOURNAL)?.insert(("s", 9), entry)?;
        transaction.commit()?;
        Ok(())
    };
    damage().expect("is damaged");
    for _ in 0..2 {
        let error = RedbStore::open(&path).expect_err("is refused");
        assert_eq!(error.code(), "store.corrupt");
        assert!(error.to_string().contains("session 's'"), "{error}");
    }
}
