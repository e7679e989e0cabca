//! What was said before a turn. A session's record holds state, not history, so a turn that needs earlier
//! lines asks for them.

use super::TranscriptLine;
use crate::name::SessionId;
use async_trait::async_trait;
use std::fmt::Debug;

/// Lines of the transcript that a node or an agent gets to read at most: the last ones.
pub const MAX_TRANSCRIPT_LINES: usize = 500;

/// Reads what was committed of a session. Supplied by whoever embeds the engine; a turn reads the session's
/// transcript only if a node asks for it or a handoff is to begin with it.
#[async_trait]
pub trait History: Debug + Send + Sync {
    /// The last lines that earlier turns [said](super::Turn::said), oldest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// If they can't be read. The turn then comes to nothing, with [`super::Refusal::History`].
    async fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, HistoryError>;
}

/// A transcript that can't be read now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HistoryError(pub String);

/// Remembers nothing: every transcript begins with the present turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHistory;

#[async_trait]
impl History for NoHistory {
    async fn transcript(
        &self,
        _: &SessionId,
        _: usize,
    ) -> Result<Vec<TranscriptLine>, HistoryError> {
        Ok(Vec::new())
    }
}
