//! What can be done to the tables: append a turn, settle effects, forget a session.
//!
//! A deed carries everything it needs, made ready on the thread that asks for it, so that the one
//! that writes has little to do. Until its transaction is committed it can be applied again.

use super::state::{self, Rows};
use super::tables::{Deadlines, Written, code_of};
use super::{applying, record};
use crate::{AppendError, Forgotten, StoreError};
use handoff_engine::name::{EffectId, SessionId};
use handoff_engine::session::{Status, Turn};
use std::sync::Arc;

/// Something to be done to the tables.
pub(super) trait Deed: Send + 'static {
    /// What it comes to.
    type Outcome: Send;

    /// Does it. An error says that the transaction must not be committed.
    fn apply(&self, tables: &mut Written<'_>) -> Result<Applied<Self::Outcome>, StoreError>;
}

/// What a deed came to, and whether there is something to be committed.
pub(super) enum Applied<T> {
    Changed(T),
    Unchanged(T),
}

/// A turn to be appended.
pub(super) struct Append {
    pub(super) turn: Arc<Turn>,
    pub(super) settled: Vec<EffectId>,
    /// The session after the turn.
    pub(super) state: Rows,
    /// What the user is shown, by its place in the turn.
    pub(super) events: Vec<(u32, Vec<u8>)>,
    /// What was said, by its number in the session.
    pub(super) lines: Vec<(u64, Vec<u8>)>,
}

impl Append {
    pub(super) fn new(turn: Arc<Turn>, settled: &[EffectId]) -> Result<Self, StoreError> {
        let session = serde_json::to_value(&turn.session).map_err(StoreError::corrupt)?;
        let mut events = Vec::new();
        for event in turn.user_events() {
            let place = u32::try_from(event.position.effect).map_err(StoreError::corrupt)?;
            events.push((place, record::pack(&(event.at, &event.kind))?));
        }
        let first = turn.session.lines.saturating_sub(turn.said.len() as u64);
        let mut lines = Vec::new();
        for (number, line) in (first..).zip(&turn.said) {
            lines.push((number, record::pack(line)?));
        }
        Ok(Self {
            settled: settled.to_vec(),
            state: state::split(session),
            events,
            lines,
            turn,
        })
    }

    pub(super) fn deadlines(&self) -> Deadlines {
        let deadlines = self.turn.deadlines.iter();
        deadlines
            .map(|deadline| (deadline.at.0, code_of(deadline.kind)))
            .collect()
    }

    pub(super) fn closed_at(&self) -> Option<u64> {
        match self.turn.session.status {
            Status::Open => None,
            Status::Closed { at, .. } => Some(at.0),
        }
    }
}

impl Deed for Append {
    type Outcome = Result<(), AppendError>;

    fn apply(&self, tables: &mut Written<'_>) -> Result<Applied<Self::Outcome>, StoreError> {
        applying::append(tables, self)
    }
}

/// Effects to be settled.
pub(super) struct Settle {
    pub(super) session: SessionId,
    pub(super) effects: Vec<EffectId>,
}

impl Deed for Settle {
    type Outcome = ();

    fn apply(&self, tables: &mut Written<'_>) -> Result<Applied<()>, StoreError> {
        Ok(
            match applying::settle(tables, self.session.as_str(), &self.effects)? {
                0 => Applied::Unchanged(()),
                _ => Applied::Changed(()),
            },
        )
    }
}

/// A session to be forgotten.
pub(super) struct Forget {
    pub(super) session: SessionId,
}

impl Deed for Forget {
    type Outcome = Forgotten;

    fn apply(&self, tables: &mut Written<'_>) -> Result<Applied<Forgotten>, StoreError> {
        Ok(match applying::forget(tables, self.session.as_str())? {
            Forgotten::Dropped => Applied::Changed(Forgotten::Dropped),
            unchanged => Applied::Unchanged(unchanged),
        })
    }
}
