//! Why an Open Messaging handoff cannot go on, beyond what the Platform API refuses.

use crate::platform::{IntegrationError, PlatformError, QueueError};
use handoff_engine::handoff::EndDetail;

/// What ends a handoff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Integration(#[from] IntegrationError),
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(
        "The conversation no longer exists at Genesys: {why} It may have been purged; a new handoff opens a new one."
    )]
    ConversationGone { why: String },
}

impl Trouble {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Queue(error) => error.code(),
            Self::Integration(error) => error.code(),
            Self::Platform(error) => error.code(),
            Self::ConversationGone { .. } => "genesys.conversation_gone",
        }
    }

    pub(super) fn detail(&self) -> EndDetail {
        EndDetail::new(self.code(), self.to_string())
    }

    /// The failure of the call itself, if that is what it was.
    pub(super) fn platform(&self) -> Option<&PlatformError> {
        match self {
            Self::Platform(error)
            | Self::Queue(QueueError::Platform(error))
            | Self::Integration(IntegrationError::Platform(error)) => Some(error),
            _ => None,
        }
    }
}
