//! What the host refuses, as sentences for the person who can fix it.

use crate::Fault;

/// Why the host refused something a node asked for. Becomes a permanent [`Fault`] with `?`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A context value beyond the host's limit, in bytes of JSON text.
    #[error(
        "The value for context key '{key}' is longer than {limit} bytes. Save less, or raise the \
         limit of the host."
    )]
    ContextTooLarge {
        /// The key.
        key: String,
        /// In bytes.
        limit: u32,
    },
    /// A context key that can't be one.
    #[error("'{key}' can't be a context key. Use 1 to 128 bytes.")]
    ContextBadKey {
        /// The key.
        key: String,
    },
    /// A context value that is not JSON; only a node that writes JSON by hand can cause it.
    #[error("The value for context key '{key}' is not JSON. This is a mistake of the node.")]
    ContextBadJson {
        /// The key.
        key: String,
    },
    /// An attribute key that can't be one.
    #[error("'{key}' can't be the name of an external session attribute. Use 1 to 128 bytes.")]
    AttributeBadKey {
        /// The key.
        key: String,
    },
    /// An attribute value beyond the host's limit.
    #[error("The external session attribute '{key}' is longer than {limit} bytes. Shorten it.")]
    AttributeTooLarge {
        /// The key.
        key: String,
        /// In bytes.
        limit: u32,
    },
    /// More attributes than a session may have.
    #[error(
        "'{key}' would be one external session attribute more than the {limit} a session may \
         have. Remove one first."
    )]
    TooManyAttributes {
        /// The key that was one too many.
        key: String,
        /// The number allowed.
        limit: u32,
    },
    /// A message beyond the host's limit.
    #[error("The message is longer than {limit} bytes. Shorten it, or say it in two.")]
    MessageTooLong {
        /// In bytes.
        limit: u32,
    },
    /// More messages than a step may send.
    #[error("A node may send {limit} messages in one step. Spread them over several nodes.")]
    TooManyMessages {
        /// The number allowed.
        limit: u32,
    },
    /// A secret the project does not have.
    #[error("The project has no secret '{name}'. Define it under [secrets] in project.toml.")]
    SecretUnknown {
        /// The name.
        name: String,
    },
    /// A secret the project keeps from this node.
    #[error("The project does not let this node use the secret '{name}'.")]
    SecretDenied {
        /// The name.
        name: String,
    },
}

impl Refused {
    /// Stable code, the same in faults, journals and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ContextTooLarge { .. } => "context.too_large",
            Self::ContextBadKey { .. } => "context.bad_key",
            Self::ContextBadJson { .. } => "context.bad_json",
            Self::AttributeBadKey { .. } => "external_attributes.bad_key",
            Self::AttributeTooLarge { .. } => "external_attributes.too_large",
            Self::TooManyAttributes { .. } => "external_attributes.too_many",
            Self::MessageTooLong { .. } => "conversation.too_long",
            Self::TooManyMessages { .. } => "conversation.too_many",
            Self::SecretUnknown { .. } => "secrets.unknown",
            Self::SecretDenied { .. } => "secrets.denied",
        }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::permanent(refused.code(), refused.to_string())
    }
}
