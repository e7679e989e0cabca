//! What outlives a restart: the handle's contents.
//!
//! Everything a resume needs to know stands here, and nothing it can find out by asking. The token in
//! it is all it takes to speak as the user: a handle is as secret as the conversation.

use super::agents::Inferred;
use super::deployment::{Deployment, Limits};
use super::opening::Opening;
use super::token::Guest;
use super::wire::{From, StructuredMessage};
use crate::echoes::Echoes;
use crate::end::EndOfHandoff;
use crate::order::Order;
use crate::outbox::Outbox;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) guest: Guest,
    pub(super) phase: Phase,
    pub(super) outbox: Outbox,
    /// Attributes that go with the next message.
    pub(super) riding: BTreeMap<String, String>,
    pub(super) tracked: Tracked,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: Leaving,
    /// What the agent reads when the user leaves.
    pub(super) farewell: String,
    /// Codes of the notices that are told once per handoff and were.
    pub(super) warned: BTreeSet<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    Opening(Box<Opening>),
    Open(Box<Talk>),
}

/// A session in which things can be said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Talk {
    pub(super) deployment: Deployment,
    pub(super) limits: Limits,
    /// By our clock.
    pub(super) began: Timestamp,
    pub(super) progress: Progress,
    /// Whether a `Join` is still to be sent.
    pub(super) join: bool,
    /// What is older in the history is from before this handoff, by the platform's clock.
    pub(super) since: Option<Timestamp>,
    pub(super) order: Order<StructuredMessage>,
    pub(super) echoes: Echoes,
    /// Agents' messages from before this handoff that nobody has told yet.
    pub(super) missed: Vec<StructuredMessage>,
    /// Agents' messages that came before it was known who speaks.
    pub(super) held: Vec<StructuredMessage>,
    pub(super) inferred: Inferred,
    /// When the conversation was seen to be over, by our clock. What is left is to look whether
    /// anything was missed.
    pub(super) closing: Option<Timestamp>,
    /// The person who ended it, where the guest is told that it was one.
    pub(super) closed_by: Option<From>,
}

/// How far the conversation's beginning has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Progress {
    /// Nothing was sent.
    Silent,
    /// Something may have arrived.
    Begun,
    /// Something has.
    Opened,
}

/// What the Platform API is asked about, where the account may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tracked {
    /// Id of the queue asked for.
    pub(super) queue: Option<String>,
    /// Ids of the queues it may come to, until it is found.
    pub(super) queues: Vec<String>,
    /// Id of the conversation, once found.
    pub(super) conversation: Option<String>,
    /// The customer participant, once seen.
    pub(super) customer: Option<String>,
}

/// How far the user's leaving has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Leaving {
    No,
    /// By telling the agent.
    Farewell,
    /// By clearing the conversation.
    Clear,
    /// By ending the customer's part through the Platform API.
    Customer,
    /// By ending everyone's part through the Platform API.
    Everyone,
    /// By closing the guest's session.
    Session,
}

impl State {
    pub(super) fn talk(&self) -> Option<&Talk> {
        match &self.phase {
            Phase::Open(talk) => Some(talk),
            Phase::Opening(_) => None,
        }
    }

    pub(super) fn talk_mut(&mut self) -> Option<&mut Talk> {
        match &mut self.phase {
            Phase::Open(talk) => Some(talk),
            Phase::Opening(_) => None,
        }
    }

    pub(super) fn opening_mut(&mut self) -> Option<&mut Opening> {
        match &mut self.phase {
            Phase::Opening(opening) => Some(opening),
            Phase::Open(_) => None,
        }
    }

    /// Whether the conversation is seen to be over.
    pub(super) fn is_closing(&self) -> bool {
        self.talk().is_some_and(|talk| talk.closing.is_some())
    }

    /// Whether something is known to have arrived at Genesys.
    pub(super) fn is_opened(&self) -> bool {
        let opened = |talk: &Talk| talk.progress == Progress::Opened;
        self.talk().is_some_and(opened)
    }
}
