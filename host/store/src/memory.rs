//! A store that forgets everything with its process.

use crate::{AppendError, Census, Due, Forgotten, Store, StoreError};
use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{Effect, Position, Session, Status, TranscriptLine, Turn, UserEvent};
use handoff_engine::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps everything in memory: for tests, demonstrations, and as the model of what a store does.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    sessions: HashMap<SessionId, Record>,
    deadlines: BTreeSet<Due>,
}

#[derive(Debug, Default)]
struct Record {
    /// Without what they said.
    turns: Vec<Arc<Turn>>,
    lines: Vec<TranscriptLine>,
    inputs: HashSet<InputId>,
    /// By the order in which the turns asked for them.
    pending: BTreeMap<usize, Effect>,
    effects: usize,
}

impl Record {
    fn session(&self) -> Option<&Session> {
        self.turns.last().map(|turn| &turn.session)
    }

    fn settle(&mut self, effects: &[EffectId]) {
        self.pending
            .retain(|_, pending| !effects.contains(&pending.id));
    }

    /// When the session closed, if it did and owes nothing.
    fn over_since(&self) -> Option<Timestamp> {
        let session = self.session()?;
        let owes = session.handoff().is_some() || !self.pending.is_empty();
        match session.status {
            Status::Closed { at, .. } if !owes => Some(at),
            _ => None,
        }
    }

    /// The deadlines of the last turn.
    fn due(&self) -> Vec<Due> {
        self.turns.last().map_or_else(Vec::new, |turn| due(turn))
    }
}

fn due(turn: &Turn) -> Vec<Due> {
    let deadlines = turn.deadlines.iter().map(|deadline| Due {
        at: deadline.at,
        session: turn.session.id.clone(),
        kind: deadline.kind,
    });
    deadlines.collect()
}

fn without_said(turn: Arc<Turn>) -> Arc<Turn> {
    if turn.said.is_empty() {
        return turn;
    }
    let mut turn = Arc::unwrap_or_clone(turn);
    turn.said.clear();
    Arc::new(turn)
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Store for MemoryStore {
    async fn append(&self, turn: Arc<Turn>, settled: &[EffectId]) -> Result<(), AppendError> {
        let mut tables = self.tables();
        let Tables {
            sessions,
            deadlines,
        } = &mut *tables;
        let id = &turn.session.id;
        let found = sessions
            .get(id)
            .and_then(Record::session)
            .map_or(Revision::default(), |session| session.revision);
        if found.next() != turn.session.revision {
            return Err(AppendError::Conflict {
                expected: Revision(turn.session.revision.0.saturating_sub(1)),
                found,
            });
        }
        let record = sessions.entry(id.clone()).or_default();
        if !record.inputs.insert(turn.input.id.clone()) {
            return Err(AppendError::Duplicate(turn.input.id.clone()));
        }
        for old in record.due() {
            deadlines.remove(&old);
        }
        deadlines.extend(due(&turn));
        for effect in &turn.effects {
            record.pending.insert(record.effects, effect.clone());
            record.effects += 1;
        }
        record.settle(settled);
        record.lines.extend(turn.said.iter().cloned());
        record.turns.push(without_said(turn));
        Ok(())
    }

    async fn load(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        let tables = self.tables();
        let record = tables.sessions.get(session);
        Ok(record.and_then(Record::session).cloned())
    }

    async fn has_input(&self, session: &SessionId, input: &InputId) -> Result<bool, StoreError> {
        let tables = self.tables();
        let record = tables.sessions.get(session);
        Ok(record.is_some_and(|record| record.inputs.contains(input)))
    }

    async fn settle(&self, session: &SessionId, effects: &[EffectId]) -> Result<(), StoreError> {
        if let Some(record) = self.tables().sessions.get_mut(session) {
            record.settle(effects);
        }
        Ok(())
    }

    async fn pending_effects(&self, session: &SessionId) -> Result<Vec<Effect>, StoreError> {
        let tables = self.tables();
        let record = tables.sessions.get(session);
        Ok(record.map_or_else(Vec::new, |record| {
            record.pending.values().cloned().collect()
        }))
    }

    async fn unfinished(&self) -> Result<Vec<SessionId>, StoreError> {
        let tables = self.tables();
        let mut found: Vec<SessionId> = tables
            .sessions
            .iter()
            .filter(|(_, record)| {
                let handed_off = record
                    .session()
                    .is_some_and(|session| session.handoff().is_some());
                handed_off || !record.pending.is_empty()
            })
            .map(|(id, _)| id.clone())
            .collect();
        found.sort();
        Ok(found)
    }

    async fn census(&self) -> Result<Census, StoreError> {
        let tables = self.tables();
        let mut census = Census::default();
        for session in tables.sessions.values().filter_map(Record::session) {
            census.handed_off += u64::from(session.handoff().is_some());
            if session.is_open() {
                *census.open.entry(session.project.clone()).or_default() += 1;
            }
        }
        Ok(census)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.tables().deadlines.first().map(|due| due.at))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let tables = self.tables();
        let due = tables.deadlines.iter().take_while(|due| due.at <= now);
        Ok(due.take(limit).cloned().collect())
    }

    async fn journal(
        &self,
        session: &SessionId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Turn>>, StoreError> {
        let tables = self.tables();
        let turns = tables.sessions.get(session).map(|record| &record.turns);
        let turns = turns.into_iter().flatten();
        let mut turns: Vec<_> = turns
            .filter(|turn| turn.session.revision >= from)
            .cloned()
            .collect();
        turns.drain(..turns.len().saturating_sub(limit));
        Ok(turns)
    }

    async fn events(
        &self,
        session: &SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<UserEvent>, StoreError> {
        let tables = self.tables();
        let Some(record) = tables.sessions.get(session) else {
            return Ok(Vec::new());
        };
        // Turns stand in order of their revisions.
        let first = |turn: &Arc<Turn>| turn.session.revision < after.revision;
        let turns = record.turns[record.turns.partition_point(first)..].iter();
        let events = turns.flat_map(|turn| turn.user_events());
        let events = events.filter(|event| event.position > after);
        Ok(events.take(limit).collect())
    }

    async fn has_event(&self, session: &SessionId, position: Position) -> Result<bool, StoreError> {
        let before = Position {
            effect: position.effect.saturating_sub(1),
            ..position
        };
        let next = self.events(session, before, 1).await?;
        Ok(position.effect > 0 && next.first().is_some_and(|event| event.position == position))
    }

    async fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, StoreError> {
        let tables = self.tables();
        let lines = tables.sessions.get(session).map(|record| &record.lines);
        let lines = lines.map_or(&[][..], Vec::as_slice);
        Ok(lines[lines.len().saturating_sub(limit)..].to_vec())
    }

    async fn closed_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        let tables = self.tables();
        let over = tables.sessions.iter().filter_map(|(id, record)| {
            let since = record.over_since()?;
            (since < before).then_some((since, id))
        });
        let mut over: Vec<(Timestamp, &SessionId)> = over.collect();
        over.sort();
        Ok(over
            .into_iter()
            .take(limit)
            .map(|(_, id)| id.clone())
            .collect())
    }

    async fn forget(&self, session: &SessionId) -> Result<Forgotten, StoreError> {
        let mut tables = self.tables();
        let Some(record) = tables.sessions.get(session) else {
            return Ok(Forgotten::Unknown);
        };
        if record.over_since().is_none() {
            return Ok(Forgotten::StillNeeded);
        }
        let due = record.due();
        tables.sessions.remove(session);
        for old in due {
            tables.deadlines.remove(&old);
        }
        Ok(Forgotten::Dropped)
    }
}
