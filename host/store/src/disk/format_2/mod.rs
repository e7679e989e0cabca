//! Format 2, and how a file in it is brought to format 3.
//!
//! A session was one record, rewritten at every turn with up to 500 lines of its transcript in it, and what users
//! were shown had to be read off the journal from the beginning. Format 3 keeps state in rows, lines and events as
//! records of their own.

mod undo;

use super::applying::{raw, replace_state};
use super::record::{self, TurnRecord};
use super::state::{self, Rows};
use super::tables::{Deadlines, Written, past};
use super::trouble::redb_failed;
use crate::StoreError;
use handoff_engine::session::{Session, TranscriptLine, Turn};
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use undo::Undo;

/// Revision, when it closed, whether a handoff is open, deadlines, and the session as JSON.
type Head<'a> = (u64, Option<u64>, bool, Deadlines, &'a [u8]);

/// The turn without its session, and the way back.
type Entry<'a> = (&'a [u8], &'a [u8]);

const SESSIONS: TableDefinition<'_, &str, Head<'_>> = TableDefinition::new("sessions");
const JOURNAL: TableDefinition<'_, (&str, u64), Entry<'_>> = TableDefinition::new("journal");

/// 1 to 2: open sessions are counted by the version of their project.
pub(super) fn count_open_sessions(transaction: &WriteTransaction) -> Result<(), StoreError> {
    #[derive(Deserialize)]
    struct Pinned {
        project: String,
    }
    let mut tables = Written::open(transaction)?;
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    let sessions = transaction.open_table(SESSIONS)?;
    for session in sessions.iter()? {
        let (_, head) = session?;
        let (_, closed_at, .., snapshot) = head.value();
        if closed_at.is_none() {
            let Pinned { project } = record::read(snapshot)?;
            *versions.entry(project).or_default() += 1;
        }
    }
    for (version, open) in versions {
        tables.versions.insert(version.as_str(), open)?;
    }
    Ok(())
}

/// 2 to 3: sessions become rows of state, lines of transcript and events.
pub(super) fn part_sessions(transaction: &WriteTransaction) -> Result<(), StoreError> {
    {
        let mut tables = Written::open(transaction)?;
        let sessions = transaction.open_table(SESSIONS)?;
        let journal = transaction.open_table(JOURNAL)?;
        for session in sessions.iter()? {
            let (id, head) = session?;
            let id = id.value();
            part(&mut tables, &journal, id, head.value())
                .map_err(|error| StoreError::corrupt(format!("session '{id}': {error}")))?;
        }
    }
    transaction.delete_table(SESSIONS).map_err(redb_failed)?;
    transaction.delete_table(JOURNAL).map_err(redb_failed)?;
    Ok(())
}

fn part(
    tables: &mut Written<'_>,
    journal: &Table<'_, (&str, u64), Entry<'_>>,
    id: &str,
    (revision, closed_at, handed_off, deadlines, snapshot): Head<'_>,
) -> Result<(), StoreError> {
    let mut whole: Value = record::read(snapshot)?;
    let mut after = without_transcript(&whole);
    let last = after.clone();
    // From the newest turn back, so the newest line comes first.
    let mut lines: Vec<TranscriptLine> = Vec::new();
    let past = past(id);
    for entry in journal.range((id, 0)..(past.as_str(), 0))?.rev() {
        let (place, entry) = entry?;
        let ((_, revision), (turn, way_back)) = (place.value(), entry.value());
        let mut turn: Value = record::read(turn)?;
        turn["session"] = whole.clone();
        let turn: Turn = serde_json::from_value(turn).map_err(StoreError::corrupt)?;
        for event in turn.user_events() {
            let place = u32::try_from(event.position.effect).map_err(StoreError::corrupt)?;
            let event_record = record::pack(&(event.at, &event.kind))?;
            let key = (id, revision, place);
            tables.events.insert(key, event_record.as_slice())?;
        }
        let said = transcript(&whole)?;
        let (earlier, before) = if way_back.is_empty() {
            whole = Value::Null;
            (Vec::new(), Rows::new())
        } else {
            record::read::<Undo<'_>>(way_back)?.apply(&mut whole)?;
            (transcript(&whole)?, without_transcript(&whole))
        };
        let new = said.len() - kept(&earlier, &said);
        lines.extend(said.into_iter().rev().take(new));
        let was = difference(&before, &after);
        let packed = record::pack(&TurnRecord::new(&turn, raw(&was)?))?;
        tables.turns.insert((id, revision), packed.as_slice())?;
        after = before;
    }
    for (number, line) in (0_u64..).zip(lines.iter().rev()) {
        let line = record::pack(line)?;
        tables.transcript.insert((id, number), line.as_slice())?;
    }
    let mut session: Session = rows_to_session(&last)?;
    session.lines = lines.len() as u64;
    session.bytes = lines.iter().map(|line| line.text.len() as u64).sum();
    let session = serde_json::to_value(&session).map_err(StoreError::corrupt)?;
    replace_state(tables, id, &state::split(session))?;
    let head = (revision, closed_at, handed_off, deadlines);
    tables.heads.insert(id, head)?;
    Ok(())
}

fn without_transcript(session: &Value) -> Rows {
    let mut session = session.clone();
    if let Some(members) = session.as_object_mut() {
        members.remove("transcript");
    }
    state::split(session)
}

fn transcript(session: &Value) -> Result<Vec<TranscriptLine>, StoreError> {
    let lines = session.get("transcript").cloned();
    let lines = lines.map(serde_json::from_value).transpose();
    Ok(lines.map_err(StoreError::corrupt)?.unwrap_or_default())
}

/// How many of the lines were there before: the transcript grew at its end and lost its oldest lines.
fn kept(earlier: &[TranscriptLine], later: &[TranscriptLine]) -> usize {
    let goes_on = |gone: &usize| later.starts_with(&earlier[*gone..]);
    (0..=earlier.len())
        .find(goes_on)
        .map_or(0, |gone| earlier.len() - gone)
}

fn difference(before: &Rows, after: &Rows) -> BTreeMap<String, Option<String>> {
    let paths = before.keys().chain(after.keys());
    let changed = paths.filter(|path| before.get(*path) != after.get(*path));
    changed
        .map(|path| (path.clone(), before.get(path).cloned()))
        .collect()
}

fn rows_to_session(rows: &Rows) -> Result<Session, StoreError> {
    let mut values = Vec::new();
    for (path, row) in rows {
        values.push((path.as_str(), record::read(row.as_bytes())?));
    }
    Session::deserialize(state::join(values.into_iter())?).map_err(StoreError::corrupt)
}
