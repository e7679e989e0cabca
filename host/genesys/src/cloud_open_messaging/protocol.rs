//! The handoff as a value: commands, webhook bodies, answers and time in; calls, signals and deadlines
//! out.
//!
//! One call is under way at a time, so texts arrive in the order given. What came in by webhook is in
//! `hearing`, what a look at the conversation shows in `looking`, how a handoff begins and how the
//! user leaves in `opening` and `leaving`; this file decides what is next and what a failure means.

use super::looking::Watch;
use super::opening::{Opening, message_id};
use super::picture::Names;
use super::trouble::Trouble;
use super::wire::Outbound;
use crate::echoes::{Echoes, is_blank};
use crate::end::{EndOfHandoff, Observation};
use crate::outbox::{Given, Outbox, Outgoing};
use crate::platform::PlatformError;
use crate::platform::conversations::{Conversation, MessageData};
use crate::platform::inbound::{InboundMessage, Posted, Sender};
use crate::report::News;
use crate::retry::Backoff;
use crate::transport::Command;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::name::{EffectId, HandoffId};
use handoff_engine::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(60),
};

/// A text that cannot be delivered for this long is given up, with a notice.
const DELIVER_WITHIN: Millis = Millis::from_mins(2);

/// How often a handoff that does not open is tried: the user is waiting.
const START_ATTEMPTS: u32 = 4;

/// How often the same look is refused before that is final. Right after its opening a conversation
/// may not be known everywhere.
const LOOK_ATTEMPTS: u32 = 4;

/// How often a name or a missed message is asked for before it is done without.
const READ_ATTEMPTS: u32 = 6;

/// Genesys shows typing for about this long; more often says nothing new.
const TYPING_EVERY: Millis = Millis::from_secs(5);

/// Ids of agents' messages that are remembered against redelivery and on resume.
/// More than one look checks.
const SEEN: usize = 128;

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

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// The user.
    pub(super) from: Sender,
    pub(super) outbox: Outbox,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: Leaving,
    /// Whether it was said that events do not come. Once is enough.
    warned: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    Opening(Box<Opening>),
    Open(Box<Talk>),
}

/// An open conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Talk {
    pub(super) integration: String,
    /// Unknown only if Genesys did not tell it at once.
    pub(super) conversation: Option<String>,
    /// Genesys' id of the opening message.
    pub(super) opened_by: Option<String>,
    pub(super) opened_at: Timestamp,
    /// The customer participant, once seen.
    pub(super) customer: Option<String>,
    /// How many of our messages are known to be in the conversation.
    pub(super) arrived: usize,
    pub(super) echoes: Echoes,
    /// Agents' messages that were told.
    pub(super) seen: VecDeque<String>,
    /// Agents' messages that came before it was known who speaks.
    pub(super) held: Vec<Outbound>,
}

/// How far the user's leaving has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Leaving {
    No,
    /// By ending the customer's part.
    Customer,
    /// By ending everyone's part.
    Everyone,
    /// By telling the agent.
    Farewell,
}

/// One handoff.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) handoff: HandoffId,
    pub(super) state: State,
    pub(super) watch: Watch,
    pub(super) names: Names,
    /// The user types, and when that was last shown.
    typing: bool,
    typing_shown: Option<Timestamp>,
    /// When the agent's typing is over, and what began it.
    pub(super) agent_typing: Option<(Timestamp, String)>,
    /// The last message may have arrived: look before sending it again.
    pub(super) in_doubt: bool,
    /// When the first thing in the outbox was first tried.
    first_tried: Option<Timestamp>,
    blocked_until: Timestamp,
    failures: u32,
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
        let mut protocol = Self::new(handoff, state, Watch::resumed(now));
        protocol.in_doubt = true;
        protocol
    }

    fn new(handoff: HandoffId, state: State, watch: Watch) -> Self {
        Self {
            handoff,
            state,
            watch,
            names: Names::new(),
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
            Command::Say { id, text } => match self.state.outbox.say(Some(id.clone()), text) {
                Given::Queued => news.changed = true,
                Given::Known => {}
                Given::Settled => news.settled.push(id),
            },
            Command::SetAttributes(attributes) => {
                match &mut self.state.phase {
                    Phase::Opening(opening) => opening.attributes.extend(attributes),
                    Phase::Open(_) => self.state.outbox.attributes(attributes),
                }
                news.changed = true;
            }
            Command::Typing { on } => self.typing = on,
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
        self.watch
            .question(talk)
            .or_else(|| look(self.in_doubt))
            .or_else(|| self.next_outgoing(talk, now))
            .or_else(|| self.next_leaving(talk))
            .or_else(|| look(self.watch.is_due(now)))
    }

    fn next_outgoing(&self, talk: &Talk, now: Timestamp) -> Option<Call> {
        match self.state.outbox.first()? {
            Outgoing::Say { id, text } => {
                let id = id.as_ref().map_or(self.handoff.as_str(), EffectId::as_str);
                Some(Call::Post {
                    integration: talk.integration.clone(),
                    message: Box::new(InboundMessage {
                        from: self.state.from.clone(),
                        message_id: message_id(id),
                        time: self.first_tried.unwrap_or(now),
                        attributes: BTreeMap::new(),
                        text: text.clone(),
                    }),
                })
            }
            Outgoing::Attributes(attributes) => {
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
            (Call::Name(user), Answer::Name(name)) => self.named(now, user, name),
            (Call::SetAttributes { .. }, _) => {
                self.first_tried = None;
                self.state.outbox.settle_first();
                news.changed = true;
            }
            (Call::Disconnect { .. } | Call::DisconnectAll { .. }, _) => {
                self.finish(Observation::Closed, news);
            }
            (call, answer) => tracing::debug!(?call, ?answer, "nothing to do"),
        }
    }

    fn opening(&mut self, change: impl FnOnce(&mut Opening)) {
        if let Phase::Opening(opening) = &mut self.state.phase {
            change(opening);
        }
    }

    fn delivered(&mut self, news: &mut News) {
        self.first_tried = None;
        let settled = self.state.outbox.settle_first();
        if let Phase::Open(talk) = &mut self.state.phase {
            talk.arrived += 1;
        }
        if let Some(Outgoing::Say { id, .. }) = settled {
            news.settled.extend(id);
        }
        news.changed = true;
    }

    fn failed(&mut self, now: Timestamp, call: &Call, trouble: &Trouble, news: &mut News) {
        if matches!(call, Call::Typing { .. }) {
            return;
        }
        self.failures += 1;
        tracing::warn!(
            handoff = %self.handoff, code = trouble.code(), attempt = self.failures, %trouble,
            "a call to Genesys Cloud failed"
        );
        let passing = trouble.platform().is_some_and(PlatformError::is_passing);
        if passing {
            self.blocked_until = now + self.wait_after(trouble);
        }
        match call {
            Call::FindIntegration | Call::FindQueue(_) => {
                self.start_failed(passing, trouble, news);
            }
            Call::Post { .. } if matches!(self.state.phase, Phase::Opening(_)) => {
                if is_conflict(trouble) {
                    self.blocked_until = now;
                    self.opening(Opening::use_another_id);
                } else {
                    self.start_failed(passing, trouble, news);
                }
            }
            Call::Post { .. } => self.post_failed(now, passing, trouble, news),
            Call::SetAttributes { .. } => {
                if !passing || self.tried_long_enough(now) {
                    self.give_up_first(&trouble.to_string(), news);
                }
            }
            Call::Look { .. } => self.look_failed(now, passing, trouble, news),
            Call::Read { message, .. } if !passing || self.failures >= READ_ATTEMPTS => {
                news.notice(
                    format!("message/{message}/unread"),
                    "genesys.message_not_read",
                    format!("A message of the agent's may be missing: {trouble}"),
                );
                self.read(message, None, news);
            }
            Call::Name(user) if !passing || self.failures >= READ_ATTEMPTS => {
                self.named(now, user, None);
            }
            Call::Disconnect { .. } | Call::DisconnectAll { .. } => {
                self.leaving_failed(passing, self.failures, trouble, news);
            }
            Call::Read { .. } | Call::Name(_) | Call::Typing { .. } => {}
        }
    }

    fn wait_after(&self, trouble: &Trouble) -> Millis {
        match trouble.platform() {
            Some(PlatformError::RateLimited { retry_after, .. }) => *retry_after,
            _ => BACKOFF.after(self.failures, self.handoff.as_str()),
        }
    }

    fn start_failed(&mut self, passing: bool, trouble: &Trouble, news: &mut News) {
        if !passing || self.failures >= START_ATTEMPTS {
            self.finish(Observation::Failed(trouble.detail()), news);
        }
    }

    fn post_failed(&mut self, now: Timestamp, passing: bool, trouble: &Trouble, news: &mut News) {
        if trouble.platform().is_some_and(PlatformError::is_doubtful) {
            self.in_doubt = true;
        }
        if is_conflict(trouble) {
            // Its id was seen before: it has arrived.
            return self.delivered(news);
        }
        if !passing || self.tried_long_enough(now) {
            self.give_up_first(&trouble.to_string(), news);
        }
    }

    fn look_failed(&mut self, now: Timestamp, passing: bool, trouble: &Trouble, news: &mut News) {
        if passing {
            self.release_held(news);
            return;
        }
        if self.failures < LOOK_ATTEMPTS {
            self.blocked_until = now + BACKOFF.after(self.failures, self.handoff.as_str());
            return;
        }
        self.release_held(news);
        let detail = match trouble.platform() {
            Some(PlatformError::NotFound { .. }) => Trouble::ConversationGone {
                why: trouble.to_string(),
            }
            .detail(),
            _ => trouble.detail(),
        };
        self.finish(Observation::Failed(detail), news);
    }

    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
        self.blocked_until = Timestamp(0);
    }

    fn tried_long_enough(&self, now: Timestamp) -> bool {
        let long = |since: Timestamp| now.since(since) >= DELIVER_WITHIN;
        self.first_tried.is_some_and(long)
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
        while self.state.outbox.first().is_some() {
            self.give_up_first("the conversation is over.", news);
        }
        self.observe([last], news);
    }

    pub(super) fn give_up_first(&mut self, why: &str, news: &mut News) {
        self.first_tried = None;
        match self.state.outbox.settle_first() {
            Some(Outgoing::Say { id: Some(id), text }) => {
                news.notice(
                    format!("say/{id}/not_delivered"),
                    "genesys.message_not_delivered",
                    format!(
                        "A message of {} characters from the user did not reach the agent: {why}",
                        text.chars().count()
                    ),
                );
                news.settled.push(id);
            }
            // Our own farewell; that the agent was not told is said when leaving.
            Some(Outgoing::Say { id: None, .. }) | None => {}
            Some(Outgoing::Attributes(attributes)) => {
                let names: Vec<_> = attributes.keys().map(String::as_str).collect();
                let names = names.join(", ");
                news.notice(
                    format!("attributes/{names}/not_delivered"),
                    "genesys.attributes_not_delivered",
                    format!("The attributes {names} did not reach the agent: {why}"),
                );
            }
        }
        news.changed = true;
    }

    /// Settles the texts that need no sending: those found in the conversation, and blank ones, which
    /// Genesys refuses.
    pub(super) fn settle_what_arrived(&mut self, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        while let Some(Outgoing::Say { text, .. }) = self.state.outbox.first() {
            if !is_blank(text) && !talk.echoes.claim(text) {
                return;
            }
            self.first_tried = None;
            if let Some(Outgoing::Say { id, .. }) = self.state.outbox.settle_first() {
                news.settled.extend(id);
                news.changed = true;
            }
        }
    }

    /// Before the conversation is open there is nothing to resume, so nothing to report but an end.
    fn unreported_while_opening(&self, news: &mut News) {
        if matches!(self.state.phase, Phase::Opening(_)) && !self.state.end.has_ended() {
            news.changed = false;
        }
    }
}

impl Talk {
    /// Remembers an agent's message; false if it was known.
    pub(super) fn remember(&mut self, message: &str) -> bool {
        if self.seen.iter().any(|known| known == message) {
            return false;
        }
        self.seen.push_back(message.to_owned());
        if self.seen.len() > SEEN {
            self.seen.pop_front();
        }
        true
    }
}

fn is_conflict(trouble: &Trouble) -> bool {
    matches!(
        trouble.platform(),
        Some(PlatformError::Refused { status: 409, .. })
    )
}
