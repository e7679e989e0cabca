//! What the transcript tells: who came, who left, what was said, and that it is over.
//!
//! Events are numbered, so they are taken in order and once whatever answer brings them. An agent who
//! leaves without the chat ending has passed it on.

use super::protocol::{Phase, Protocol};
use super::wire::{Envelope, Event, EventKind, ParticipantKind};
use crate::end::{Departure, LegId, Observation, UNNAMED_AGENT};
use crate::report::News;
use handoff_engine::handoff::{Agent, Signal};
use handoff_engine::time::Timestamp;

impl Protocol {
    /// Takes in the transcript part of an answer.
    pub(super) fn read(&mut self, envelope: &Envelope, news: &mut News) {
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
        let mut events: Vec<_> = envelope
            .messages
            .iter()
            .filter(|event| event.index >= from)
            .collect();
        events.sort_by_key(|event| event.index);
        events.dedup_by_key(|event| event.index);
        let after_last = events.last().map_or(from, |event| event.index + 1);
        let position = envelope.next_position.unwrap_or(0).max(after_last);
        news.changed |= position != from;
        chat.position = position;

        let ended = envelope.chat_ended == Some(true);
        let mut over = ended;
        for event in events {
            over |= self.happened(event, ended, news);
        }
        if over {
            self.finish(Observation::Closed, news);
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
            (_, EventKind::Message | EventKind::PushUrl) => {
                if let Some(text) = event.text.clone().filter(|text| !text.is_empty()) {
                    news.tell(key, self.message(event, text));
                }
            }
            (_, EventKind::TypingStarted) => news.tell(key, Signal::Typing { on: true }),
            (_, EventKind::TypingStopped) => news.tell(key, Signal::Typing { on: false }),
            (_, EventKind::FileUploaded) => news.notice(
                key,
                "genesys.file_not_carried",
                format!(
                    "{} sent {}, which this transport does not carry to the user.",
                    name_of(event),
                    file_of(event)
                ),
            ),
            (_, EventKind::Notice | EventKind::CustomNotice | EventKind::IdleAlert) => {
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

    fn message(&self, event: &Event, text: String) -> Signal {
        let chat = match &self.state.phase {
            Phase::Open(chat) => chat.chat_id.as_str(),
            Phase::Requesting(_) => "",
        };
        let person = matches!(
            event.from.kind,
            ParticipantKind::Agent | ParticipantKind::Supervisor
        );
        Signal::Message {
            message_id: format!("{chat}:{}", event.index),
            from: person.then(|| agent_of(event)),
            text,
            content: Vec::new(),
            at: Timestamp(event.utc_time.unwrap_or_default()),
        }
    }
}

fn participant_of(event: &Event) -> i64 {
    event.from.participant_id.unwrap_or_default()
}

fn name_of(event: &Event) -> &str {
    let name = event.from.nickname.as_deref();
    name.filter(|name| !name.is_empty())
        .unwrap_or(UNNAMED_AGENT)
}

fn agent_of(event: &Event) -> Agent {
    Agent {
        id: None,
        name: name_of(event).to_owned(),
    }
}

fn file_of(event: &Event) -> String {
    let name = event
        .user_data
        .as_ref()
        .and_then(|data| data.get("file-name"))
        .and_then(|name| name.as_str());
    name.map_or_else(|| "a file".to_owned(), |name| format!("the file '{name}'"))
}
