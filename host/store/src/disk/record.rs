//! Records as JSON.
//!
//! What was written must be read back, so the reader knows no limit of depth: whatever stands in a
//! session was parsed within one before it came there.

use crate::StoreError;
use handoff_engine::session::{Deadline, Effect, Entry, Input, Session, Turn};
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A turn without its session.
#[derive(Serialize)]
struct TurnRecord<'a> {
    at: Timestamp,
    input: &'a Input,
    journal: &'a [Entry],
    effects: &'a [Effect],
    deadlines: &'a [Deadline],
}

/// The same, read back.
#[derive(Deserialize)]
pub(super) struct ReadTurn {
    at: Timestamp,
    input: Input,
    journal: Vec<Entry>,
    effects: Vec<Effect>,
    deadlines: Vec<Deadline>,
}

impl ReadTurn {
    pub(super) fn with(self, session: Session) -> Turn {
        Turn {
            session,
            at: self.at,
            input: self.input,
            journal: self.journal,
            effects: self.effects,
            deadlines: self.deadlines,
        }
    }

    pub(super) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }
}

pub(super) fn turn(turn: &Turn) -> Result<Vec<u8>, StoreError> {
    write(&TurnRecord {
        at: turn.at,
        input: &turn.input,
        journal: &turn.journal,
        effects: &turn.effects,
        deadlines: &turn.deadlines,
    })
}

pub(super) fn write(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    // Turns are plain data with texts for keys; the error names the type that stopped being so.
    serde_json::to_vec(value).map_err(StoreError::corrupt)
}

pub(super) fn read<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, StoreError> {
    let mut reader = serde_json::Deserializer::from_slice(record);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| StoreError::corrupt(format!("a record cannot be read: {error}")))
}
