//! Secrets are named in projects and resolved here, at the last moment, by whoever runs the host.

use handoff_engine::account::SecretRef;

/// Turns the name of a secret into the secret.
pub trait Secrets: Sync {
    /// The value behind a reference.
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError>;
}

/// A secret that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SecretError {
    /// What was looked for, and where to put it. Never the value.
    pub message: String,
}

impl SecretError {
    /// An error from its sentence, for example "Environment variable GENESYS_SECRET is not set; set
    /// it before starting".
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}
