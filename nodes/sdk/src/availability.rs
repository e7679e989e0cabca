//! How many agents there are.

use serde::{Deserialize, Serialize};

/// What a platform tells of a queue. None is not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Availability {
    /// Agents who are on queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_queue: Option<u32>,
    /// Of these, those who talk to nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<u32>,
    /// Conversations that wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// How long the next one would wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_wait_seconds: Option<u64>,
}

/// Nothing is known of a queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct NotTold {
    /// Stable, for example `genesys.queue_not_visible`.
    pub code: String,
    /// One sentence for the person who can fix it.
    pub message: String,
}
