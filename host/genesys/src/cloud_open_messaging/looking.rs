//! When to look at the conversation, and what follows from what is seen.
//!
//! Events only make a look prompt; between them looks are taken on a schedule that slows down while
//! nothing changes, because events can be lost and Genesys never sends one again. While it rings the
//! schedule is tight: that an agent transferred to directly has answered shows in no event.

use super::picture::{Beginning, Over, Picture, Written, look};
use super::protocol::{Call, Protocol};
use super::state::{Phase, Talk};
use super::wire::{Kind, Outbound};
use crate::end::Observation;
use crate::outbox::Outgoing;
use crate::platform::conversations::{Conversation, MessageData, MessageDetails};
use crate::report::News;
use handoff_engine::handoff::Agent;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::VecDeque;

/// Between looks while it rings at an agent's desk.
const WHILE_RINGING: Millis = Millis::from_secs(2);

/// Between looks while no events come. A token is good for 300 requests a minute.
const WITHOUT_EVENTS: Millis = Millis::from_secs(5);

/// Between looks while events come and nothing happens, doubling from the first to the second.
const WITH_EVENTS: Millis = Millis::from_secs(60);
const AT_MOST: Millis = Millis::from_mins(5);

/// How long a conversation must look deserted before it counts as over although the customer's part
/// has not ended. A transfer looks like this for a moment.
const DESERTED_FOR: Millis = Millis::from_secs(10);

/// An agent's message that no webhook has brought by then is fetched.
const WEBHOOK_WITHIN: Millis = Millis::from_secs(30);

/// The latest messages of each agent that are checked for having come.
const CHECKED: usize = 100;

/// When to look, and what is to be asked about what was seen.
#[derive(Debug)]
pub(super) struct Watch {
    due: Timestamp,
    pace: Millis,
    has_events: bool,
    deserted_since: Option<Timestamp>,
    /// After a resume everything that is unknown was missed.
    catching_up: bool,
    /// Users to be named before what was seen can be told.
    nameless: VecDeque<String>,
    /// Messages to be read.
    unread: VecDeque<Unread>,
}

#[derive(Clone, Debug, PartialEq)]
enum Unread {
    /// One of ours, of which the answer was lost.
    Ours(String),
    /// One of an agent's, of which no webhook came.
    Theirs(Written),
}

impl Unread {
    fn id(&self) -> &str {
        match self {
            Self::Ours(id) => id,
            Self::Theirs(written) => &written.id,
        }
    }
}

impl Watch {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            due: now,
            pace: WITHOUT_EVENTS,
            has_events: false,
            deserted_since: None,
            catching_up: false,
            nameless: VecDeque::new(),
            unread: VecDeque::new(),
        }
    }

    pub(super) fn resumed(now: Timestamp) -> Self {
        Self {
            catching_up: true,
            ..Self::new(now)
        }
    }

    pub(super) fn look_now(&mut self, now: Timestamp) {
        self.due = now;
        self.pace = self.slowest_without_news();
    }

    pub(super) fn followed(&mut self, now: Timestamp) {
        self.has_events = true;
        self.look_now(now);
    }

    pub(super) fn unfollowed(&mut self, now: Timestamp) {
        self.has_events = false;
        self.look_now(now);
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.due <= now
    }

    pub(super) fn due(&self) -> Timestamp {
        self.due
    }

    /// What has to be asked before anything else.
    pub(super) fn question(&self, talk: &Talk) -> Option<Call> {
        if let Some(user) = self.nameless.front() {
            return Some(Call::Name(user.clone()));
        }
        Some(Call::Read {
            conversation: talk.conversation.clone()?,
            message: self.unread.front()?.id().to_owned(),
        })
    }

    fn slowest_without_news(&self) -> Millis {
        if self.has_events {
            WITH_EVENTS
        } else {
            WITHOUT_EVENTS
        }
    }

    fn schedule(&mut self, now: Timestamp, ringing: bool) {
        let pace = if ringing {
            WHILE_RINGING
        } else if self.deserted_since.is_some() {
            WITHOUT_EVENTS
        } else {
            self.pace
        };
        self.due = now + pace;
        self.pace = Millis(self.pace.0 * 2).min(if self.has_events {
            AT_MOST
        } else {
            WITHOUT_EVENTS
        });
    }
}

impl Protocol {
    /// A look at the conversation was taken.
    pub(super) fn looked(&mut self, now: Timestamp, conversation: &Conversation, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        let beginning = Beginning {
            message: talk.opened_by.as_deref(),
            time: talk.opened_at,
        };
        let picture = look(conversation, beginning, &self.names);
        if !picture.nameless.is_empty() {
            // What was seen is told once everyone in it has a name; the look is then taken again.
            self.watch.nameless = picture.nameless.into();
            return;
        }
        if talk.customer != picture.customer && picture.customer.is_some() {
            talk.customer.clone_from(&picture.customer);
            news.changed = true;
        }
        self.compare_ours(&picture.ours, news);
        self.compare_theirs(now, &picture);
        let over = self.is_over(now, &picture);
        self.observe(picture.observations, news);
        self.release_held(news);
        if over && self.watch.unread.is_empty() {
            return self.finish(Observation::Closed, news);
        }
        let ringing = self.state.end.is_alerting();
        self.watch.schedule(now, ringing);
        if over {
            // Messages are still to be read; then the same look ends it.
            self.watch.look_now(now);
        }
        self.do_without_customer(news);
    }

    fn is_over(&mut self, now: Timestamp, picture: &Picture) -> bool {
        match picture.over {
            Over::Yes => true,
            Over::No => {
                self.watch.deserted_since = None;
                false
            }
            Over::Perhaps => {
                let since = *self.watch.deserted_since.get_or_insert(now);
                now.since(since) >= DESERTED_FOR
            }
        }
    }

    /// Finds out whether a text of ours arrived of which the answer was lost: there is then one
    /// message more than known. Its text tells which.
    fn compare_ours(&mut self, ours: &[MessageDetails], news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        let unknown = ours.get(talk.arrived..).unwrap_or_default();
        if self.in_doubt {
            // Each counts as arrived once it has been read: not before its text is in the handle.
            let unread = unknown.iter().map(|message| message.message_id.clone());
            self.watch.unread.extend(unread.map(Unread::Ours));
        } else if !unknown.is_empty() {
            talk.arrived = ours.len();
            news.changed = true;
        }
        self.in_doubt = false;
    }

    /// Finds the agents' messages of which no webhook has come.
    fn compare_theirs(&mut self, now: Timestamp, picture: &Picture) {
        let Phase::Open(talk) = &self.state.phase else {
            return;
        };
        let late = |written: &Written| {
            self.watch.catching_up
                || picture.over == Over::Yes
                || written
                    .time
                    .is_none_or(|time| now.since(time) >= WEBHOOK_WITHIN)
        };
        let unknown = |written: &Written| !talk.seen.contains(&written.id);
        let start = picture.agents.len().saturating_sub(CHECKED);
        let mut missed: Vec<_> = picture.agents[start..]
            .iter()
            .filter(|written| unknown(written) && late(written))
            .cloned()
            .collect();
        missed.sort_by_key(|written| written.time);
        for written in missed {
            let unread = Unread::Theirs(written);
            if !self.watch.unread.contains(&unread) {
                self.watch.unread.push_back(unread);
            }
        }
        self.watch.catching_up = false;
    }

    /// A message was read, or cannot be.
    pub(super) fn read(&mut self, message: &str, data: Option<&MessageData>, news: &mut News) {
        let at = self.watch.unread.iter().position(|it| it.id() == message);
        let Some(unread) = at.and_then(|at| self.watch.unread.remove(at)) else {
            return;
        };
        match unread {
            Unread::Ours(_) => self.read_ours(data, news),
            Unread::Theirs(written) => self.read_theirs(&written, data, news),
        }
    }

    fn read_ours(&mut self, data: Option<&MessageData>, news: &mut News) {
        let first = match self.state.outbox.first() {
            Some(Outgoing::Say { text, .. }) => Some(text.clone()),
            _ => None,
        };
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        talk.arrived += 1;
        news.changed = true;
        // Unreadable, it is taken for the text whose answer was lost: nobody else writes here.
        if let Some(text) = data.map(text_of).or(first) {
            talk.echoes.seen(&text);
        }
    }

    fn read_theirs(&mut self, written: &Written, data: Option<&MessageData>, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        if !talk.remember(&written.id) {
            return;
        }
        news.changed = true;
        if let Some(data) = data {
            let message = as_outbound(written, data);
            let speaker: Option<Agent> = written.by.clone();
            self.tell_message(&message, speaker, news);
        }
    }

    /// A user's name was looked up.
    pub(super) fn named(&mut self, now: Timestamp, user: &str, name: Option<String>) {
        self.watch.nameless.retain(|other| other != user);
        let name = name.unwrap_or_else(|| crate::end::UNNAMED_AGENT.to_owned());
        self.names.insert(user.to_owned(), name);
        self.watch.look_now(now);
    }

    /// Attributes and leaving wait for the customer participant to be seen. A look without one says
    /// that there is none.
    fn do_without_customer(&mut self, news: &mut News) {
        let Phase::Open(talk) = &self.state.phase else {
            return;
        };
        if talk.customer.is_some() {
            return;
        }
        while matches!(self.state.outbox.first(), Some(Outgoing::Attributes(_))) {
            self.give_up_first("the conversation shows no customer to set them on.", news);
        }
        self.leave_without_customer();
    }
}

fn text_of(data: &MessageData) -> String {
    let normalized = data.normalized_message.as_ref();
    let text = normalized.and_then(|message| message["text"].as_str());
    text.map(str::to_owned)
        .or_else(|| data.text_body.clone())
        .unwrap_or_default()
}

/// A message read from the conversation as if it had come by webhook.
fn as_outbound(written: &Written, data: &MessageData) -> Outbound {
    let normalized = data.normalized_message.clone().unwrap_or_default();
    let mut message: Outbound = serde_json::from_value(normalized).unwrap_or_default();
    message.id.clone_from(&written.id);
    message.kind = Kind::Text;
    if message.text.is_none() {
        message.text.clone_from(&data.text_body);
    }
    let time = written.time.or(data.timestamp);
    if message.channel.time.is_none() {
        message.channel.time = time.map(Timestamp::to_iso);
    }
    message
}
