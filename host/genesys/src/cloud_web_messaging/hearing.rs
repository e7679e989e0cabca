//! What comes in on the socket: agents' messages, typing, presence, and echoes of ours.
//!
//! Genesys keeps no order (PROTOCOLS 6), so messages wait a moment for earlier ones and go out by the
//! platform's time, each once. Events without an id of their own get one from what they say.

use super::line::What;
use super::protocol::Protocol;
use super::trouble::Trouble;
use super::wire::{Direction, EventBody, Frame, Kind, StructuredMessage};
use crate::carry::simplified_in;
use crate::content::shown;
use crate::end::Observation;
use crate::report::News;
use handoff_engine::handoff::{Agent, Signal};
use handoff_engine::time::{Millis, Timestamp};

/// How long typing shows if Genesys does not say.
const TYPING_SHOWS: Millis = Millis::from_secs(5);

/// How many are remembered against repeats; a repeat comes at once or never.
const TYPING_REMEMBERED: usize = 16;

impl Protocol {
    pub(super) fn frame(&mut self, now: Timestamp, frame: Frame, news: &mut News) {
        match frame.class.as_str() {
            "SessionExpiredEvent" => self.session_gone(now, &Trouble::SessionExpired, news),
            "TooManyRequestsErrorMessage" => self.refused(now, &frame, news),
            "SessionClearedEvent" => self.session_cleared(news),
            "ConnectionClosedEvent" => self.connection_closed(now, news),
            "LogoutEvent" => self.session_gone(now, &Trouble::SignedOut, news),
            "UploadFailureEvent" | "GenerateUrlError" => self.upload_refused(&frame, news),
            _ if !frame.is_ok() => self.refused(now, &frame, news),
            "SessionResponse" => self.session_answered(now, &frame, news),
            "StructuredMessage" => {
                if let Some(message) = frame.read() {
                    self.hear(now, message, frame.tracing_id.as_deref(), news);
                }
            }
            "JwtResponse" => {
                if let Some(jwt) = frame.read() {
                    self.jwt_came(now, jwt);
                }
            }
            "PresignedUrlResponse" => self.upload_granted(&frame),
            "UploadSuccessEvent" => self.upload_complete(&frame),
            other => tracing::debug!(class = other, "a frame of no concern"),
        }
    }

    /// The guest's side of the conversation is gone.
    fn session_cleared(&mut self, news: &mut News) {
        if !self.line.awaits(&What::Clear) {
            self.observe([Observation::CustomerGone], news);
        }
        self.finish(Observation::Closed, news);
    }

    fn connection_closed(&mut self, now: Timestamp, news: &mut News) {
        if self.line.awaits(&What::Clear) || self.line.awaits(&What::CloseSession) {
            return self.finish(Observation::Closed, news);
        }
        self.session_gone(now, &Trouble::SessionTakenOver, news);
    }

    fn hear(
        &mut self,
        now: Timestamp,
        message: StructuredMessage,
        tracing: Option<&str>,
        news: &mut News,
    ) {
        self.reading.lively(now);
        match message.direction {
            Direction::Inbound => self.hear_echo(&message, tracing, news),
            _ if message.kind == Kind::Event => self.hear_events(now, &message, news),
            _ if matches!(message.kind, Kind::Text | Kind::Structured) => {
                let Some(talk) = self.state.talk_mut() else {
                    return;
                };
                let at = message.time().unwrap_or(now);
                let ready = talk.order.push(now, &message.key(), at, message);
                news.changed = true;
                self.tell_all(now, ready, news);
            }
            _ => tracing::debug!(kind = ?message.kind, "a message of no concern"),
        }
    }

    /// One of ours is repeated: it has arrived.
    fn hear_echo(&mut self, message: &StructuredMessage, tracing: Option<&str>, news: &mut News) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        let is_new = talk.order.remember(&message.key());
        let Some(tracing) = tracing else { return };
        if self.line.awaits(&What::Join) && tracing == self.id_of("join") {
            self.line.answered();
            if let Some(talk) = self.state.talk_mut() {
                talk.join = false;
            }
            self.opened(news);
        } else if is_new && message.kind != Kind::Event && self.is_echo_of_first(tracing) {
            self.arrived(news);
        }
    }

    fn hear_events(&mut self, now: Timestamp, message: &StructuredMessage, news: &mut News) {
        if message.has_presence("Disconnect") {
            return self.hear_disconnect(now, message, news);
        }
        let is_typing = |event: &&EventBody| event.event_type == "Typing";
        let Some(event) = message.events.iter().find(is_typing) else {
            return;
        };
        let typing = event.typing.clone().unwrap_or_default();
        let key = format!("typing/{}", message.key());
        if self.typing_heard.contains(&key) {
            return;
        }
        self.typing_heard.push_back(key.clone());
        if self.typing_heard.len() > TYPING_REMEMBERED {
            self.typing_heard.pop_front();
        }
        if typing.kind == "Off" {
            self.agent_typing = None;
            return news.tell(key, Signal::Typing { on: false });
        }
        let shows = typing.duration.map_or(TYPING_SHOWS, Millis);
        if self.agent_typing.is_none() {
            news.tell(key.clone(), Signal::Typing { on: true });
        }
        self.agent_typing = Some((now + shows, key));
    }

    /// The agent side has ended the conversation. A person who did so was there, even if it never
    /// wrote.
    pub(super) fn hear_disconnect(
        &mut self,
        now: Timestamp,
        message: &StructuredMessage,
        news: &mut News,
    ) {
        if let (Some(talk), false) = (self.state.talk_mut(), message.id.is_empty()) {
            talk.order.remember(&message.id);
        }
        let unseen = !self.state.end.was_answered() && !self.sees_agents();
        if unseen && message.is_from_a_person() {
            self.infer(message.nickname(), news);
        }
        self.close(now);
        news.changed = true;
    }

    /// Genesys may only say when typing begins and how long it shows.
    pub(super) fn agent_stopped_typing(&mut self, now: Timestamp, news: &mut News) {
        if let Some((until, key)) = &self.agent_typing
            && *until <= now
        {
            news.tell(format!("{key}/over"), Signal::Typing { on: false });
            self.agent_typing = None;
        }
    }

    /// Tells what has waited long enough for earlier messages.
    pub(super) fn tell_what_is_due(&mut self, now: Timestamp, news: &mut News) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        let due = talk.order.due(now);
        news.changed |= !due.is_empty();
        self.tell_all(now, due, news);
    }

    /// Tells messages, in the order given. One of a person nobody has been seen to be waits for the
    /// next look, where one can be taken.
    pub(super) fn tell_all(
        &mut self,
        now: Timestamp,
        messages: Vec<StructuredMessage>,
        news: &mut News,
    ) {
        for message in messages {
            // Whoever answers has been reached.
            self.opened(news);
            let followed = self.sees_agents();
            let unknown = self.state.end.connected_agent().is_none();
            let Some(talk) = self.state.talk_mut() else {
                return;
            };
            let holds = !talk.held.is_empty() || (message.is_from_a_person() && unknown);
            if followed && holds {
                talk.held.push(message);
                news.changed = true;
                self.tracking.watch.look_now(now);
                continue;
            }
            let from = message
                .is_from_a_person()
                .then(|| self.speaker(now, message.nickname(), news));
            self.tell_message(&message, from, news);
        }
    }

    /// Tells what waited for its speaker to be known.
    pub(super) fn release_held(&mut self, now: Timestamp, news: &mut News) {
        let held = self
            .state
            .talk_mut()
            .map(|talk| std::mem::take(&mut talk.held));
        for message in held.into_iter().flatten() {
            let from = message
                .is_from_a_person()
                .then(|| self.speaker(now, message.nickname(), news));
            self.tell_message(&message, from, news);
        }
    }

    /// Tells a message from before this handoff: whoever wrote it need not be there any more.
    pub(super) fn tell_missed(&mut self, message: &StructuredMessage, news: &mut News) {
        let name = message.nickname().unwrap_or(crate::end::UNNAMED_AGENT);
        let from = message.is_from_a_person().then(|| Agent {
            id: None,
            name: name.to_owned(),
        });
        if let Some(talk) = self.state.talk_mut() {
            talk.order.remember(&message.key());
        }
        self.tell_message(message, from, news);
    }

    /// Who speaks: the agent the Platform API shows, or else whoever the message says.
    fn speaker(&mut self, now: Timestamp, nickname: Option<&str>, news: &mut News) -> Agent {
        if !self.sees_agents() {
            return self.infer(nickname, news);
        }
        let connected = self.state.end.connected_agent().cloned();
        match (connected, nickname) {
            (Some(agent), None) => agent,
            (Some(agent), Some(name)) if agent.name == name => agent,
            (_, Some(name)) => {
                // Another one may have come since the last look.
                self.tracking.watch.look_now(now);
                Agent {
                    id: None,
                    name: name.to_owned(),
                }
            }
            (None, None) => crate::following::unnamed(),
        }
    }

    fn infer(&mut self, nickname: Option<&str>, news: &mut News) -> Agent {
        let Some(talk) = self.state.talk_mut() else {
            return crate::following::unnamed();
        };
        let (agent, seen) = talk.inferred.wrote(nickname);
        self.tracking.answered();
        self.observe(seen, news);
        agent
    }

    fn tell_message(&mut self, message: &StructuredMessage, from: Option<Agent>, news: &mut News) {
        self.agent_typing = None;
        let id = message.key();
        let shown = shown(message.text.as_deref(), &message.content);
        simplified_in(&id, &shown.simplified, !shown.is_empty(), news);
        if shown.is_empty() {
            return;
        }
        news.tell(
            format!("message/{id}"),
            Signal::Message {
                message_id: id,
                from,
                text: shown.text,
                content: shown.content,
                at: message.time().unwrap_or_default(),
            },
        );
    }
}
