//! What goes over the guest's socket, and what the guest is told beside it (PROTOCOLS 3.1 to 3.8).
//!
//! Defensive throughout: a field that is missing, null or new is no error, because a frame that is not
//! understood must never cost the conversation.

mod configuration;
mod frame;
mod message;
mod request;

pub(super) use configuration::Configuration;
pub(super) use frame::{Frame, Jwt, PresignedUrl, SessionResponse, TooMany, UploadOutcome};
pub(super) use message::{Direction, EventBody, From, Kind, Page, StructuredMessage};
pub(super) use request::{Action, GuestMessage, JourneyContext, Request};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Null, or something else than was expected, is the default.
fn lenient<'de, D, T>(value: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(value)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
