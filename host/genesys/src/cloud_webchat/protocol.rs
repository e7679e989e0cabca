//! The chat as a value: commands, frames, answers and time in; requests, signals and deadlines out.
//!
//! One request is under way at a time. Whether a text arrived is decided by what was said: a text
//! whose answer was lost is looked for in the history before it is sent again, and so is everything
//! that is still to be sent after a resume.

use super::failing::Streak;
use super::opening::{Opening, Site};
use super::reading::Reading;
use super::sending::text_of;
use super::state::{Chat, Phase, Queue, Seat, State};
use super::trouble::{Failure, Trouble};
use super::wire::{Create, Created, Frames, Members, Messages, Reference};
use crate::carry::WEB_CHAT;
use crate::driving;
use crate::echoes::Echoes;
use crate::end::{EndOfHandoff, Observation};
use crate::following::QueueWait;
use crate::giving_up;
use crate::outbox::{First, Given, Outbox};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::{FAREWELL, TransferRequest};
use handoff_engine::name::HandoffId;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::BTreeMap;

/// Shown again this often while the user goes on typing.
const TYPING_EVERY: Millis = Millis::from_secs(5);

/// A request to make.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    /// Of the Platform API: the queue of this name.
    FindQueue(String),
    Create(Box<Create>),
    /// Everyone who is or was in the chat, by pages counted from 1.
    Members {
        page: u32,
    },
    /// What was said after this message, or all of it.
    Messages {
        after: Option<String>,
    },
    Post(String),
    Typing,
    /// Of the Platform API: participant attributes.
    SetAttributes(BTreeMap<String, String>),
    /// Of the Platform API: how long chats wait in the queue of this id.
    EstimatedWait(String),
    Leave,
}

/// What a request came to.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The queue's id.
    Queue(String),
    Created(Box<Created>),
    Members(Members),
    Messages(Messages),
    Posted(Reference),
    EstimatedWait(Option<Millis>),
    Done,
}

/// What happens without our asking.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The event stream is open; what happened before may have been missed.
    Listening,
    Heard(Frames),
    /// The event stream is closed, for this reason, and will be opened again.
    Deaf {
        why: String,
    },
}

/// What to do next.
pub(super) type Next = driving::Next<Call>;

/// One chat.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) site: Site,
    pub(super) handoff: HandoffId,
    pub(super) state: State,
    pub(super) reading: Reading,
    pub(super) wait: QueueWait,
    /// The user types, and when that was last shown.
    typing: bool,
    typing_shown: Option<Timestamp>,
    /// When the agent's typing is over, and what began it.
    pub(super) agent_typing: Option<(Timestamp, String)>,
    /// Since when the event stream is closed, and why.
    pub(super) deaf_since: Option<(Timestamp, String)>,
    /// Genesys knows that the user left; what was said before that is still to be read.
    pub(super) gone: bool,
    /// The user leaves at once: what comes before leaving failed too often.
    pub(super) hurried: bool,
    /// The last text may have arrived: read before sending it again.
    pub(super) in_doubt: bool,
    /// Nothing is asked before this.
    pub(super) blocked_until: Timestamp,
    pub(super) streak: Option<Streak>,
    /// Failures to send what is first in the outbox.
    pub(super) sending: Option<Streak>,
}

impl Protocol {
    /// # Errors
    ///
    /// If there is no queue to ask for.
    pub(super) fn open(
        site: Site,
        handoff: HandoffId,
        request: &TransferRequest,
        now: Timestamp,
    ) -> Result<Self, Trouble> {
        let opening = Opening::new(&site, request)?;
        let farewell = request.options.messages.farewell.clone();
        let state = State {
            queue: Queue {
                name: opening.queue().to_owned(),
                id: None,
            },
            phase: Phase::Opening(Box::new(opening)),
            outbox: Outbox::hand_over(request, &WEB_CHAT),
            echoes: Echoes::default(),
            end: EndOfHandoff::default(),
            leaving: false,
            farewell: farewell.unwrap_or_else(|| FAREWELL.to_owned()),
            warned: false,
        };
        Ok(Self::new(site, handoff, state, now))
    }

    pub(super) fn resume(site: Site, handoff: HandoffId, state: State, now: Timestamp) -> Self {
        let mut protocol = Self::new(site, handoff, state, now);
        protocol.in_doubt = true;
        if !protocol.site.has_platform {
            // It had one when the handle was taken.
            protocol.queue_checked();
            protocol.state.queue.id = None;
        }
        protocol.await_stream(now);
        protocol
    }

    fn new(site: Site, handoff: HandoffId, state: State, now: Timestamp) -> Self {
        Self {
            site,
            handoff,
            state,
            reading: Reading::new(now),
            wait: QueueWait::default(),
            typing: false,
            typing_shown: None,
            agent_typing: None,
            deaf_since: None,
            gone: false,
            hurried: false,
            in_doubt: false,
            blocked_until: Timestamp(0),
            streak: None,
            sending: None,
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Where the event stream is, once there is one.
    pub(super) fn stream(&self) -> Option<&str> {
        self.chat().map(|chat| chat.stream.as_str())
    }

    pub(super) fn seat(&self) -> Option<&Seat> {
        self.chat().map(|chat| &chat.seat)
    }

    pub(super) fn chat(&self) -> Option<&Chat> {
        match &self.state.phase {
            Phase::Open(chat) => Some(chat),
            Phase::Opening(_) => None,
        }
    }

    pub(super) fn chat_mut(&mut self) -> Option<&mut Chat> {
        match &mut self.state.phase {
            Phase::Open(chat) => Some(chat),
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
                let given = self
                    .state
                    .outbox
                    .say(id.clone(), input, &message, &WEB_CHAT);
                match given {
                    Given::Queued => news.changed = true,
                    Given::Known => {}
                    Given::Settled => news.settled.push(id),
                }
            }
            Command::SetAttributes(attributes) => {
                match &mut self.state.phase {
                    Phase::Opening(opening) => {
                        opening.create.member_info.custom_fields.extend(attributes);
                    }
                    Phase::Open(_) => self.state.outbox.attributes(attributes),
                }
                news.changed = true;
            }
            Command::Typing { on } => self.typing = on,
            // The wire has none.
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
            Event::Listening => self.listening(now, &mut news),
            Event::Deaf { why } => self.deaf(now, why),
            Event::Heard(frame) => self.hear(now, frame, &mut news),
        }
        self.settle_what_arrived(&mut news);
        self.release(now, &mut news);
        news
    }

    /// The time waited for has come.
    pub(super) fn woke(&mut self, now: Timestamp) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        self.agent_stopped_typing(now, &mut news);
        self.release(now, &mut news);
        self.still_deaf(now, &mut news);
        news
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        if self.state.end.has_ended() {
            return Next::Done;
        }
        if now < self.blocked_until {
            return self.wait_at_most(now, self.blocked_until);
        }
        if let Phase::Opening(opening) = &self.state.phase {
            return Next::Call(opening.next());
        }
        self.watch_queue(now);
        if let Some(call) = self.next_call(now).or_else(|| self.next_typing(now)) {
            return Next::Call(call);
        }
        self.wait_at_most(now, now + Millis::from_mins(5))
    }

    /// What there is to ask or to say, most urgent first. Typing comes after it.
    fn next_call(&mut self, now: Timestamp) -> Option<Call> {
        let Phase::Open(chat) = &self.state.phase else {
            return None;
        };
        if !chat.listened {
            // Genesys has told nobody of the chat yet, so there is nobody to say anything to.
            return self.state.leaving.then_some(Call::Leave);
        }
        if self.hurried && !self.gone {
            return Some(Call::Leave);
        }
        if let Some(call) = self.reading.next(now, self.in_doubt, chat) {
            return Some(call);
        }
        if let Some(first) = self.state.outbox.first().filter(|_| !self.gone) {
            return Some(match first {
                First::Part(_, part) => Call::Post(text_of(part).to_owned()),
                First::Attributes(attributes) => Call::SetAttributes(attributes.clone()),
            });
        }
        if self.state.leaving {
            return Some(Call::Leave);
        }
        let queue = self.wait.question(now)?;
        Some(Call::EstimatedWait(queue.to_owned()))
    }

    fn next_typing(&mut self, now: Timestamp) -> Option<Call> {
        if !self.chat().is_some_and(|chat| chat.listened) || !std::mem::take(&mut self.typing) {
            return None;
        }
        let lately = |shown: Timestamp| now.since(shown) < TYPING_EVERY;
        if self.typing_shown.is_some_and(lately) {
            return None;
        }
        self.typing_shown = Some(now);
        Some(Call::Typing)
    }

    /// Estimates are asked for while the user waits for the first agent, in the queue asked for.
    fn watch_queue(&mut self, now: Timestamp) {
        let waits = self.chat().is_some_and(|chat| chat.listened)
            && !self.state.end.was_answered()
            && !self.state.leaving;
        let queue = self.state.queue.id.clone().filter(|_| waits);
        self.wait.waits_in(queue, now);
    }

    fn wait_at_most(&self, now: Timestamp, until: Timestamp) -> Next {
        let blocked = self.blocked_until;
        let typing = self.agent_typing.as_ref().map(|(until, _)| *until);
        let order = self.tell_by(now);
        let listened = self.chat().is_some_and(|chat| chat.listened);
        let reading = listened.then(|| self.reading.due());
        let asking = [reading, self.wait.due()];
        let asking = asking.into_iter().flatten().map(|due| due.max(blocked));
        let hearing = [typing, order, self.deaf_until()].into_iter().flatten();
        Next::Wait(hearing.chain(asking).fold(until, Timestamp::min))
    }

    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        call: &Call,
        answer: Result<Answer, Failure>,
    ) -> News {
        let mut news = News::default();
        match answer {
            Ok(answer) => {
                self.streak = None;
                self.succeeded(now, call, answer, &mut news);
            }
            Err(failure) => self.failed(now, call, &failure, &mut news),
        }
        self.settle_what_arrived(&mut news);
        self.unreported_while_opening(&mut news);
        news
    }

    fn succeeded(&mut self, now: Timestamp, call: &Call, answer: Answer, news: &mut News) {
        match (call, answer) {
            (_, Answer::Queue(id)) => {
                self.state.queue.id = Some(id);
                self.queue_checked();
            }
            (_, Answer::Created(created)) => self.opened(now, *created, news),
            (_, Answer::Members(page)) => self.reading.members(page),
            (_, Answer::Messages(page)) => self.read_messages(now, page, news),
            (_, Answer::Posted(message)) => {
                if let Some(chat) = self.chat_mut() {
                    chat.order.remember(&message.id);
                }
                self.first_arrived(news);
            }
            (_, Answer::EstimatedWait(wait)) => self.wait.estimated(now, wait, news),
            (Call::SetAttributes(_), Answer::Done) => self.first_arrived(news),
            (Call::Leave, Answer::Done) => self.has_left(now, news),
            (_, Answer::Done) => {}
        }
    }

    /// The queue is known, or cannot be asked about.
    pub(super) fn queue_checked(&mut self) {
        if let Phase::Opening(opening) = &mut self.state.phase {
            opening.find_queue = false;
        }
    }

    pub(super) fn observe(
        &mut self,
        batch: impl IntoIterator<Item = Observation>,
        news: &mut News,
    ) {
        self.state.end.observe_into(batch, news);
    }

    /// Ends the handoff. What was heard is told before, and what can no longer be sent is said.
    pub(super) fn finish(&mut self, last: Observation, news: &mut News) {
        self.tell_all(news);
        self.settle_what_arrived(news);
        let State { outbox, end, .. } = &mut self.state;
        giving_up::finish(outbox, end, last, news);
    }

    /// Before the chat is open there is nothing to resume, so nothing to report but an end.
    fn unreported_while_opening(&self, news: &mut News) {
        if matches!(self.state.phase, Phase::Opening(_)) && !self.state.end.has_ended() {
            news.changed = false;
        }
    }
}

impl driving::Protocol for Protocol {
    type State = State;
    type Call = Call;
    type Answer = Result<Answer, Failure>;
    type Event = Event;

    fn state(&self) -> &State {
        self.state()
    }

    fn command(&mut self, _now: Timestamp, command: Command) -> News {
        self.command(command)
    }

    fn event(&mut self, now: Timestamp, event: Self::Event) -> News {
        self.event(now, event)
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.woke(now)
    }

    fn answer(&mut self, now: Timestamp, call: &Call, answer: Self::Answer) -> News {
        self.answer(now, call, answer)
    }

    fn next(&mut self, now: Timestamp) -> Next {
        self.next(now)
    }
}
