//! What outlives a restart: the handle's contents.
//!
//! Everything a resume needs to know stands here, and nothing it can find out by asking. The guest's
//! token is in it, because Genesys issues no second one.

use super::members::Members;
use super::opening::Opening;
use super::wire::{Jwt, Message};
use crate::echoes::Echoes;
use crate::end::EndOfHandoff;
use crate::order::Order;
use crate::outbox::Outbox;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) outbox: Outbox,
    pub(super) echoes: Echoes,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: bool,
    /// What an agent reads when the user leaves.
    pub(super) farewell: String,
    pub(super) queue: Queue,
    /// Whether it was said that the event stream stays closed. Once is enough.
    pub(super) warned: bool,
}

/// The queue asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Queue {
    pub(super) name: String,
    /// Only the Platform API tells it.
    pub(super) id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    Opening(Box<Opening>),
    Open(Box<Chat>),
}

/// What makes us a guest of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) conversation: String,
    /// Our member.
    pub(super) member: String,
    #[serde(with = "crate::marking")]
    pub(super) jwt: Jwt,
}

/// An open chat.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chat {
    pub(super) seat: Seat,
    /// The address of the event stream. It may hold what opens it.
    #[serde(with = "crate::marking")]
    pub(super) stream: String,
    /// Whether the stream was ever open: not before that is the chat routed.
    pub(super) listened: bool,
    pub(super) members: Members,
    /// What others say, while an earlier message may still come.
    pub(super) order: Order<Message>,
    /// What waits, in order, for its sender to be known.
    pub(super) held: VecDeque<Message>,
    /// The last message of the history that was read: everything up to it is known.
    pub(super) read_to: Option<String>,
}

impl Chat {
    /// Whether a member is the user.
    pub(super) fn is_ours(&self, member: &str) -> bool {
        self.seat.member == member
    }
}
