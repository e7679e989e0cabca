//! How deeds change the tables.
//!
//! Every index is brought up to date in the transaction that changes what it is of, so there is no
//! moment at which they differ.

use super::deed::{Append, Applied};
use super::state::Rows;
use super::tables::{Deadlines, NUMBER, Written, past};
use super::{blob, record};
use crate::{AppendError, Forgotten, StoreError};
use handoff_engine::name::{EffectId, Revision};
use record::{Before, TurnRecord};
use redb::ReadableTable;
use std::collections::BTreeMap;

/// What the indexes hold of a session.
#[derive(Default)]
struct Indexed {
    revision: u64,
    closed_at: Option<u64>,
    handed_off: bool,
    deadlines: Deadlines,
}

impl Indexed {
    fn is_open(&self) -> bool {
        self.revision > 0 && self.closed_at.is_none()
    }
}

/// Appends a turn, or says why not.
pub(super) fn append(
    tables: &mut Written<'_>,
    append: &Append,
) -> Result<Applied<Result<(), AppendError>>, StoreError> {
    let turn = &append.turn;
    let (session, input) = (turn.session.id.as_str(), turn.input.id.as_str());
    let revision = turn.session.revision;
    let before = indexed(tables, session)?.unwrap_or_default();
    let found = Revision(before.revision);
    if found.next() != revision {
        return Ok(Applied::Unchanged(Err(AppendError::Conflict {
            expected: Revision(revision.0.saturating_sub(1)),
            found,
        })));
    }
    if tables.inputs.get((session, input))?.is_some() {
        let input = turn.input.id.clone();
        return Ok(Applied::Unchanged(Err(AppendError::Duplicate(input))));
    }
    let was = replace_state(tables, session, &append.state)?;
    let after = Indexed {
        revision: revision.0,
        closed_at: append.closed_at(),
        handed_off: turn.session.handoff().is_some(),
        deadlines: append.deadlines(),
    };
    reindex(tables, session, &before, &after)?;
    recount(tables, &turn.session.project, &before, &after)?;
    tables.inputs.insert((session, input), revision.0)?;
    tables.count(session.len() + input.len(), NUMBER);
    for (place, effect) in (0..).zip(&turn.effects) {
        let key = (session, revision.0, place);
        tables.pending.insert(key, effect.id.as_str())?;
        tables.count(session.len() + 2 * NUMBER, effect.id.as_str().len());
    }
    settle(tables, session, &append.settled)?;
    for (place, event) in &append.events {
        let key = (session, revision.0, *place);
        tables.events.insert(key, event.as_slice())?;
        tables.count(session.len() + 2 * NUMBER, event.len());
    }
    for (number, line) in &append.lines {
        tables
            .transcript
            .insert((session, *number), line.as_slice())?;
        tables.count(session.len() + NUMBER, line.len());
    }
    let entry = record::pack(&TurnRecord::new(turn, raw(&was)?))?;
    tables
        .turns
        .insert((session, revision.0), entry.as_slice())?;
    tables.count(session.len() + NUMBER, entry.len());
    tables.count(session.len(), (3 + 2 * after.deadlines.len()) * NUMBER);
    let head = (
        after.revision,
        after.closed_at,
        after.handed_off,
        after.deadlines,
    );
    tables.heads.insert(session, head)?;
    Ok(Applied::Changed(Ok(())))
}

/// Counts the open sessions of a version. A session stays with the one it started with.
fn recount(
    tables: &mut Written<'_>,
    version: &str,
    before: &Indexed,
    after: &Indexed,
) -> Result<(), StoreError> {
    if before.is_open() == after.is_open() {
        return Ok(());
    }
    let counted = tables.versions.get(version)?.map_or(0, |open| open.value());
    let open = if after.is_open() {
        counted + 1
    } else {
        counted.saturating_sub(1)
    };
    if open == 0 {
        tables.versions.remove(version)?;
    } else {
        tables.versions.insert(version, open)?;
    }
    Ok(())
}

fn indexed(tables: &Written<'_>, session: &str) -> Result<Option<Indexed>, StoreError> {
    let Some(head) = tables.heads.get(session)? else {
        return Ok(None);
    };
    let (revision, closed_at, handed_off, deadlines) = head.value();
    Ok(Some(Indexed {
        revision,
        closed_at,
        handed_off,
        deadlines,
    }))
}

/// Writes the rows of a session that are not as they were. Gives what they were; none where there was none.
pub(super) fn replace_state(
    tables: &mut Written<'_>,
    session: &str,
    rows: &Rows,
) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    let mut was = BTreeMap::new();
    let past = past(session);
    for row in tables.state.range((session, "")..(past.as_str(), ""))? {
        let (key, value) = row?;
        let path = key.value().1;
        let old = blob::unpack(value.value())?;
        if rows.get(path).is_none_or(|new| new.as_bytes() != &*old) {
            let old = String::from_utf8(old.into_owned()).map_err(StoreError::corrupt)?;
            was.insert(path.to_owned(), Some(old));
        }
    }
    for (path, row) in rows {
        if !was.contains_key(path) {
            // As it was, or new.
            if tables.state.get((session, path.as_str()))?.is_some() {
                continue;
            }
            was.insert(path.clone(), None);
        }
        let packed = blob::pack(row.as_bytes());
        tables
            .state
            .insert((session, path.as_str()), packed.as_slice())?;
        tables.count(session.len() + path.len(), packed.len());
    }
    for path in was.keys().filter(|path| !rows.contains_key(*path)) {
        tables.state.remove((session, path.as_str()))?;
    }
    Ok(was)
}

/// Rows as they stand in a turn's record.
pub(super) fn raw(was: &BTreeMap<String, Option<String>>) -> Result<Before<'_>, StoreError> {
    let mut before = Before::default();
    for (path, row) in was {
        match row {
            Some(row) => drop(before.was.insert(path, record::read(row.as_bytes())?)),
            None => before.new.push(path),
        }
    }
    Ok(before)
}

fn reindex(
    tables: &mut Written<'_>,
    session: &str,
    before: &Indexed,
    after: &Indexed,
) -> Result<(), StoreError> {
    let gone = |deadline| !after.deadlines.contains(deadline);
    for (at, kind) in before.deadlines.iter().filter(|deadline| gone(deadline)) {
        tables.deadlines.remove((*at, session, *kind))?;
    }
    let new = |deadline| !before.deadlines.contains(deadline);
    for (at, kind) in after.deadlines.iter().filter(|deadline| new(deadline)) {
        tables.deadlines.insert((*at, session, *kind), ())?;
        tables.count(session.len() + 2 * NUMBER, 0);
    }
    if before.closed_at != after.closed_at {
        if let Some(at) = before.closed_at {
            tables.closed.remove((at, session))?;
        }
        if let Some(at) = after.closed_at {
            tables.closed.insert((at, session), ())?;
        }
    }
    match (before.handed_off, after.handed_off) {
        (false, true) => drop(tables.handoffs.insert(session, ())?),
        (true, false) => drop(tables.handoffs.remove(session)?),
        _ => {}
    }
    Ok(())
}

/// Settles effects; how many of them were pending.
pub(super) fn settle(
    tables: &mut Written<'_>,
    session: &str,
    effects: &[EffectId],
) -> Result<usize, StoreError> {
    if effects.is_empty() {
        return Ok(0);
    }
    let mut places = Vec::new();
    let past = past(session);
    for pending in tables
        .pending
        .range((session, 0, 0)..(past.as_str(), 0, 0))?
    {
        let (place, id) = pending?;
        if effects.iter().any(|effect| effect.as_str() == id.value()) {
            let (_, revision, place) = place.value();
            places.push((revision, place));
        }
    }
    for (revision, place) in &places {
        tables.pending.remove((session, *revision, *place))?;
    }
    Ok(places.len())
}

/// Drops a session that is closed and owes nothing.
pub(super) fn forget(tables: &mut Written<'_>, session: &str) -> Result<Forgotten, StoreError> {
    let Some(before) = indexed(tables, session)? else {
        return Ok(Forgotten::Unknown);
    };
    let past = past(session);
    let owes = before.handed_off
        || tables
            .pending
            .range((session, 0, 0)..(past.as_str(), 0, 0))?
            .next()
            .is_some();
    if owes || before.closed_at.is_none() {
        return Ok(Forgotten::StillNeeded);
    }
    reindex(tables, session, &before, &Indexed::default())?;
    tables
        .turns
        .retain_in((session, 0)..(past.as_str(), 0), |_, _| false)?;
    tables
        .state
        .retain_in((session, "")..(past.as_str(), ""), |_, _| false)?;
    tables
        .events
        .retain_in((session, 0, 0)..(past.as_str(), 0, 0), |_, _| false)?;
    tables
        .transcript
        .retain_in((session, 0)..(past.as_str(), 0), |_, _| false)?;
    tables
        .inputs
        .retain_in((session, "")..(past.as_str(), ""), |_, _| false)?;
    tables.heads.remove(session)?;
    Ok(Forgotten::Dropped)
}
