//! The journal of sessions: what a host remembers, and how it is appended to.
//!
//! One append carries a whole turn: session, journal, effects, deadlines, and the id of the input
//! that caused it. It succeeds at exactly the revision after the one it was computed from, or not at
//! all. Effects stay pending until they are settled, so that whatever a host did not get round to is
//! found again after a restart.

mod memory;

pub use memory::MemoryStore;

use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{DeadlineKind, Effect, Session, Turn};
use handoff_engine::time::Timestamp;
use std::fmt::Debug;
use std::sync::Arc;

/// Keeps sessions and what happened to them.
#[async_trait::async_trait]
pub trait Store: Send + Sync + Debug {
    /// Commits a turn, and settles effects of earlier turns along with it. An error of
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

    /// When something is due next.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// What is due at `now`, in the order of [`Due`]: the longest overdue first. At most `limit`.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// The turns of a session from a revision on, oldest first.
    async fn journal(
        &self,
        session: &SessionId,
        from: Revision,
    ) -> Result<Vec<Arc<Turn>>, StoreError>;
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

/// A turn that was not committed.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another turn was committed first. Load the session and compute the turn again.
    #[error("the session is at revision {found}, and this turn was computed from {expected}")]
    Conflict {
        /// The revision the turn was computed from.
        expected: Revision,
        /// The revision the session is at.
        found: Revision,
    },
    /// The input was committed before. Nothing is to be done.
    #[error("the input {0} was committed before")]
    Duplicate(InputId),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store that does not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What it says.
    #[error("the store does not work: {0}")]
    Unavailable(String),
}
