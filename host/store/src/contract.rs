//! What a store does, whatever it is made of.
//!
//! The tests in `tests/suite` are the letter of it; a store of your own can be put through them.

use crate::{AppendError, StoreError};
use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{
    DeadlineKind, Effect, Position, Session, TranscriptLine, Turn, UserEvent,
};
use handoff_engine::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

/// Keeps sessions and what happened to them.
#[async_trait::async_trait]
pub trait Store: Send + Sync + Debug {
    /// Commits a turn, and settles effects along with it: of earlier turns, and of this one what is done
    /// by being committed. An error of
    /// [`AppendError::Store`] may leave open whether it was committed; the other two say that nothing
    /// has changed.
    async fn append(&self, turn: Arc<Turn>, settled: &[EffectId]) -> Result<(), AppendError>;

    /// A session as of its last turn.
    async fn load(&self, session: &SessionId) -> Result<Option<Session>, StoreError>;

    /// Whether an input was committed before.
    async fn has_input(&self, session: &SessionId, input: &InputId) -> Result<bool, StoreError>;

    /// Notes that effects are done, or given up. Ids that are not pending are no error.
    async fn settle(&self, session: &SessionId, effects: &[EffectId]) -> Result<(), StoreError>;

    /// Effects of a session that are not settled, in the order in which they are to be carried out.
    async fn pending_effects(&self, session: &SessionId) -> Result<Vec<Effect>, StoreError>;

    /// Sessions with effects that are not settled, or with a handoff that is not over: what a host
    /// has to take up when it starts. In no particular order, each once.
    async fn unfinished(&self) -> Result<Vec<SessionId>, StoreError>;

    /// How many sessions there are. Counted as they come and go, so it costs the same whatever their
    /// number.
    async fn census(&self) -> Result<Census, StoreError>;

    /// When something is due next.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// What is due at `now`, in the order of [`Due`]: the longest overdue first. At most `limit`.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// The turns of a session from a revision on, oldest first: if there are more than `limit`, the last ones.
    /// What they said is not in them, but in the [transcript](Self::transcript).
    async fn journal(
        &self,
        session: &SessionId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Turn>>, StoreError>;

    /// What the user is shown after a position, in order, at most `limit` events. It costs what these cost,
    /// however many lie before.
    async fn events(
        &self,
        session: &SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<UserEvent>, StoreError>;

    /// Whether an event stands at a position.
    async fn has_event(&self, session: &SessionId, position: Position) -> Result<bool, StoreError>;

    /// The last lines of what was said, oldest first, at most `limit`.
    async fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, StoreError>;

    /// Writes a copy of everything as of one moment into a new file, while the store is in use.
    ///
    /// # Errors
    ///
    /// If there is a file already, if it can't be written, or if the store keeps nothing that can be copied
    /// ([`StoreError::NoBackup`]).
    async fn backup(&self, to: &Path) -> Result<Backup, StoreError> {
        let _ = to;
        Err(StoreError::NoBackup)
    }

    /// Sessions that closed before a point in time and owe nothing: what may be forgotten. Those
    /// that closed first come first, by id where they closed at once. At most `limit`.
    async fn closed_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Drops everything about a session that is closed and owes nothing, so that it is as if it had
    /// never been. Wait for longer than a platform repeats what it delivers: an input that comes
    /// after this is no longer known.
    async fn forget(&self, session: &SessionId) -> Result<Forgotten, StoreError>;
}

/// How many sessions there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Open sessions, by the digest of the project version they are pinned to. Versions without any
    /// are left out.
    pub open: BTreeMap<String, u64>,
    /// Sessions with a handoff that is not over.
    pub handed_off: u64,
}

/// A deadline of a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub session: SessionId,
    /// What.
    pub kind: DeadlineKind,
}

/// A copy that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Sessions in it.
    pub sessions: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What became of the wish to forget a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// Nothing of it is left.
    Dropped,
    /// There is no such session.
    Unknown,
    /// It is open, or has effects that are not settled. Nothing has changed.
    StillNeeded,
}
