//! Which handoff a webhook call is for.
//!
//! Webhook calls name the user and the conversation, never us. A message that no handoff knows is kept
//! for a minute: after a restart it comes before its handoff is resumed. It is not acknowledged: Genesys
//! brings it again, here or to the host that has the handoff, or shows the agent that it did not arrive.
//! A message for a user whose handoff is over is reported as a late one.

use super::afterwards::{Afterwards, Over};
use super::calls::Event;
use super::trigger::Trigger;
use super::wire::Outbound;
use crate::driving::Events;
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::time::{Millis, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a call waits for its handoff to be resumed.
const KEPT_FOR: Millis = Millis::from_secs(60);

/// How many calls wait at most; the oldest go first.
const KEPT: usize = 1024;

/// The lines of one account.
#[derive(Clone, Debug)]
pub(super) struct Switchboard {
    lines: Arc<Mutex<Lines>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct Lines {
    /// By user. Two sessions of one user hear the same.
    connected: HashMap<String, Vec<Connected>>,
    waiting: VecDeque<(Timestamp, Outbound)>,
    afterwards: Afterwards,
    next: u64,
}

#[derive(Debug)]
struct Connected {
    number: u64,
    conversation: Option<String>,
    events: Events<Event>,
}

impl Connected {
    /// Whether a message belongs to this line's conversation, as far as either is known.
    fn concerns(&self, message: &Outbound) -> bool {
        match (&self.conversation, &message.conversation_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }
}

/// A handoff's line. Hanging up, by dropping it, disconnects.
#[derive(Debug)]
pub(super) struct Line {
    lines: Arc<Mutex<Lines>>,
    user: String,
    number: u64,
}

/// Whether what waits for the user is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The handoff was open before: it is.
    Wanted,
    /// The handoff is new: what waits is from before it.
    Stale,
}

impl Switchboard {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            lines: Arc::default(),
            clock,
        }
    }

    /// Connects a handoff's events to its user.
    pub(super) fn connect(
        &self,
        user: &str,
        conversation: Option<&str>,
        events: Events<Event>,
        waiting: Waiting,
    ) -> Line {
        let mut lines = lock(&self.lines);
        let number = lines.next;
        lines.next += 1;
        let line = Connected {
            number,
            conversation: conversation.map(str::to_owned),
            events,
        };
        if waiting == Waiting::Wanted {
            self.hand_over_waiting(&mut lines, user, &line);
        }
        lines
            .connected
            .entry(user.to_owned())
            .or_default()
            .push(line);
        Line {
            lines: Arc::clone(&self.lines),
            user: user.to_owned(),
            number,
        }
    }

    /// Hands a message to the handoffs it concerns. False if it holds words and there is none; then it is
    /// kept for a while.
    pub(super) fn hand_over(&self, message: Outbound, busy: &Busy) -> bool {
        let mut lines = lock(&self.lines);
        let mut taken = false;
        for line in lines
            .connected
            .get(&message.channel.to.id)
            .into_iter()
            .flatten()
            .filter(|line| line.concerns(&message))
        {
            taken |= line.give(message.clone(), busy.clone());
        }
        if taken || !message.is_for_the_user() {
            return true;
        }
        let now = self.clock.now();
        if lines.afterwards.report(&message, now, busy) {
            return true;
        }
        // Genesys brings it again for as long as it is not acknowledged.
        let known = lines.waiting.iter().any(|(_, it)| it.id == message.id);
        if !known {
            lines.waiting.push_back((now, message));
            if lines.waiting.len() > KEPT {
                lines.waiting.pop_front();
            }
        }
        false
    }

    /// Tells those in a conversation that something happened to it; false if nobody here is.
    pub(super) fn hint(&self, trigger: &Trigger, busy: &Busy) -> bool {
        let lines = lock(&self.lines);
        let ours = lines.connected.values().flatten();
        let concerned =
            |line: &&Connected| line.conversation.as_deref() == Some(&trigger.conversation);
        let mut taken = false;
        for line in ours.filter(concerned) {
            let topic = trigger.topic.clone();
            let event = (Event::Triggered { topic }, busy.clone());
            taken |= line.events.send(event).is_ok();
        }
        taken
    }

    fn hand_over_waiting(&self, lines: &mut Lines, user: &str, line: &Connected) {
        let now = self.clock.now();
        lines.waiting.retain(|(came, message)| {
            if now.since(*came) > KEPT_FOR {
                return false;
            }
            let wanted = message.channel.to.id == user && line.concerns(message);
            !(wanted && line.give(message.clone(), self.clock.busy()))
        });
    }
}

impl Connected {
    fn give(&self, message: Outbound, busy: Busy) -> bool {
        let event = Event::Heard(Box::new(message));
        self.events.send((event, busy)).is_ok()
    }
}

impl Line {
    /// The line is for this conversation only, from now on.
    pub(super) fn is_for(&self, conversation: &str) {
        let mut lines = lock(&self.lines);
        let ours = lines.connected.get_mut(&self.user).into_iter().flatten();
        for line in ours.filter(|line| line.number == self.number) {
            line.conversation = Some(conversation.to_owned());
        }
    }
}

impl Line {
    /// The handoff is over. What agents still write to its user is reported as a part of it.
    pub(super) fn over(&self, over: Over, now: Timestamp) {
        lock(&self.lines)
            .afterwards
            .remember(self.user.clone(), over, now);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut lines = lock(&self.lines);
        if let Some(connected) = lines.connected.get_mut(&self.user) {
            connected.retain(|line| line.number != self.number);
            if connected.is_empty() {
                lines.connected.remove(&self.user);
            }
        }
    }
}

fn lock(lines: &Mutex<Lines>) -> MutexGuard<'_, Lines> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
