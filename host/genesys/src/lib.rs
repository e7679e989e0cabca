//! Genesys accounts, the Platform API client, the chat transports and the end of a handoff.
//!
//! An account becomes a [`Transport`] by [`transport()`]; a transport opens and resumes handoffs and
//! takes webhook calls. Each transport is three things: `wire` (the protocol's own names), `protocol`
//! (pure: commands, answers and time in; calls, signals and deadlines out) and `driver` (I/O).

mod account;
mod asking;
mod attributes;
mod carry;
mod client;
pub mod cloud_open_messaging;
pub mod cloud_web_messaging;
pub mod cloud_webchat;
mod content;
mod driving;
mod echoes;
pub mod end;
pub mod engage_chat_v2;
mod following;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod giving_up;
#[cfg(test)]
mod interleavings;
mod lenient_json;
mod marking;
mod media;
mod order;
mod outbox;
pub mod platform;
mod policy;
pub mod preflight;
pub mod provision;
mod receipts;
mod report;
mod retry;
mod secrets;
mod split;
mod traffic;
mod transport;
mod unreadable;

pub use account::{AccountError, transport};
pub use client::{describe as describe_http, http_client, http_client_builder};
pub use lenient_json::replace_lone_surrogates;
pub use marking::SECRET;
pub use media::{File, Media, MediaError, NoMedia, Streamed};
pub use secrets::{SecretError, SecretFlaw, Secrets, check_secret};
pub use transport::{
    Command, Commands, Link, Report, Reports, Transport, WebhookOutcome, WebhookReply,
};
