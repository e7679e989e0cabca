//! Genesys accounts, the Platform API client, the chat transports and the end of a handoff.

mod account;
mod attributes;
mod client;
pub mod end;
pub mod engage_chat_v2;
mod outbox;
mod report;
mod retry;
mod secrets;
mod transport;

pub use account::{AccountError, transport};
pub use client::http_client;
pub use secrets::{SecretError, Secrets};
pub use transport::{Command, Link, Report, Reports, Transport, WebhookReply};
