//! A client of the Genesys Cloud Platform API: the calls an Open Messaging handoff needs.
//!
//! Calls of one kind share a file. All go through [`Platform`], which keeps the access token, turns
//! refusals into errors that name the fix, and logs correlation ids for support tickets. Retrying is
//! the caller's: only it knows what else is waiting.

mod availability;
mod call;
pub mod conversations;
mod error;
mod hosts;
pub mod inbound;
mod integrations;
pub mod notifications;
mod oauth;
mod organization;
mod queues;
mod routing;
mod triggers;
mod trying;
mod users;

pub(crate) use availability::not_asked;
pub use call::Platform;
pub(crate) use call::{correlation, retry_after};
pub use error::{Correlation, ErrorBody, PlatformError};
pub use hosts::Hosts;
pub use integrations::{Hidden, Integration, IntegrationError};
pub use oauth::Credentials;
pub(crate) use organization::Organization;
pub(crate) use queues::MediaType;
pub use queues::{Queue, QueueError};
pub(crate) use routing::{Flow, NamedReference, Recipient};
pub(crate) use triggers::Trigger;
pub(crate) use trying::Void;
