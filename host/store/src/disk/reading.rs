//! Questions to the tables as they were committed last.

use super::blob;
use super::record::{self, ReadTurn};
use super::state;
use super::tables::{Read, kind_of, past};
use crate::{Census, Due, StoreError};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_engine::session::{
    Effect, Position, Session, TranscriptLine, Turn, UserEvent, UserEventKind,
};
use handoff_engine::time::Timestamp;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// One moment of the store, which what is written in the meantime does not change.
pub(super) struct Reading(Read);

impl Reading {
    pub(super) fn new(transaction: ReadTransaction) -> Self {
        Self(Read::new(transaction))
    }

    pub(super) fn load(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        let mut rows = self.state(session.as_str())?;
        if rows.is_empty() {
            return Ok(None);
        }
        let rows = rows
            .iter_mut()
            .map(|(path, value)| (path.as_str(), value.take()));
        session_of(rows).map(Some)
    }

    /// The rows of a session's state.
    fn state(&self, session: &str) -> Result<BTreeMap<String, Value>, StoreError> {
        let past = past(session);
        let mut rows = BTreeMap::new();
        for row in self.0.state()?.range((session, "")..(past.as_str(), ""))? {
            let (key, value) = row?;
            let value = record::read(&blob::unpack(value.value())?)?;
            rows.insert(key.value().1.to_owned(), value);
        }
        Ok(rows)
    }

    pub(super) fn events(
        &self,
        session: &SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<UserEvent>, StoreError> {
        let session = session.as_str();
        let past = past(session);
        let after = u32::try_from(after.effect)
            .map_or((session, after.revision.0, u32::MAX), |place| {
                (session, after.revision.0, place)
            });
        let bounds = (
            Bound::Excluded(after),
            Bound::Excluded((past.as_str(), 0, 0)),
        );
        let mut events = Vec::new();
        for event in self
            .0
            .events()?
            .range::<(&str, u64, u32)>(bounds)?
            .take(limit)
        {
            let (key, value) = event?;
            let (_, revision, place) = key.value();
            let (at, kind): (Timestamp, UserEventKind) = record::unpack(value.value())?;
            events.push(UserEvent {
                position: Position {
                    revision: Revision(revision),
                    effect: place as usize,
                },
                at,
                kind,
            });
        }
        Ok(events)
    }

    pub(super) fn has_event(
        &self,
        session: &SessionId,
        position: Position,
    ) -> Result<bool, StoreError> {
        let Ok(place) = u32::try_from(position.effect) else {
            return Ok(false);
        };
        let key = (session.as_str(), position.revision.0, place);
        Ok(self.0.events()?.get(key)?.is_some())
    }

    pub(super) fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, StoreError> {
        let session = session.as_str();
        let past = past(session);
        let mut lines = Vec::new();
        let lasting = self.0.transcript()?;
        for line in lasting
            .range((session, 0)..(past.as_str(), 0))?
            .rev()
            .take(limit)
        {
            lines.push(record::unpack(line?.1.value())?);
        }
        lines.reverse();
        Ok(lines)
    }

    pub(super) fn has_input(
        &self,
        session: &SessionId,
        input: &InputId,
    ) -> Result<bool, StoreError> {
        let key = (session.as_str(), input.as_str());
        Ok(self.0.inputs()?.get(key)?.is_some())
    }

    pub(super) fn pending_effects(&self, session: &SessionId) -> Result<Vec<Effect>, StoreError> {
        let mut asked: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        let (session, past) = (session.as_str(), past(session.as_str()));
        for pending in self
            .0
            .pending()?
            .range((session, 0, 0)..(past.as_str(), 0, 0))?
        {
            let (place, id) = pending?;
            let (_, revision, _) = place.value();
            asked
                .entry(revision)
                .or_default()
                .insert(id.value().to_owned());
        }
        let (turns, mut effects) = (self.0.turns()?, Vec::new());
        for (revision, ids) in asked {
            let entry = turns.get((session, revision))?;
            let entry = entry.ok_or_else(|| missing(session, revision))?;
            let turn: ReadTurn = record::unpack(entry.value())?;
            let of_turn = turn.into_effects().into_iter();
            effects.extend(of_turn.filter(|effect| ids.contains(effect.id.as_str())));
        }
        Ok(effects)
    }

    pub(super) fn unfinished(&self) -> Result<Vec<SessionId>, StoreError> {
        let mut found = BTreeSet::new();
        for handoff in self.0.handoffs()?.iter()? {
            found.insert(SessionId::new(handoff?.0.value()));
        }
        // From one session to the next, however much each one owes.
        let (all, mut from) = (self.0.pending()?, String::new());
        while let Some(pending) = all.range((from.as_str(), 0, 0)..)?.next() {
            let (place, _) = pending?;
            let (session, ..) = place.value();
            found.insert(SessionId::new(session));
            from = past(session);
        }
        Ok(found.into_iter().collect())
    }

    pub(super) fn census(&self) -> Result<Census, StoreError> {
        let mut open = BTreeMap::new();
        for version in self.0.versions()?.iter()? {
            let (digest, sessions) = version?;
            open.insert(digest.value().to_owned(), sessions.value());
        }
        let handed_off = self.0.handoffs()?.len()?;
        Ok(Census { open, handed_off })
    }

    pub(super) fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let deadlines = self.0.deadlines()?;
        let first = deadlines.first()?;
        Ok(first.map(|(due, _)| Timestamp(due.value().0)))
    }

    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let mut due = Vec::new();
        for deadline in self.0.deadlines()?.iter()?.take(limit) {
            let (deadline, _) = deadline?;
            let (at, session, kind) = deadline.value();
            if at > now.0 {
                break;
            }
            due.push(Due {
                at: Timestamp(at),
                session: SessionId::new(session),
                kind: kind_of(kind)?,
            });
        }
        Ok(due)
    }

    pub(super) fn journal(
        &self,
        session: &SessionId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Turn>>, StoreError> {
        let mut turns = Vec::new();
        self.back(session, from, limit, |turn| {
            turns.push(Arc::new(turn));
            Ok(())
        })?;
        turns.reverse();
        Ok(turns)
    }

    /// Every turn of a session, the newest first.
    pub(super) fn each_turn(
        &self,
        session: &SessionId,
        visit: impl FnMut(Turn) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.back(session, Revision(0), usize::MAX, visit)
    }

    /// From the newest turn back to a revision, at most `limit` turns.
    fn back(
        &self,
        session: &SessionId,
        from: Revision,
        limit: usize,
        mut visit: impl FnMut(Turn) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let session = session.as_str();
        let Some(head) = self.0.heads()?.get(session)? else {
            return Ok(());
        };
        let (mut expected, ..) = head.value();
        let mut state = self.state(session)?;
        let mut visited = 0;
        for entry in self
            .0
            .turns()?
            .range((session, from.0)..=(session, u64::MAX))?
            .rev()
            .take(limit)
        {
            let (place, entry) = entry?;
            let (_, revision) = place.value();
            if revision != expected {
                return Err(missing(session, expected));
            }
            let mut turn: ReadTurn = record::unpack(entry.value())?;
            let (was, new) = (std::mem::take(&mut turn.was), std::mem::take(&mut turn.new));
            visit(turn.with(joined(&state)?))?;
            for (path, row) in was {
                state.insert(path, record::read(row.get().as_bytes())?);
            }
            for path in new {
                state.remove(&path);
            }
            expected -= 1;
            visited += 1;
        }
        if visited < limit && expected >= from.0.max(1) {
            return Err(missing(session, expected));
        }
        Ok(())
    }

    pub(super) fn sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        let mut found = Vec::new();
        for head in self.0.heads()?.iter()? {
            found.push(SessionId::new(head?.0.value()));
        }
        Ok(found)
    }

    pub(super) fn revision(&self, session: &SessionId) -> Result<Option<Revision>, StoreError> {
        let head = self.0.heads()?.get(session.as_str())?;
        Ok(head.map(|head| Revision(head.value().0)))
    }

    pub(super) fn count_sessions(&self) -> Result<u64, StoreError> {
        Ok(self.0.heads()?.len()?)
    }

    pub(super) fn count_lines(&self, session: &SessionId) -> Result<u64, StoreError> {
        let (session, past) = (session.as_str(), past(session.as_str()));
        let mut lines = 0;
        for line in self
            .0
            .transcript()?
            .range((session, 0)..(past.as_str(), 0))?
        {
            record::unpack::<TranscriptLine>(line?.1.value())?;
            lines += 1;
        }
        Ok(lines)
    }

    pub(super) fn tables(&self) -> &Read {
        &self.0
    }

    pub(super) fn closed_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        let (pending, handoffs) = (self.0.pending()?, self.0.handoffs()?);
        let owes = |session: &str| -> Result<bool, StoreError> {
            let past = past(session);
            let mut pending = pending.range((session, 0, 0)..(past.as_str(), 0, 0))?;
            Ok(pending.next().is_some() || handoffs.get(session)?.is_some())
        };
        let mut found = Vec::new();
        for closed in self.0.closed()?.range(..(before.0, ""))? {
            if found.len() == limit {
                break;
            }
            let (closed, _) = closed?;
            let (_, session) = closed.value();
            if !owes(session)? {
                found.push(SessionId::new(session));
            }
        }
        Ok(found)
    }
}

fn joined(rows: &BTreeMap<String, Value>) -> Result<Session, StoreError> {
    session_of(
        rows.iter()
            .map(|(path, value)| (path.as_str(), value.clone())),
    )
}

fn session_of<'r>(rows: impl Iterator<Item = (&'r str, Value)>) -> Result<Session, StoreError> {
    Session::deserialize(state::join(rows)?).map_err(StoreError::corrupt)
}

fn missing(session: &str, revision: u64) -> StoreError {
    StoreError::corrupt(format!(
        "the journal of session '{session}' lacks revision {revision}"
    ))
}
