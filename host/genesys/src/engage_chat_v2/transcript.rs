//! What the transcript tells: who came, who left, what was said, and that it is over.
//!
//! Events are numbered, so they are taken in order and once whatever answer brings them; a number that
//! is missing is asked for once more, and then taken for something users are not to see. An agent who
//! leaves without the chat ending has passed it on.

use super::calls::{Chat, Operation};
use super::files::Fetch;
use super::protocol::{Phase, Protocol};
use super::wire::{Envelope, Event, EventKind, ParticipantKind};
use crate::end::{Departure, LegId, Observation, UNNAMED_AGENT};
use crate::report::News;
use handoff_engine::content::Content;
use handoff_engine::handoff::{Agent, Signal};
use handoff_engine::time::Timestamp;
use std::collections::VecDeque;

/// What was read and not yet taken in: a file before it has to be fetched first.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    events: VecDeque<Event>,
    /// Where the transcript goes on after it.
    position: u64,
    ended: bool,
}

impl Protocol {
    /// Takes in the transcript part of an answer.
    pub(super) fn read(
        &mut self,
        now: Timestamp,
        operation: Operation,
        envelope: &Envelope,
        news: &mut News,
    ) {
        let Phase::Open(chat) = &mut self.state.phase else {
            return;
        };
        if let Some(alias) = &envelope.alias
            && *alias != chat.alias
        {
            chat.alias.clone_from(alias);
            news.changed = true;
        }
        let from = chat.position;
        let events = in_order(chat, &envelope.messages);
        // Only an answer from a position that was asked for tells where the transcript goes on.
        let told = envelope
            .next_position
            .filter(|_| operation.reads_transcript());
        let end = events.last().map_or(from, |event| event.index + 1);
        let mut backlog = Backlog {
            events: events.into(),
            position: told.unwrap_or(from).max(end),
            ended: envelope.chat_ended == Some(true),
        };
        if let Some(hole) = hole(from, &backlog) {
            let known = chat.hole.replace(hole) == Some(hole);
            if !known {
                // It may come if asked for again; else it is not for users to see.
                chat.tally.gaps += 1;
                backlog.events.retain(|event| event.index < hole);
                backlog.position = hole;
                backlog.ended = false;
                self.poll_at = now;
            }
        }
        news.tally = Some(chat.tally);
        self.backlog = backlog;
        self.go_on_reading(news);
    }

    /// Takes in what was read, up to a file that has to be fetched.
    pub(super) fn go_on_reading(&mut self, news: &mut News) {
        let ended = self.backlog.ended;
        let mut over = ended;
        while let Some(event) = self.backlog.events.pop_front() {
            self.advance_to(event.index, news);
            if is_theirs(&event) && event.kind == EventKind::FileUploaded {
                self.fetch = Fetch::of(&event);
                if self.fetch.is_some() {
                    return;
                }
            }
            over |= self.happened(&event, ended, news);
        }
        self.advance_to(self.backlog.position, news);
        if over {
            self.finish(Observation::Closed, news);
        }
    }

    /// Everything before this index is taken in.
    fn advance_to(&mut self, index: u64, news: &mut News) {
        if let Phase::Open(chat) = &mut self.state.phase
            && chat.position < index
        {
            chat.position = index;
            news.changed = true;
        }
    }

    /// Takes in one event; true if it means that the chat is over.
    fn happened(&mut self, event: &Event, ended: bool, news: &mut News) -> bool {
        let key = format!("engage:{}", event.index);
        match (event.from.kind, event.kind) {
            (ParticipantKind::Client, EventKind::Message) => {
                self.state
                    .echoes
                    .seen(event.text.as_deref().unwrap_or_default());
            }
            (ParticipantKind::Client, EventKind::FileUploaded) => {
                self.state.echoes.seen(&file_of(event));
            }
            (ParticipantKind::Client, EventKind::ParticipantLeft) => {
                if self.state.end.connected_agent().is_some() {
                    self.observe([Observation::CustomerGone], news);
                }
                return true;
            }
            (ParticipantKind::Client, _) => {}
            (ParticipantKind::Agent, EventKind::ParticipantJoined) => {
                self.agent_joined(event, news);
            }
            (ParticipantKind::Agent, EventKind::ParticipantLeft) => {
                self.agent_left(event, ended, news);
            }
            (
                _,
                EventKind::Message | EventKind::PushUrl | EventKind::Notice | EventKind::IdleAlert,
            ) => {
                let text = event.text.clone().filter(|text| !text.trim().is_empty());
                if let (Some(text), Phase::Open(chat)) = (text, &self.state.phase) {
                    news.tell(key, message(chat, event, text, Vec::new()));
                }
            }
            (_, EventKind::TypingStarted) => news.tell(key, Signal::Typing { on: true }),
            (_, EventKind::TypingStopped) => news.tell(key, Signal::Typing { on: false }),
            (_, EventKind::FileUploaded) => news.notice(
                key,
                "genesys.file_not_received",
                format!(
                    "{} sent the file '{}', which could not be shown to the user: Genesys does not say where it is.",
                    name_of(event),
                    file_of(event)
                ),
            ),
            // For programs, not for people.
            (_, EventKind::CustomNotice) => {
                if let Some(text) = event.text.clone().filter(|text| !text.is_empty()) {
                    news.notice(key, "genesys.platform_notice", text);
                }
            }
            (
                _,
                EventKind::ParticipantJoined
                | EventKind::ParticipantLeft
                | EventKind::NicknameUpdated
                | EventKind::FileDeleted
                | EventKind::IdleClose
                | EventKind::Unknown,
            ) => {}
        }
        false
    }

    fn agent_joined(&mut self, event: &Event, news: &mut News) {
        let participant = participant_of(event);
        let leg = LegId::new(format!("{participant}@{}", event.index));
        if let Phase::Open(chat) = &mut self.state.phase {
            chat.legs.insert(participant, leg.clone());
        }
        let agent = agent_of(event);
        self.observe([Observation::Connected { leg, agent }], news);
    }

    /// An agent left. Unless the chat ended with it, the conversation was passed on, and without
    /// another agent in it the user waits again.
    fn agent_left(&mut self, event: &Event, ended: bool, news: &mut News) {
        let participant = participant_of(event);
        let leg = match &mut self.state.phase {
            Phase::Open(chat) => chat.legs.remove(&participant),
            Phase::Requesting(_) => None,
        };
        let leg = leg.unwrap_or_else(|| LegId::new(participant.to_string()));
        let departure = if ended {
            Departure::Disconnected
        } else {
            Departure::Transferred
        };
        let gone = Observation::Gone {
            leg,
            agent: Some(agent_of(event)),
            departure,
        };
        self.observe([gone], news);
        if !ended && self.state.end.connected_agent().is_none() {
            let key = format!("engage:{}", event.index);
            self.observe([Observation::Queued { key, queue: None }], news);
        }
    }
}

/// What an event says. Agents and supervisors speak in their name, all others for the platform.
pub(super) fn message(chat: &Chat, event: &Event, text: String, content: Vec<Content>) -> Signal {
    let person = matches!(
        event.from.kind,
        ParticipantKind::Agent | ParticipantKind::Supervisor
    );
    let said = !matches!(event.kind, EventKind::Notice | EventKind::IdleAlert);
    Signal::Message {
        message_id: format!("{}:{}", chat.chat_id, event.index),
        from: (person && said).then(|| agent_of(event)),
        text,
        content,
        at: Timestamp(event.utc_time.unwrap_or_default()),
    }
}

/// The events that are new, in order and once; counts those that were neither.
fn in_order(chat: &mut Chat, messages: &[Event]) -> Vec<Event> {
    let mut events: Vec<_> = messages.to_vec();
    let swapped = |pair: &&[Event]| pair[1].index < pair[0].index;
    chat.tally.reorders += events.windows(2).filter(swapped).count() as u64;
    // The greatest number there is has no position after it, and is no server's honest index.
    events.retain(|event| (chat.position..u64::MAX).contains(&event.index));
    events.sort_by_key(|event| event.index);
    events.dedup_by_key(|event| event.index);
    chat.tally.repeats += (messages.len() - events.len()) as u64;
    events
}

/// The first index that is missing.
fn hole(from: u64, backlog: &Backlog) -> Option<u64> {
    let mut expected = from;
    for event in &backlog.events {
        if event.index != expected {
            return Some(expected);
        }
        expected += 1;
    }
    (expected < backlog.position).then_some(expected)
}

/// Whether it comes from someone else than the user.
fn is_theirs(event: &Event) -> bool {
    event.from.kind != ParticipantKind::Client
}

fn participant_of(event: &Event) -> i64 {
    event.from.participant_id.unwrap_or_default()
}

fn name_of(event: &Event) -> &str {
    let name = event.from.nickname.as_deref();
    name.filter(|name| !name.is_empty())
        .unwrap_or(UNNAMED_AGENT)
}

pub(super) fn agent_of(event: &Event) -> Agent {
    Agent {
        id: None,
        name: name_of(event).to_owned(),
    }
}

fn file_of(event: &Event) -> String {
    let data = event.user_data.as_ref();
    let name = data
        .and_then(|data| data.get("file-name"))
        .and_then(|name| name.as_str());
    name.map(str::to_owned)
        .or_else(|| event.text.clone())
        .unwrap_or_default()
}
