//! What a look at a conversation shows.
//!
//! A decline and a close look the same in every event Genesys sends; in the conversation they do not:
//! who never connected declined, and who was connected when the customer's part ended has closed.
//! A conversation that goes on from an earlier handoff still shows that one's participants; they are
//! left out.

use crate::end::{Departure, LegId, Observation, UNNAMED_AGENT};
use crate::platform::conversations::{Conversation, MessageDetails, Participant, Purpose};
use handoff_engine::handoff::Agent;
use handoff_engine::time::Timestamp;
use std::collections::BTreeMap;

/// Names of users, for participants that come without.
pub(crate) type Names = BTreeMap<String, String>;

/// Where the present handoff begins in a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning<'a> {
    /// Genesys' id of the message that opened it.
    pub(crate) message: Option<&'a str>,
    /// When that was sent, by our clock.
    pub(crate) time: Timestamp,
}

/// Whether a conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// Somebody is there, or about to be.
    No,
    /// The last agent has left and nobody else is there, but the customer's part has not ended. In
    /// the middle of a change it looks like this for a moment.
    Perhaps,
    /// The customer's part has ended.
    Yes,
}

/// A message of an agent's, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) id: String,
    pub(crate) time: Option<Timestamp>,
    pub(crate) by: Option<Agent>,
}

/// What a conversation shows of the present handoff.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Picture {
    pub(crate) observations: Vec<Observation>,
    /// The customer participant.
    pub(crate) customer: Option<String>,
    /// The customer's messages: ours.
    pub(crate) ours: Vec<MessageDetails>,
    pub(crate) agents: Vec<Written>,
    /// Users whose names are needed and unknown.
    pub(crate) nameless: Vec<String>,
    /// The id of the queue the user waits in.
    pub(crate) waits_in: Option<String>,
    pub(crate) over: Over,
}

/// Looks at a conversation.
pub(crate) fn look(
    conversation: &Conversation,
    beginning: Beginning<'_>,
    names: &Names,
) -> Picture {
    let present = of_this_handoff(conversation, beginning);
    let is_customer =
        |p: &&&Participant| matches!(p.purpose, Purpose::Customer | Purpose::External);
    let is_agent = |p: &&&Participant| matches!(p.purpose, Purpose::Agent | Purpose::User);
    let customers: Vec<_> = present.iter().filter(is_customer).copied().collect();
    let legs: Vec<_> = present.iter().filter(is_agent).copied().collect();
    let mut observations: Vec<_> = present.iter().flat_map(|p| observe(p, names)).collect();
    let over = over(&present, &customers, &legs);
    if over == Over::Yes && customer_left(&customers, &legs) {
        observations.push(Observation::CustomerGone);
    }
    Picture {
        observations,
        customer: customers.last().map(|customer| customer.id.clone()),
        ours: customers
            .iter()
            .flat_map(|customer| customer.messages.iter().cloned())
            .collect(),
        agents: legs.iter().flat_map(|leg| written(leg, names)).collect(),
        nameless: legs.iter().filter_map(|leg| nameless(leg, names)).collect(),
        waits_in: waits_in(&present),
        over,
    }
}

fn waits_in(present: &[&Participant]) -> Option<String> {
    let waits = |p: &&&Participant| p.purpose == Purpose::Acd && p.state.is_present();
    let queue = present.iter().rev().find(waits)?.queue.as_ref();
    queue.and_then(|queue| queue.id.clone())
}

/// The participants since the handoff began: those from the customer who wrote the opening message
/// on, and of these nobody who had left before.
fn of_this_handoff<'a>(
    conversation: &'a Conversation,
    beginning: Beginning<'_>,
) -> Vec<&'a Participant> {
    let wrote_it = |participant: &Participant| {
        let opened =
            |message: &MessageDetails| Some(message.message_id.as_str()) == beginning.message;
        participant.messages.iter().any(opened)
    };
    let first = conversation.participants.iter().position(wrote_it);
    let left_before = |participant: &&Participant| {
        participant
            .end_time
            .is_some_and(|left| left < beginning.time)
    };
    conversation
        .participants
        .iter()
        .skip(first.unwrap_or(0))
        .filter(|participant| !left_before(participant))
        .collect()
}

fn observe(participant: &Participant, names: &Names) -> Vec<Observation> {
    match participant.purpose {
        Purpose::Acd => vec![Observation::Queued {
            key: participant.id.clone(),
            queue: queue_name(participant),
        }],
        Purpose::Agent | Purpose::User => observe_agent(participant, names),
        Purpose::Customer | Purpose::External | Purpose::Other => Vec::new(),
    }
}

fn observe_agent(participant: &Participant, names: &Names) -> Vec<Observation> {
    use crate::platform::conversations::State;
    let leg = LegId::new(participant.id.clone());
    let agent = agent(participant, names);
    let mut seen = Vec::new();
    match participant.state {
        State::Alerting => seen.push(Observation::Alerting { leg, agent }),
        State::Connected => seen.push(Observation::Connected {
            leg,
            agent: agent.unwrap_or_else(unnamed),
        }),
        State::Disconnected => {
            let departure = departure(participant);
            if participant.start_acw_time.is_some() {
                let leg = leg.clone();
                seen.push(Observation::AfterCallWork { leg });
            }
            seen.push(Observation::Gone {
                leg,
                agent,
                departure,
            });
        }
    }
    seen
}

fn departure(participant: &Participant) -> Departure {
    let transferred = participant
        .disconnect_type
        .as_deref()
        .is_some_and(|why| why.starts_with("transfer"));
    match participant.connected_time {
        None => Departure::Declined,
        Some(_) if transferred => Departure::Transferred,
        Some(_) => Departure::Disconnected,
    }
}

fn over(present: &[&Participant], customers: &[&Participant], legs: &[&Participant]) -> Over {
    let there = |participants: &[&Participant]| participants.iter().any(|p| p.state.is_present());
    let gone = if customers.is_empty() {
        !there(present)
    } else {
        !there(customers)
    };
    if gone && !present.is_empty() {
        return Over::Yes;
    }
    let others = present
        .iter()
        .filter(|p| !customers.iter().any(|customer| customer.id == p.id))
        .any(|p| p.state.is_present());
    let last = legs.iter().rev().find(|leg| leg.connected_time.is_some());
    let closed = last.is_some_and(|leg| departure(leg) == Departure::Disconnected);
    if !others && closed {
        Over::Perhaps
    } else {
        Over::No
    }
}

/// Whether the customer's part ended first, and not because we ended it: `client` is the side that
/// left, `peer` the one that was left.
fn customer_left(customers: &[&Participant], legs: &[&Participant]) -> bool {
    let is = |participant: Option<&&Participant>, why: &str| {
        participant.is_some_and(|p| p.disconnect_type.as_deref() == Some(why))
    };
    let answered = legs.iter().rev().find(|leg| leg.connected_time.is_some());
    is(customers.last(), "client") && (answered.is_none() || is(answered, "peer"))
}

fn queue_name(participant: &Participant) -> Option<String> {
    let queue = participant.queue.as_ref();
    let name = queue.and_then(|queue| queue.name.clone());
    name.or_else(|| participant.name.clone())
        .filter(|name| !name.is_empty())
}

fn agent(participant: &Participant, names: &Names) -> Option<Agent> {
    let user = participant.user.as_ref();
    let id = user.and_then(|user| user.id.clone());
    let given = [
        participant.name.clone(),
        user.and_then(|user| user.name.clone()),
        id.as_ref().and_then(|id| names.get(id).cloned()),
    ];
    let name = given
        .into_iter()
        .flatten()
        .find(|name| !name.trim().is_empty())?;
    Some(Agent { id, name })
}

fn nameless(participant: &Participant, names: &Names) -> Option<String> {
    match agent(participant, names) {
        Some(_) => None,
        None => participant.user.as_ref()?.id.clone(),
    }
}

fn written(participant: &Participant, names: &Names) -> Vec<Written> {
    let by = agent(participant, names);
    participant
        .messages
        .iter()
        .map(|message| Written {
            id: message.message_id.clone(),
            time: message.message_time,
            by: by.clone(),
        })
        .collect()
}

pub(crate) fn unnamed() -> Agent {
    Agent {
        id: None,
        name: UNNAMED_AGENT.to_owned(),
    }
}
