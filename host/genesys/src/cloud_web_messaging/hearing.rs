//! What comes in on the socket: agents' messages, typing, presence, and echoes of ours.
//!
//! Genesys keeps no order (PROTOCOLS 6) and tells of no gap, so messages wait a moment for earlier ones
//! and for a look at the history, and go out by the platform's time, each once. That look costs a
//! request per burst of messages; without it a lost frame would show out of order, much later.
//! Events without an id of their own get one from what they say.

use super::line::What;
use super::protocol::Protocol;
use super::reading::Purpose;
use super::trouble::Trouble;
use super::wire::{Direction, EventBody, Frame, Kind, StructuredMessage};
use crate::carry::simplified_in;
use crate::content::shown;
use crate::end::Observation;
use crate::following::unnamed;
use crate::report::News;
use handoff_engine::handoff::{Agent, Signal};
use handoff_engine::time::{Millis, Timestamp};

/// How long typing shows if Genesys does not say.
const TYPING_SHOWS: Millis = Millis::from_secs(5);

/// How long a message waits for the history to be read.
const FOR_THE_HISTORY: Millis = Millis::from_secs(10);

/// How many are remembered against repeats; a repeat comes at once or never.
const TYPING_REMEMBERED: usize = 16;

impl Protocol {
    pub(super) fn frame(&mut self, now: Timestamp, frame: &Frame, news: &mut News) {
        match frame.class.as_str() {
            "SessionExpiredEvent" => self.session_gone(now, &Trouble::SessionExpired, news),
            "TooManyRequestsErrorMessage" => self.refused(now, frame, news),
            "SessionClearedEvent" => self.session_cleared(news),
            "ConnectionClosedEvent" => self.connection_closed(now, news),
            "LogoutEvent" => self.session_gone(now, &Trouble::SignedOut, news),
            "UploadFailureEvent" | "GenerateUrlError" => self.upload_refused(frame, news),
            _ if !frame.is_ok() => self.refused(now, frame, news),
            "SessionResponse" => self.session_answered(now, frame, news),
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
            "PresignedUrlResponse" => self.upload_granted(frame),
            "UploadSuccessEvent" => self.upload_complete(frame),
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
                talk.order.put(now, &message.key(), at, message);
                news.changed = true;
                self.tell_what_is_due(now, news);
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

    /// The agent side has ended the conversation.
    pub(super) fn hear_disconnect(
        &mut self,
        now: Timestamp,
        message: &StructuredMessage,
        news: &mut News,
    ) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        if !message.id.is_empty() {
            talk.order.remember(&message.id);
        }
        if message.is_from_a_person() {
            talk.closed_by = Some(message.channel.from.clone().unwrap_or_default());
        }
        self.close(now);
        news.changed = true;
    }

    /// Whoever ended the conversation was there, even if nothing it wrote has come.
    pub(super) fn infer_closer(&mut self, news: &mut News) {
        let known = self.sees_agents() || self.state.end.was_answered();
        let closer = self.state.talk_mut().and_then(|it| it.closed_by.take());
        if let (Some(closer), false) = (closer, known) {
            self.infer(closer.name(), news);
        }
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

    /// When messages have waited long enough for earlier ones. While it is not known what was missed they
    /// wait for the history too, within reason.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let due = self.state.talk()?.order.deadline()?;
        let unsure = self.line.is_missing_something() || self.reading.is_wanted();
        Some(if unsure { due + FOR_THE_HISTORY } else { due })
    }

    /// Messages have waited long enough for those that were overtaken. Ones that were lost show only in
    /// the history, so that is read before they are told.
    pub(super) fn tell_what_is_due(&mut self, now: Timestamp, news: &mut News) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        if self.can_read() && !self.reading.is_wanted() {
            return self.reading.want(now, Purpose::CatchUp { gaps: true });
        }
        self.tell_all_due(now, news);
    }

    /// Tells what has waited long enough.
    pub(super) fn tell_all_due(&mut self, now: Timestamp, news: &mut News) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        let due = talk.order.due(now);
        news.changed |= !due.is_empty();
        self.tell_all(now, due, news);
    }

    /// Tells messages, in the order given. One of a person nobody has been seen to be waits for the
    /// next look, where one can be taken, and whatever comes after it waits with it.
    pub(super) fn tell_all(
        &mut self,
        now: Timestamp,
        messages: Vec<StructuredMessage>,
        news: &mut News,
    ) {
        for message in messages {
            // Whoever answers has been reached.
            self.opened(news);
            if self.waits_for_a_look(&message) {
                self.tracking.watch.look_now(now);
                news.changed = true;
                if let Some(talk) = self.state.talk_mut() {
                    talk.held.push(message);
                }
                continue;
            }
            self.tell(&message, news);
        }
    }

    /// Whether a look may show who speaks: someone nobody has been seen to be.
    fn waits_for_a_look(&self, message: &StructuredMessage) -> bool {
        if !self.sees_agents() {
            return false;
        }
        let holds = self.state.talk().is_some_and(|talk| !talk.held.is_empty());
        let end = &self.state.end;
        let unknown = match message.nickname() {
            Some(name) => end.joined_as(name).is_none() && !self.tracking.is_stranger(name),
            None => end.connected_agent().is_none(),
        };
        holds || (message.is_from_a_person() && unknown)
    }

    /// Tells what waited for its speaker to be known.
    pub(super) fn release_held(&mut self, news: &mut News) {
        let held = self.state.talk_mut().map(|it| std::mem::take(&mut it.held));
        for message in held.into_iter().flatten() {
            self.tell(&message, news);
        }
    }

    /// Who is still unknown after a look writes under a name that no look shows.
    pub(super) fn meet_strangers(&mut self) {
        let held = self.state.talk().map(|talk| talk.held.as_slice());
        for name in held
            .unwrap_or_default()
            .iter()
            .filter_map(StructuredMessage::nickname)
        {
            if self.state.end.joined_as(name).is_none() {
                self.tracking.meets_stranger(name);
            }
        }
    }

    /// An agent is about to be told to have gone: its words go before that.
    pub(super) fn release_of(&mut self, name: &str, news: &mut News) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        let is_of = |message: &StructuredMessage| message.nickname() == Some(name);
        let waiting = talk.order.flush_through(is_of);
        let mut all = std::mem::take(&mut talk.held);
        all.extend(waiting);
        let last = all.iter().rposition(is_of).map_or(0, |last| last + 1);
        talk.held = all.split_off(last);
        for message in all {
            self.tell(&message, news);
        }
    }

    fn tell(&mut self, message: &StructuredMessage, news: &mut News) {
        let person = message.is_from_a_person();
        let from = person.then(|| self.speaker(message.nickname(), news));
        self.tell_message(message, from, news);
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
    fn speaker(&mut self, nickname: Option<&str>, news: &mut News) -> Agent {
        if !self.sees_agents() {
            return self.infer(nickname, news);
        }
        let end = &self.state.end;
        let Some(name) = nickname else {
            return end.connected_agent().cloned().unwrap_or_else(unnamed);
        };
        end.joined_as(name).cloned().unwrap_or_else(|| Agent {
            id: None,
            name: name.to_owned(),
        })
    }

    fn infer(&mut self, nickname: Option<&str>, news: &mut News) -> Agent {
        let Some(talk) = self.state.talk_mut() else {
            return unnamed();
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
