//! What outlives a restart: the handle's contents.
//!
//! Everything a resume needs to know stands here, and nothing it can find out by looking.

use super::opening::Opening;
use super::wire::Outbound;
use crate::echoes::Echoes;
use crate::end::EndOfHandoff;
use crate::outbox::Outbox;
use crate::platform::inbound::Sender;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Ids of agents' messages that are remembered against redelivery and on resume.
/// More than one look checks.
const SEEN: usize = 128;

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// The user.
    pub(super) from: Sender,
    pub(super) outbox: Outbox,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: Leaving,
    /// Whether it was said that events do not come. Once is enough.
    pub(super) warned: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    Opening(Box<Opening>),
    Open(Box<Talk>),
}

/// An open conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Talk {
    pub(super) integration: String,
    /// Unknown only if Genesys did not tell it at once.
    pub(super) conversation: Option<String>,
    /// Genesys' id of the opening message.
    pub(super) opened_by: Option<String>,
    pub(super) opened_at: Timestamp,
    /// The customer participant, once seen.
    pub(super) customer: Option<String>,
    /// How many of our messages are known to be in the conversation.
    pub(super) arrived: usize,
    pub(super) echoes: Echoes,
    /// Agents' messages that were told.
    pub(super) seen: VecDeque<String>,
    /// Agents' messages that came before it was known who speaks.
    pub(super) held: Vec<Outbound>,
}

/// How far the user's leaving has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Leaving {
    No,
    /// By ending the customer's part.
    Customer,
    /// By ending everyone's part.
    Everyone,
    /// By telling the agent.
    Farewell,
}

impl Talk {
    /// Remembers an agent's message; false if it was known.
    pub(super) fn remember(&mut self, message: &str) -> bool {
        if self.seen.iter().any(|known| known == message) {
            return false;
        }
        self.seen.push_back(message.to_owned());
        if self.seen.len() > SEEN {
            self.seen.pop_front();
        }
        true
    }
}
