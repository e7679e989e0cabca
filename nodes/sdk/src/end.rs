//! How an ownership of the session ended.

use serde::Deserialize;

/// How a bot or an agent, once on top of the session-owner stack, left it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionEnd {
    /// Who ended it.
    pub reason: EndReason,
    /// Display name of the last agent who was connected, if one ever was.
    #[serde(default)]
    pub last_agent: Option<String>,
    /// Finer grain beside the reason; always present when the reason is an error.
    #[serde(default)]
    pub detail: Option<EndDetail>,
}

impl SessionEnd {
    /// The code of the detail; empty if there is no detail.
    #[must_use]
    pub fn code(&self) -> &str {
        self.detail.as_ref().map_or("", |detail| &detail.code)
    }

    /// Whether the code is the given one or a finer grain of it, as `transfer.no_agent.closed` is of
    /// `transfer.no_agent`.
    #[must_use]
    pub fn has_code(&self, general: &str) -> bool {
        self.code()
            .strip_prefix(general)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
    }
}

/// Who, on the other side, ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndReason {
    /// The pushed bot reached the end of its flow. Never the reason of a handoff.
    Completed,
    /// The user left: wrote the end command, closed the chat, or was dropped by the platform.
    UserLeft,
    /// The agent closed the conversation.
    AgentLeft,
    /// It could not start, or broke.
    Error,
}

/// Detail of an end, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndDetail {
    /// Stable, for example `transfer.no_agent`.
    pub code: String,
    /// One sentence for the person who can fix it.
    pub message: String,
}
