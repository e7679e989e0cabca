//! Questions to the tables as they were committed last.

use super::record::{self, ReadTurn};
use super::tables::{Read, kind_of, past};
use super::undo::Undo;
use crate::{Census, Due, StoreError};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_engine::session::{Effect, Session, Turn};
use handoff_engine::time::Timestamp;
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One moment of the store, which what is written in the meantime does not change.
pub(super) struct Reading(Read);

impl Reading {
    pub(super) fn new(transaction: ReadTransaction) -> Self {
        Self(Read::new(transaction))
    }

    pub(super) fn load(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        let Some(head) = self.0.sessions()?.get(session.as_str())? else {
            return Ok(None);
        };
        let (.., snapshot) = head.value();
        record::read(snapshot).map(Some)
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
        let (journal, mut effects) = (self.0.journal()?, Vec::new());
        for (revision, ids) in asked {
            let entry = journal.get((session, revision))?;
            let entry = entry.ok_or_else(|| missing(session, revision))?;
            let turn: ReadTurn = record::read(entry.value().0)?;
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
    ) -> Result<Vec<Arc<Turn>>, StoreError> {
        let session = session.as_str();
        let Some(head) = self.0.sessions()?.get(session)? else {
            return Ok(Vec::new());
        };
        let (revision, .., snapshot) = head.value();
        let mut state: Value = record::read(snapshot)?;
        let mut expected = revision;
        let mut turns = Vec::new();
        for entry in self
            .0
            .journal()?
            .range((session, from.0)..=(session, u64::MAX))?
            .rev()
        {
            let (place, entry) = entry?;
            let ((_, revision), (turn, undo)) = (place.value(), entry.value());
            if revision != expected {
                return Err(missing(session, expected));
            }
            let turn: ReadTurn = record::read(turn)?;
            let after = Session::deserialize(&state).map_err(StoreError::corrupt)?;
            turns.push(Arc::new(turn.with(after)));
            if revision > from.0 && !undo.is_empty() {
                record::read::<Undo<'_>>(undo)?.apply(&mut state)?;
            }
            expected -= 1;
        }
        if expected >= from.0.max(1) {
            return Err(missing(session, expected));
        }
        turns.reverse();
        Ok(turns)
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

fn missing(session: &str, revision: u64) -> StoreError {
    StoreError::corrupt(format!(
        "the journal of session '{session}' lacks revision {revision}"
    ))
}
