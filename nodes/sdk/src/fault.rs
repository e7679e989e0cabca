//! A step that did not work.

use std::borrow::Cow;

use serde_json::Value;

/// A step that did not work. Nothing it wrote or sent takes effect; the flow goes on by the node's
/// `error` port if it is wired, and the session closes with an error if it is not.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message} [{code}]")]
pub struct Fault {
    /// Whether trying again, or changing the flow, can help.
    pub kind: FaultKind,
    /// Stable and namespaced, for example `ask.bad_pattern`.
    pub code: Cow<'static, str>,
    /// One sentence for the person who can fix it.
    pub message: String,
    /// Anything else that helps.
    pub details: Option<Value>,
}

/// What can help against a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The flow has to be changed: the config can't work as it is.
    InvalidConfig,
    /// Trying again may help, for example after a timeout of a service.
    Retryable,
    /// Nothing; it will not work however often it is tried.
    Permanent,
}

impl Fault {
    /// A fault of [`FaultKind::InvalidConfig`].
    pub fn invalid_config(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::InvalidConfig, code, message)
    }

    /// A fault of [`FaultKind::Retryable`].
    pub fn retryable(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Retryable, code, message)
    }

    /// A fault of [`FaultKind::Permanent`].
    pub fn permanent(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::Permanent, code, message)
    }

    /// The same fault with more to read.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }

    fn new(
        kind: FaultKind,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            details: None,
        }
    }
}
