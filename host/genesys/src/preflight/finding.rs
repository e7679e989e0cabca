//! What was found, in sentences for whoever can mend it.

use serde::Serialize;
use std::fmt;

/// How much a finding matters. The order is that of concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// It is as it should be.
    Ok,
    /// It was not looked at, or cannot be seen: look yourself.
    Hint,
    /// Handoffs work, but not all of what a user expects.
    Warning,
    /// Handoffs fail.
    Error,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Something found at Genesys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub grade: Grade,
    /// Stable, for example `org.queue_without_members`.
    pub code: &'static str,
    /// What is so.
    pub message: String,
    /// What to do about it, and where in Genesys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    fn new(grade: Grade, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            grade,
            code,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn ok(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Grade::Ok, code, message)
    }

    pub(crate) fn hint(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Grade::Hint, code, message)
    }

    pub(crate) fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Grade::Warning, code, message)
    }

    pub(crate) fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Grade::Error, code, message)
    }

    pub(crate) fn graded(grade: Grade, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(grade, code, message)
    }

    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.grade, self.code, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// What a handoff would meet at the door, by the code and in the words it would be told with then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    pub(crate) code: &'static str,
    pub(crate) sentence: String,
}

impl Obstacle {
    pub(crate) fn new(code: &'static str, sentence: &impl fmt::Display) -> Self {
        Self {
            code,
            sentence: sentence.to_string(),
        }
    }

    /// The finding that foretells it.
    pub(super) fn finding(&self) -> Finding {
        Finding::error(foretold(self.code), self.sentence.clone())
    }
}

/// The code of the finding that foretells what a handoff would end with.
pub(super) fn foretold(code: &'static str) -> &'static str {
    match code {
        "genesys.bad_credentials" => "org.credentials_refused",
        "genesys.missing_permission" => "org.permission_missing",
        "genesys.queue_not_visible" => "org.queue_not_visible",
        "genesys.queue_name_mismatch" => "org.queue_name_mismatch",
        "genesys.queue_ambiguous" => "org.queue_ambiguous",
        "genesys.integration_unknown" => "org.integration_unknown",
        "genesys.integration_ambiguous" => "org.integration_ambiguous",
        "genesys.deployment_unknown" => "org.deployment_unknown",
        "genesys.deployment_inactive" => "org.deployment_inactive",
        "genesys.deployment_disabled" => "org.deployment_disabled",
        "genesys.deployment_needs_signature" => "org.deployment_needs_signature",
        "genesys.origin_refused" => "org.origin_refused",
        "genesys.service_unknown" => "org.service_unknown",
        "genesys.access_refused" => "org.access_refused",
        "genesys.unreachable" => "org.unreachable",
        _ => "org.refused",
    }
}
