//! The handoff as a value: commands, webhook bodies, answers and time in; calls, signals and deadlines
//! out.
//!
//! One call is under way at a time, so texts arrive in the order given. What came in by webhook is in
//! `hearing`, what a look at the conversation shows in `looking`, how a handoff begins and how the
//! user leaves in `opening` and `leaving`, what a failure means in `failing`; this file decides what is
//! next.

use super::looking::Reading;
use super::opening::{Opening, message_id};
use super::state::{Leaving, Phase, State, Talk};
use super::trouble::Trouble;
use super::wire::Outbound;
use crate::echoes::is_blank;
use crate::end::{EndOfHandoff, Observation};
use crate::carry::OPEN_MESSAGING;
use crate::giving_up;
use crate::outbox::{First, Given, Outbox};
use crate::following::Watch;
use crate::platform::conversations::{Conversation, MessageData};
use crate::platform::inbound::{InboundMessage, Posted, Sender};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::name::HandoffId;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::BTreeMap;

/// Genesys shows typing for about this long; more often says nothing new.
const TYPING_EVERY: Millis = Millis::from_secs(5);

/// A call to make.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    /// The account's integration.
    FindIntegration,
    /// A queue by its exact name.
    FindQueue(String),
    /// A text of the user's.
    Post {
        integration: String,
        message: Box<InboundMessage>,
    },
    /// The user types.
    Typing { integration: String, from: Sender },
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
    Posted(Posted),
    Conversation(Box<Conversation>),
    Message(Box<MessageData>),
    Name(Option<String>),
    Done,
}

/// What happens without our asking.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A webhook call.
    Heard(Box<Outbound>),
    /// Something happened to the conversation.
    Changed,
    /// From now on events come; what happened before may have been missed.
    Followed,
    /// No events come, for this reason.
    Unfollowed { why: String },
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    Call(Call),
    /// Nothing until then, unless a command or an event comes.
    Wait(Timestamp),
    /// The handoff is over.
    Done,
}

/// One handoff.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) handoff: HandoffId,
    pub(super) state: State,
    pub(super) watch: Watch,
    pub(super) reading: Reading,
    /// The user types, and when that was last shown.
    typing: bool,
    typing_shown: Option<Timestamp>,
    /// When the agent's typing is over, and what began it.
    pub(super) agent_typing: Option<(Timestamp, String)>,
    /// The last message may have arrived: look before sending it again.
    pub(super) in_doubt: bool,
    /// When the first thing in the outbox was first tried.
    pub(super) first_tried: Option<Timestamp>,
    pub(super) blocked_until: Timestamp,
    pub(super) failures: u32,
}

impl Protocol {
    pub(super) fn open(
        handoff: HandoffId,
        request: &TransferRequest,
        queue_attribute: &str,
        now: Timestamp,
    ) -> Self {
        let opening = Opening::new(&handoff, request, queue_attribute);
        let state = State {
            from: opening.sender(),
            phase: Phase::Opening(Box::new(opening)),
            outbox: Outbox::default(),
            end: EndOfHandoff::default(),
            leaving: Leaving::No,
            warned: false,
        };
        Self::new(handoff, state, Watch::new(now))
    }

    pub(super) fn resume(handoff: HandoffId, state: State, now: Timestamp) -> Self {
        let mut protocol = Self::new(handoff, state, Watch::new(now));
        protocol.reading.catch_up();
        protocol.in_doubt = true;
        protocol
    }

    fn new(handoff: HandoffId, state: State, watch: Watch) -> Self {
        Self {
            handoff,
            state,
            watch,
            reading: Reading::default(),
            typing: false,
            typing_shown: None,
            agent_typing: None,
            in_doubt: false,
            first_tried: None,
            blocked_until: Timestamp(0),
            failures: 0,
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// The id by which Genesys knows the user.
    pub(super) fn user(&self) -> &str {
        &self.state.from.id
    }

    pub(super) fn conversation(&self) -> Option<&str> {
        match &self.state.phase {
            Phase::Open(talk) => talk.conversation.as_deref(),
            Phase::Opening(_) => None,
        }
    }

    pub(super) fn command(&mut self, command: Command) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        match command {
            Command::Say { id, message, input } => {
                let outbox = &mut self.state.outbox;
                match outbox.say(id.clone(), input, &message, &OPEN_MESSAGING) {
                    Given::Queued => news.changed = true,
                    Given::Known => {}
                    Given::Settled => news.settled.push(id),
                }
            }
            Command::SetAttributes(attributes) => {
                match &mut self.state.phase {
                    Phase::Opening(opening) => opening.attributes.extend(attributes),
                    Phase::Open(_) => self.state.outbox.attributes(attributes),
                }
                news.changed = true;
            }
            Command::Typing { on } => self.typing = on,
            Command::Receipt { .. } => {}
            Command::Leave => self.leave(&mut news),
        }
        self.settle_what_arrived(&mut news);
        self.unreported_while_opening(&mut news);
        news
    }

    pub(super) fn event(&mut self, now: Timestamp, event: Event) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        match event {
            Event::Heard(message) => self.hear(now, *message, &mut news),
            Event::Changed => self.watch.look_now(now),
            Event::Followed => self.watch.followed(now),
            Event::Unfollowed { why } => {
                self.watch.unfollowed(now);
                if !std::mem::replace(&mut self.state.warned, true) {
                    news.notice("unfollowed", "genesys.events_unavailable", format!(
                        "Agents coming and going are seen a few seconds late, because Genesys does not send this conversation's events: {why}"
                    ));
                }
            }
        }
        self.unreported_while_opening(&mut news);
        news
    }

    /// The time waited for has come.
    pub(super) fn woke(&mut self, now: Timestamp) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        self.agent_stopped_typing(now, &mut news);
        news
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        if self.state.end.has_ended() {
            return Next::Done;
        }
        if now < self.blocked_until {
            return self.wait(self.blocked_until);
        }
        if let Phase::Opening(opening) = &mut self.state.phase {
            return Next::Call(opening.next(&self.state.from, now));
        }
        if self.state.outbox.first().is_some() {
            self.first_tried.get_or_insert(now);
        }
        if let Some(call) = self.next_call(now).or_else(|| self.next_typing(now)) {
            return Next::Call(call);
        }
        match self.conversation() {
            Some(_) => self.wait(self.watch.due()),
            None => self.wait(now + Millis::from_mins(1)),
        }
    }

    /// What there is to ask or to say, most urgent first. Typing comes after it.
    fn next_call(&self, now: Timestamp) -> Option<Call> {
        let Phase::Open(talk) = &self.state.phase else {
            return None;
        };
        let look = |due: bool| {
            let conversation = talk.conversation.clone().filter(|_| due)?;
            Some(Call::Look { conversation })
        };
        self.question(talk)
            .or_else(|| look(self.in_doubt))
            .or_else(|| self.next_outgoing(talk, now))
            .or_else(|| self.next_leaving(talk))
            .or_else(|| look(self.watch.is_due(now)))
    }

    fn next_outgoing(&self, talk: &Talk, now: Timestamp) -> Option<Call> {
        match self.state.outbox.first()? {
            First::Part(_, part) => {
                let key = self.state.outbox.first_key().unwrap_or_default();
                Some(Call::Post {
                    integration: talk.integration.clone(),
                    message: Box::new(InboundMessage {
                        from: self.state.from.clone(),
                        message_id: message_id(&format!("{}/{key}", self.handoff)),
                        time: self.first_tried.unwrap_or(now),
                        attributes: BTreeMap::new(),
                        text: part.echo().to_owned(),
                    }),
                })
            }
            First::Attributes(attributes) => {
                let conversation = talk.conversation.clone()?;
                Some(match talk.customer.clone() {
                    Some(participant) => Call::SetAttributes {
                        conversation,
                        participant,
                        attributes: attributes.clone(),
                    },
                    None => Call::Look { conversation },
                })
            }
        }
    }

    fn next_typing(&mut self, now: Timestamp) -> Option<Call> {
        let Phase::Open(talk) = &self.state.phase else {
            return None;
        };
        if !std::mem::take(&mut self.typing) {
            return None;
        }
        let lately = |shown: Timestamp| now.since(shown) < TYPING_EVERY;
        if self.typing_shown.is_some_and(lately) {
            return None;
        }
        self.typing_shown = Some(now);
        Some(Call::Typing {
            integration: talk.integration.clone(),
            from: self.state.from.clone(),
        })
    }

    fn wait(&self, until: Timestamp) -> Next {
        let typing_over = self.agent_typing.as_ref().map(|(until, _)| *until);
        Next::Wait(typing_over.map_or(until, |over| over.min(until)))
    }

    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        call: &Call,
        answer: Result<Answer, Trouble>,
    ) -> News {
        let mut news = News::default();
        match answer {
            Ok(answer) => {
                self.failures = 0;
                self.succeeded(now, call, answer, &mut news);
            }
            Err(trouble) => self.failed(now, call, &trouble, &mut news),
        }
        self.settle_what_arrived(&mut news);
        self.said_farewell(&mut news);
        self.unreported_while_opening(&mut news);
        news
    }

    fn succeeded(&mut self, now: Timestamp, call: &Call, answer: Answer, news: &mut News) {
        match (call, answer) {
            (_, Answer::Integration(id)) => self.opening(|opening| opening.integration = Some(id)),
            (_, Answer::QueueFound) => self.opening(|opening| opening.queue_found = true),
            (Call::Post { message, .. }, Answer::Posted(posted)) => {
                if matches!(self.state.phase, Phase::Opening(_)) {
                    self.opened(now, message, posted, news);
                } else {
                    self.delivered(news);
                }
            }
            (_, Answer::Conversation(conversation)) => self.looked(now, &conversation, news),
            (Call::Read { message, .. }, Answer::Message(data)) => {
                self.read(message, Some(&data), news);
            }
            (Call::Name(user), Answer::Name(name)) => self.watch.named(now, user, name),
            (Call::SetAttributes { .. }, _) => {
                self.first_tried = None;
                self.state.outbox.sent_first(news);
            }
            (Call::Disconnect { .. } | Call::DisconnectAll { .. }, _) => {
                self.finish(Observation::Closed, news);
            }
            (call, answer) => tracing::debug!(?call, ?answer, "nothing to do"),
        }
    }

    pub(super) fn opening(&mut self, change: impl FnOnce(&mut Opening)) {
        if let Phase::Opening(opening) = &mut self.state.phase {
            change(opening);
        }
    }

    pub(super) fn delivered(&mut self, news: &mut News) {
        self.first_tried = None;
        self.state.outbox.sent_first(news);
        if let Phase::Open(talk) = &mut self.state.phase {
            talk.arrived += 1;
        }
    }

    pub(super) fn observe(
        &mut self,
        batch: impl IntoIterator<Item = Observation>,
        news: &mut News,
    ) {
        self.state.end.observe_into(batch, news);
    }

    /// Ends the handoff. What can no longer be sent is said before the end.
    pub(super) fn finish(&mut self, last: Observation, news: &mut News) {
        self.release_held(news);
        let State { outbox, end, .. } = &mut self.state;
        giving_up::finish(outbox, end, last, news);
    }

    pub(super) fn give_up_first(&mut self, why: &str, news: &mut News) {
        self.first_tried = None;
        self.state.outbox.give_up_first(why, news);
    }

    /// Settles the texts that need no sending: those found in the conversation, and blank ones, which
    /// Genesys refuses.
    pub(super) fn settle_what_arrived(&mut self, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        while let Some(First::Part(_, part)) = self.state.outbox.first() {
            let echo = part.echo();
            if !is_blank(echo) && !talk.echoes.claim(echo) {
                return;
            }
            self.first_tried = None;
            self.state.outbox.sent_first(news);
        }
    }

    /// Before the conversation is open there is nothing to resume, so nothing to report but an end.
    fn unreported_while_opening(&self, news: &mut News) {
        if matches!(self.state.phase, Phase::Opening(_)) && !self.state.end.has_ended() {
            news.changed = false;
        }
    }
}
