//! What happened in a session, told from its journal alone.
//!
//! [`Timeline::of`] is pure: turns in, a model out, which serialises as JSON and is rendered as text
//! ([`Timeline::to_text`]) and as one HTML page ([`Timeline::to_html`]). The renderers know only the
//! model, so what is not in it cannot show anywhere.
//!
//! Invariant: a value that may be personal, or that somebody typed, enters the model through
//! [`Redaction`] only, and handles of open handoffs never enter it. Every type of the journal is taken
//! apart field by field, so that a new field does not compile until somebody has decided about it.
//! The price is that sentences of errors and log lines are hidden by default, because they may quote
//! what was said; their codes are not.

mod calls;
mod changes;
mod model;
mod page;
mod redaction;
mod request;
mod rows;
mod says;
#[cfg(test)]
mod tests;
mod text;

pub use model::{Kind, Row, State, Timeline};
pub use redaction::Redaction;
