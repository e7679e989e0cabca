//! What outlives a restart: the handle's contents.
//!
//! Everything a resume needs to know stands here, and nothing it can find out by looking.

use super::confirming::Confirmations;
use super::opening::Opening;
use super::wire::Outbound;
use crate::echoes::Echoes;
use crate::end::EndOfHandoff;
use crate::order::{Order, Place, Places};
use crate::outbox::Outbox;
use crate::platform::inbound::Sender;
use crate::policy::FilePolicy;
use crate::receipts::Receipts;
use handoff_engine::handoff::Agent;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// The user.
    pub(super) from: Sender,
    pub(super) outbox: Outbox,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: Leaving,
    /// What the agent reads when the user has left.
    pub(super) farewell: Option<String>,
    /// Whether it was said that events do not come. Once is enough.
    pub(super) warned: bool,
    /// Whether it was said that the conversation may not be looked at.
    pub(super) unseen: bool,
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
    /// Agents' messages that have come, each once; those not yet told wait in it to be overtaken.
    pub(super) order: Order<Heard>,
    /// Agents' messages of which it is still to be seen who says them.
    pub(super) held: Vec<Heard>,
    /// The user's messages whose receipts may come.
    pub(super) receipts: Receipts,
    pub(super) confirmations: Confirmations,
    /// Which files may be sent, once asked for.
    pub(super) policy: Option<FilePolicy>,
}

/// A message, and who says it, as far as known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Heard {
    pub(super) message: Outbound,
    pub(super) speaker: Option<Agent>,
}

impl Heard {
    /// Where it belongs among the agents' messages.
    pub(super) fn place(&self, places: &Places) -> Place {
        places.place(&self.message.id, self.message.time())
    }
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
    /// Done. What agents had said by then is still to be told.
    Left,
}

impl Talk {
    pub(super) fn new(
        integration: String,
        conversation: Option<String>,
        opened_at: Timestamp,
    ) -> Self {
        Self {
            integration,
            conversation,
            opened_by: None,
            opened_at,
            customer: None,
            arrived: 0,
            echoes: Echoes::default(),
            order: Order::default(),
            held: Vec::new(),
            receipts: Receipts::default(),
            confirmations: Confirmations::default(),
            policy: None,
        }
    }
}
