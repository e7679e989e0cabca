//! Records as JSON.
//!
//! What was written must be read back, so the reader knows no limit of depth: whatever stands in a
//! session was parsed within one before it came there.

use super::blob;
use crate::StoreError;
use handoff_engine::session::{Deadline, Effect, Entry, Input, Session, Turn};
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A turn without its session, and how to get from the session after it to the one before.
#[derive(Serialize)]
pub(super) struct TurnRecord<'a> {
    at: Timestamp,
    input: &'a Input,
    journal: &'a [Entry],
    effects: &'a [Effect],
    deadlines: &'a [Deadline],
    #[serde(flatten)]
    before: Before<'a>,
}

/// How the rows of a session's state that a turn changed were before it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Before<'a> {
    /// Rows that were there. One may hold `null`, so that a row that was not there is told apart.
    pub(super) was: BTreeMap<&'a str, &'a RawValue>,
    /// Rows that were not there.
    pub(super) new: Vec<&'a str>,
}

impl<'a> TurnRecord<'a> {
    pub(super) fn new(turn: &'a Turn, before: Before<'a>) -> Self {
        Self {
            at: turn.at,
            input: &turn.input,
            journal: &turn.journal,
            effects: &turn.effects,
            deadlines: &turn.deadlines,
            before,
        }
    }
}

/// The same, read back.
#[derive(Deserialize)]
pub(super) struct ReadTurn {
    at: Timestamp,
    input: Input,
    journal: Vec<Entry>,
    effects: Vec<Effect>,
    deadlines: Vec<Deadline>,
    pub(super) was: BTreeMap<String, Box<RawValue>>,
    pub(super) new: Vec<String>,
}

impl ReadTurn {
    /// The turn that left this session. What it said stands in the transcript.
    pub(super) fn with(self, session: Session) -> Turn {
        Turn {
            deadlines: self.deadlines,
            session,
            at: self.at,
            input: self.input,
            journal: self.journal,
            effects: self.effects,
            said: Vec::new(),
        }
    }

    pub(super) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }
}

pub(super) fn write(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    // Turns are plain data with texts for keys; the error names the type that stopped being so.
    serde_json::to_vec(value).map_err(StoreError::corrupt)
}

/// Writes a record and packs it.
pub(super) fn pack(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    Ok(blob::pack(&write(value)?))
}

pub(super) fn read<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, StoreError> {
    let mut reader = serde_json::Deserializer::from_slice(record);
    reader.disable_recursion_limit();
    let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| StoreError::corrupt(format!("a record cannot be read: {error}")))
}

/// Unpacks a record and reads it.
pub(super) fn unpack<T: for<'a> Deserialize<'a>>(packed: &[u8]) -> Result<T, StoreError> {
    read(&blob::unpack(packed)?)
}
