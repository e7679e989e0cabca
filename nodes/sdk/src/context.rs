//! What a node may ask of its host, as one trait over all interfaces of the contract.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Availability, HttpError, HttpRequest, HttpResponse, Level, Line, NotTold, Refused, SessionEnd,
};

/// The session as a node sees it. Writes and messages take effect only if the step returns ok.
pub trait Context {
    /// Where and when the step happens.
    fn visit(&self) -> &Visit;

    /// The value of a context key. Sees the writes of this step.
    fn get(&self, key: &str) -> Option<Value>;

    /// Sets a context key.
    ///
    /// # Errors
    /// [`Refused::ContextTooLarge`] beyond the host's limit (10,000 bytes of JSON text unless it
    /// says otherwise), [`Refused::ContextBadKey`] unless the key has 1 to 128 bytes.
    fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused>;

    /// Removes a context key; one that is not there is no error.
    fn remove(&mut self, key: &str);

    /// All context keys, in lexical order.
    fn keys(&self) -> Vec<String>;

    /// What agents will see under a key: participant data on Genesys Cloud, userData on Engage.
    fn attribute(&self, key: &str) -> Option<String>;

    /// Sets what agents will see under a key, from the next transfer on.
    ///
    /// # Errors
    /// [`Refused::AttributeBadKey`], [`Refused::AttributeTooLarge`] or
    /// [`Refused::TooManyAttributes`].
    fn set_attribute(&mut self, key: &str, value: &str) -> Result<(), Refused>;

    /// Removes an attribute; one that is not there is no error.
    fn remove_attribute(&mut self, key: &str);

    /// The keys of all attributes, in lexical order.
    fn attribute_keys(&self) -> Vec<String>;

    /// Sends plain text, in order, once the step has returned ok.
    ///
    /// # Errors
    /// [`Refused::MessageTooLong`] or [`Refused::TooManyMessages`].
    fn send(&mut self, to: Audience, text: &str) -> Result<(), Refused>;

    /// The last lines said, oldest first, at most `limit` of them.
    fn transcript(&self, limit: u32) -> Vec<Line>;

    /// How the last handoff of the session ended; none while none has.
    fn last_handoff(&self) -> Option<SessionEnd>;

    /// The placeholder of a secret, swapped for its value where a request leaves the host.
    ///
    /// # Errors
    /// [`Refused::SecretUnknown`] or [`Refused::SecretDenied`].
    fn secret(&self, name: &str) -> Result<String, Refused>;

    /// The document of the project's API connector of this alias; none if there is no such connector.
    fn connector(&self, alias: &str) -> Option<Value>;

    /// Sends a request and waits for the answer. It leaves only for an address that the project and
    /// the operator allow. A step that fails afterwards does not take it back.
    ///
    /// # Errors
    /// [`HttpError`] if there is no answer; an answer of any status is none.
    fn fetch(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Asks the platform how many agents could take a conversation in a queue.
    ///
    /// # Errors
    /// [`NotTold`] if nothing is known, with the reason.
    fn availability(
        &mut self,
        account: Option<&str>,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold>;

    /// Writes a line for the person who runs the flow. Cut at 2,000 bytes.
    fn log(&mut self, level: Level, text: &str);
}

/// Where and when a step happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The node's id in its flow, for messages.
    pub node_id: String,
    /// The session's id, for messages and idempotency keys.
    pub session_id: String,
    /// The time of the turn.
    pub now: Timestamp,
}

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

/// Who gets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Audience {
    /// The person who talks to the bot.
    #[default]
    User,
    /// The agent, if one is connected.
    Agent,
    /// Both.
    Both,
}
