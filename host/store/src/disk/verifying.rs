//! Whether a file is whole: its pages, and what stands in them.

use super::reading::Reading;
use super::{RedbOptions, RedbStore, opening};
use crate::StoreError;
use handoff_engine::name::SessionId;
use redb::ReadableDatabase;
use std::fs;
use std::path::Path;

/// What was found whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Sessions.
    pub sessions: u64,
    /// Turns of all sessions.
    pub turns: u64,
    /// Events that users were shown.
    pub events: u64,
    /// Lines that were said.
    pub lines: u64,
}

impl RedbStore {
    /// Reads all of a store that is not in use: every page against its checksum, and every record of every session.
    /// Blocks, for about as long as it takes to read the file twice.
    ///
    /// # Errors
    ///
    /// If there is no such store, if it is in use, or [`StoreError::Corrupt`] with what is wrong.
    pub fn verify(path: impl AsRef<Path>) -> Result<Verified, StoreError> {
        let path = path.as_ref();
        fs::metadata(path)?;
        let options = RedbOptions {
            verify: true,
            ..RedbOptions::default()
        };
        let database = opening::open(path, &options)?;
        let reading = Reading::new(database.begin_read()?);
        let mut verified = Verified::default();
        for session in reading.sessions()? {
            let found = verify_session(&reading, &session)
                .map_err(|error| StoreError::corrupt(format!("session '{session}': {error}")))?;
            verified.sessions += 1;
            verified.turns += found.turns;
            verified.events += found.events;
            verified.lines += found.lines;
        }
        Ok(verified)
    }
}

/// Events or lines read at a time.
const PAGE: usize = 1_000;

fn verify_session(reading: &Reading, id: &SessionId) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    let session = reading.load(id)?;
    let session = session.ok_or_else(|| StoreError::corrupt("its state is missing"))?;
    let head = reading.revision(id)?;
    if head != Some(session.revision) {
        return Err(StoreError::corrupt("its state and its head differ"));
    }
    let mut events = 0;
    reading.each_turn(id, |turn| {
        found.turns += 1;
        events += turn.user_events().count() as u64;
        Ok(())
    })?;
    let mut after = Default::default();
    loop {
        let page = reading.events(id, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.position;
        found.events += page.len() as u64;
    }
    if found.events != events {
        return Err(StoreError::corrupt(format!(
            "its turns show {events} events, and {} are kept",
            found.events
        )));
    }
    found.lines = reading.count_lines(id)?;
    if found.lines != session.lines {
        return Err(StoreError::corrupt(format!(
            "{} lines were said, and {} are kept",
            session.lines, found.lines
        )));
    }
    reading.pending_effects(id)?;
    Ok(found)
}
