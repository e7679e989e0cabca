//! What a handoff asks of Genesys, and what comes back, asked for or not.

use super::wire::Outbound;
use crate::driving;
use crate::platform::conversations::{Conversation, MessageData};
use crate::platform::inbound::{InboundMessage, Posted, Sender};
use crate::policy::FilePolicy;
use handoff_engine::content::Receipt;
use handoff_engine::time::Millis;
use std::collections::BTreeMap;

/// A call to make.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    /// The integration of a competency, or else the account's.
    FindIntegration { competency: Option<String> },
    /// A queue by its exact name.
    FindQueue(String),
    /// Which files the integration takes.
    FilePolicy { integration: String },
    /// Something the user says.
    Post {
        integration: String,
        message: Box<InboundMessage>,
    },
    /// The user types.
    Typing { integration: String, from: Sender },
    /// What became of an agent's message.
    Confirm {
        integration: String,
        to: Sender,
        message: String,
        receipt: Receipt,
    },
    /// Attributes of the customer participant.
    SetAttributes {
        conversation: String,
        participant: String,
        attributes: BTreeMap<String, String>,
    },
    /// The conversation with everyone in it.
    Look { conversation: String },
    /// One message's text.
    Read {
        conversation: String,
        message: String,
    },
    /// A user's name.
    Name(String),
    /// How long one waits in a queue.
    EstimateWait { queue: String },
    /// The end of the customer's part.
    Disconnect {
        conversation: String,
        participant: String,
    },
    /// The end of everyone's part.
    DisconnectAll { conversation: String },
}

/// What a call came to.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Integration(String),
    QueueFound,
    Policy(FilePolicy),
    Posted(Posted),
    Conversation(Box<Conversation>),
    Message(Box<MessageData>),
    Name(Option<String>),
    Wait(Option<Millis>),
    Done,
}

/// What happens without our asking.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A webhook call.
    Heard(Box<Outbound>),
    /// A process-automation trigger's workflow says that something happened.
    Triggered { topic: String },
    /// Something happened to the conversation.
    Changed,
    /// From now on events come; what happened before may have been missed.
    Followed,
    /// No events come, for this reason.
    Unfollowed { why: String },
}

/// What to do next.
pub(super) type Next = driving::Next<Call>;
