//! Mistakes in a config, found before the flow runs.

pub use crate::bindings::handoff::node::types::Problem;

impl Problem {
    /// A mistake at a JSON Pointer (RFC 6901) into the config. The message says what is wrong and
    /// what to write instead.
    pub fn at(
        path: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            code: code.into(),
            message: message.into(),
        }
    }
}
