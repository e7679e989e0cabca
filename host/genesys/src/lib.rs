//! Genesys accounts, the Platform API client, the chat transports and the end of a handoff.

mod client;
mod secrets;
mod transport;

pub use client::http_client;
pub use secrets::{SecretError, Secrets};
pub use transport::{Command, Link, Report, Reports, Transport, WebhookReply};
