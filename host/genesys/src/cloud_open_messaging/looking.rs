//! What follows from a look at the conversation.
//!
//! A look shows who is there, and which messages there are: one of ours whose answer was lost, or one
//! of an agent's that no webhook has brought. Their texts are read before anything is told of them.

use super::calls::Call;
use super::protocol::Protocol;
use super::state::{Heard, Leaving, Phase, Talk};
use super::wire::{Kind, Outbound};
use crate::end::Observation;
use crate::following::{Beginning, Over, Picture, Written, look};
use crate::order::Places;
use crate::outbox::First;
use crate::platform::conversations::{Conversation, MessageData, MessageDetails};
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};
use serde_json::Value;
use std::collections::VecDeque;

/// An agent's message that no webhook has brought by then is fetched.
const WEBHOOK_WITHIN: Millis = Millis::from_secs(30);

/// The latest messages of each agent that are checked for having come.
const CHECKED: usize = 100;

/// The messages to be read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// After a resume everything that is unknown was missed.
    catching_up: bool,
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

impl Reading {
    /// Whether messages of agents' are still to be read.
    pub(super) fn reads_theirs(&self) -> bool {
        let theirs = |it: &Unread| matches!(it, Unread::Theirs(_));
        self.unread.iter().any(theirs)
    }

    /// The handoff was resumed: webhooks may have been missed.
    pub(super) fn catch_up(&mut self) {
        self.catching_up = true;
    }
}

impl Protocol {
    /// What has to be asked before anything else.
    pub(super) fn question(&self, talk: &Talk) -> Option<Call> {
        if let Some(user) = self.watch.nameless() {
            return Some(Call::Name(user.to_owned()));
        }
        Some(Call::Read {
            conversation: talk.conversation.clone()?,
            message: self.reading.unread.front()?.id().to_owned(),
        })
    }

    /// A look at the conversation was taken.
    pub(super) fn looked(&mut self, now: Timestamp, conversation: &Conversation, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        let beginning = Beginning {
            message: talk.opened_by.as_deref(),
            time: talk.opened_at,
        };
        let picture = look(conversation, beginning, self.watch.names());
        if !self.watch.knows_everyone(&picture) {
            return;
        }
        self.watch.answered();
        if talk.customer != picture.customer && picture.customer.is_some() {
            talk.customer.clone_from(&picture.customer);
            news.changed = true;
        }
        let history = in_order(&picture.agents);
        self.places = Places::of(history.map(|written| (written.id.clone(), written.time)));
        self.compare_ours(&picture.ours, news);
        self.compare_theirs(now, &picture, news);
        let over = self.watch.is_over(now, picture.over) || self.has_left();
        self.blind_until = Timestamp(0);
        self.wait.waits_in(picture.waits_in, now);
        self.name_speakers(&picture.agents);
        // What is still to be read comes before what was heard after it.
        let complete = !self.reading.reads_theirs();
        if complete {
            self.heard_before(&picture.observations, news);
        }
        self.observe(picture.observations, news);
        if complete {
            self.release_seen(news);
        }
        if over && self.reading.unread.is_empty() {
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
            self.reading.unread.extend(unread.map(Unread::Ours));
        } else if !unknown.is_empty() {
            talk.arrived = ours.len();
            news.changed = true;
        }
        self.in_doubt = false;
    }

    /// Finds the agents' messages of which no webhook has come. One that a later one has overtaken is
    /// not waited for any more: the user is to read them in order.
    fn compare_theirs(&mut self, now: Timestamp, picture: &Picture, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        let places = &self.places;
        let waiting = talk.order.waiting_mut().map(|heard| heard.place(places));
        let held = talk.held.iter().map(|heard| heard.place(places));
        let latest = waiting.chain(held).max();
        let place = |written: &Written| places.place(&written.id, written.time);
        let overtaken = |written: &Written| latest.is_some_and(|latest| place(written) < latest);
        let left = self.state.leaving == Leaving::Left;
        let late = |written: &Written| {
            self.reading.catching_up
                || left
                || picture.over == Over::Yes
                || overtaken(written)
                || written
                    .time
                    .is_none_or(|time| now.since(time) >= WEBHOOK_WITHIN)
        };
        let unknown = |written: &Written| !talk.order.knows(&written.id);
        let start = picture.agents.len().saturating_sub(CHECKED);
        let mut missed: Vec<_> = picture.agents[start..]
            .iter()
            .filter(|written| unknown(written) && late(written))
            .cloned()
            .collect();
        missed.sort_by_key(place);
        for written in missed {
            let unread = Unread::Theirs(written);
            if !self.reading.unread.contains(&unread) {
                self.reading.unread.push_back(unread);
                talk.order.count_gap(1);
            }
        }
        news.tally = Some(talk.order.tally());
        self.reading.catching_up = false;
    }

    /// A message was read, or cannot be.
    pub(super) fn read(&mut self, message: &str, data: Option<&MessageData>, news: &mut News) {
        let at = self.reading.unread.iter().position(|it| it.id() == message);
        let Some(unread) = at.and_then(|at| self.reading.unread.remove(at)) else {
            return;
        };
        match unread {
            Unread::Ours(_) => self.read_ours(data, news),
            Unread::Theirs(written) => {
                self.read_theirs(&written, data, news);
                if !self.reading.reads_theirs() {
                    self.release_seen(news);
                }
            }
        }
    }

    fn read_ours(&mut self, data: Option<&MessageData>, news: &mut News) {
        let first = match self.state.outbox.first() {
            Some(First::Part(_, part)) => Some(part.echo().to_owned()),
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
        if !talk.order.remember(&written.id) {
            return;
        }
        news.changed = true;
        let places = &self.places;
        let place = places.place(&written.id, written.time);
        let place_of = |heard: &Heard| heard.place(places);
        let earlier = talk.order.flush_before(place, place_of);
        talk.held.extend(earlier);
        if let Some(data) = data {
            self.hold(as_outbound(written, data), written.by.clone());
        }
    }

    /// Attributes and leaving wait for the customer participant to be seen. A look without one says
    /// that there is none.
    pub(super) fn do_without_customer(&mut self, news: &mut News) {
        let Phase::Open(talk) = &self.state.phase else {
            return;
        };
        if talk.customer.is_some() {
            return;
        }
        while matches!(self.state.outbox.first(), Some(First::Attributes(_))) {
            self.give_up_first("the conversation shows no customer to set them on.", news);
        }
        self.leave_without_customer();
    }
}

/// Agents' messages in the order in which they were written. Each agent's are in order.
fn in_order(agents: &[Written]) -> impl Iterator<Item = &Written> {
    let mut all: Vec<_> = agents.iter().collect();
    all.sort_by_key(|written| written.time);
    all.into_iter()
}

fn text_of(data: &MessageData) -> String {
    let normalized = data.normalized_message.as_ref();
    let text = normalized.and_then(|message| message["text"].as_str());
    let own = text.or(data.text_body.as_deref());
    own.filter(|text| !text.is_empty())
        .or_else(|| name_of(normalized?))
        .unwrap_or_default()
        .to_owned()
}

/// What a message without a text is known by, as [`crate::carry::Part::echo`] has it.
fn name_of(message: &Value) -> Option<&str> {
    let item = message["content"].as_array()?.first()?;
    let file = &item["attachment"];
    let given = [
        &file["filename"],
        &file["url"],
        &item["buttonResponse"]["text"],
    ];
    given
        .into_iter()
        .filter_map(Value::as_str)
        .find(|name| !name.is_empty())
}

/// A message read from the conversation as if it had come by webhook.
fn as_outbound(written: &Written, data: &MessageData) -> Outbound {
    let normalized = data.normalized_message.clone().unwrap_or_default();
    let mut message = Outbound::read(&normalized).unwrap_or_default();
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
