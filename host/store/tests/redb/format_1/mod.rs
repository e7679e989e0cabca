//! A file in format 1, made by hand as `docs/store.md` tells it, is read by every later version.
//!
//! If this fails, files of users would not be read any more. Do not mend the records here: give new
//! members a default, or raise the format and write the step that brings a file up to date.

use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_engine::session::{DeadlineKind, Position, Turn};
use handoff_engine::time::Timestamp;
use handoff_store::{Census, Due, Forgotten, RedbStore, Store};
use redb::{Database, TableDefinition as Table};
use serde_json::{Value, json, to_value};
use std::path::Path;

type Head = (u64, Option<u64>, bool, Vec<(u64, u8)>, &'static [u8]);
type Entry = (&'static [u8], &'static [u8]);

const ABOUT: Table<'_, &str, &str> = Table::new("handoff-store");
const SESSIONS: Table<'_, &str, Head> = Table::new("sessions");
const JOURNAL: Table<'_, (&str, u64), Entry> = Table::new("journal");
const INPUTS: Table<'_, (&str, &str), u64> = Table::new("inputs");
const PENDING: Table<'_, (&str, u64, u32), &str> = Table::new("pending");
const HANDOFFS: Table<'_, &str, ()> = Table::new("handoffs");
const DEADLINES: Table<'_, (u64, &str, u8), ()> = Table::new("deadlines");
const CLOSED: Table<'_, (u64, &str), ()> = Table::new("closed");

const SESSION: &str = include_str!("session.json");
const TURNS: [&str; 2] = [include_str!("turn-1.json"), include_str!("turn-2.json")];
const WAY_BACK: &str = include_str!("way-back-2.json");
const OVER: &str = include_str!("over.json");

fn make(path: &Path) -> Result<(), redb::Error> {
    let database = Database::create(path)?;
    let transaction = database.begin_write()?;
    {
        let mut about = transaction.open_table(ABOUT)?;
        about.insert("format", "1")?;
        about.insert("made by", "handoff-store 0.1.0")?;
        about.insert("written by", "handoff-store 0.1.0")?;
        let mut sessions = transaction.open_table(SESSIONS)?;
        let head = (2, None, true, vec![(9000, 3)], SESSION.as_bytes());
        sessions.insert("s", head)?;
        let head = (1, Some(7), false, Vec::new(), OVER.as_bytes());
        sessions.insert("over", head)?;
        let mut journal = transaction.open_table(JOURNAL)?;
        let [first, second] = TURNS.map(str::as_bytes);
        journal.insert(("s", 1), (first, [].as_slice()))?;
        journal.insert(("s", 2), (second, WAY_BACK.as_bytes()))?;
        journal.insert(("over", 1), (first, [].as_slice()))?;
        let mut inputs = transaction.open_table(INPUTS)?;
        inputs.insert(("s", "start"), 1)?;
        inputs.insert(("s", "hello"), 2)?;
        inputs.insert(("over", "start"), 1)?;
        let mut pending = transaction.open_table(PENDING)?;
        pending.insert(("s", 2, 1), "s/2/2")?;
        transaction.open_table(HANDOFFS)?.insert("s", ())?;
        let mut deadlines = transaction.open_table(DEADLINES)?;
        deadlines.insert((9000, "s", 3), ())?;
        transaction.open_table(CLOSED)?.insert((7, "over"), ())?;
    }
    transaction.commit()?;
    Ok(())
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("is JSON")
}

/// The turn as a record, and the session beside it.
fn apart(turn: &Turn) -> (Value, Value) {
    let mut turn = to_value(turn).expect("is data");
    let session = turn.as_object_mut().and_then(|turn| turn.remove("session"));
    (turn, session.expect("every turn has one"))
}

#[tokio::test]
async fn a_file_in_format_1_is_read_and_written_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.handoff");
    make(&path).expect("is made");
    let store = RedbStore::open(&path).expect("opens");
    let [s, over] = ["s", "over"].map(SessionId::new);

    let loaded = store.load(&s).await.expect("reads").expect("is there");
    let lines = parsed(SESSION)["transcript"].clone();
    let transcript = store.transcript(&s, 99).await.expect("reads");
    assert_eq!(to_value(&transcript).expect("is data"), lines);
    let mut session = parsed(SESSION);
    session
        .as_object_mut()
        .expect("is one")
        .remove("transcript");
    let bytes: usize = transcript.iter().map(|line| line.text.len()).sum();
    (session["lines"], session["bytes"]) = (json!(transcript.len()), json!(bytes));
    assert_eq!(to_value(&loaded).expect("is data"), session);
    let events = store
        .events(&s, Position::default(), 99)
        .await
        .expect("reads");
    let texts: Vec<_> = events
        .iter()
        .map(|event| to_value(&event.kind).expect("is data")["message"]["text"].clone())
        .collect();
    assert_eq!(texts, ["Hi", "One moment"]);
    let journal = store
        .journal(&s, Revision(0), usize::MAX)
        .await
        .expect("reads");
    let [first, second] = [&journal[0], &journal[1]].map(|turn| apart(turn));
    let turn = |text: &str| {
        let mut turn = parsed(text);
        turn["said"] = json!([]);
        turn
    };
    assert_eq!(second, (turn(TURNS[1]), session.clone()));
    let mut before = session;
    before["revision"] = json!(1);
    before["stack"] = json!([{"flow": {
        "bot": "CareBot",
        "flow": "care",
        "node": "ask",
        "waiting": {"message": {"state": "{}", "until": null}},
    }}]);
    before["context"] = json!({});
    before["last_message"] = Value::Null;
    before["inactive_at"] = json!(5000);
    // What was said is counted from the upgrade on; what stands in states before it means nothing.
    let mut first = first;
    for count in ["lines", "bytes"] {
        first.1[count] = before[count].clone();
    }
    assert_eq!(first, (turn(TURNS[0]), before));

    let pending = store.pending_effects(&s).await.expect("reads");
    assert_eq!(
        to_value(pending).expect("is data"),
        json!([parsed(TURNS[1])["effects"][1]])
    );
    let hello = InputId::new("hello");
    assert!(store.has_input(&s, &hello).await.expect("reads"));
    let unfinished = store.unfinished().await.expect("reads");
    assert_eq!(unfinished.as_slice(), std::slice::from_ref(&s));
    let due = Due {
        at: Timestamp(9000),
        session: s.clone(),
        kind: DeadlineKind::NoAgent,
    };
    assert_eq!(store.due(Timestamp(9000), 9).await.expect("reads"), [due]);
    let closed = store.closed_before(Timestamp(8), 9).await.expect("reads");
    assert_eq!(closed.as_slice(), std::slice::from_ref(&over));

    let census = store.census().await.expect("reads");
    let counted = Census {
        open: [(loaded.project.clone(), 1)].into(),
        handed_off: 1,
    };
    assert_eq!(census, counted);

    drop(store);
    let verified = RedbStore::verify(&path).expect("is whole");
    assert_eq!((verified.sessions, verified.turns), (2, 3));
    let store = RedbStore::open(&path).expect("opens");
    let mut next = (*journal[1]).clone();
    next.session.revision = Revision(3);
    next.input.id = InputId::new("next");
    let appended = store
        .append(std::sync::Arc::new(next), &["s/2/2".into()])
        .await;
    appended.expect("is taken");
    assert_eq!(
        store.forget(&over).await.expect("answers"),
        Forgotten::Dropped
    );
}
