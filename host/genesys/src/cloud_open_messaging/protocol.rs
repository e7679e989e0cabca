//! The handoff as a value: commands, webhook bodies, answers and time in; calls, signals and deadlines
//! out.
//!
//! One call is under way at a time, so texts arrive in the order given. What came in by webhook is in
//! `hearing`, what a look at the conversation shows in `looking`, what is sent in `sending`, how a
//! handoff begins and how the user leaves in `opening` and `leaving`, what a failure means in
//! `failing`; this file decides what is next.

use super::afterwards::Over;
use super::calls::{Answer, Call, Event, Next};
use super::looking::Reading;
use super::opening::Opening;
use super::state::{Leaving, Phase, State};
use super::trigger::Trigger;
use super::trouble::Trouble;
use crate::carry::OPEN_MESSAGING;
use crate::driving;
use crate::end::{EndOfHandoff, Observation};
use crate::following::{QueueWait, Watch};
use crate::giving_up;
use crate::order::Places;
use crate::outbox::Given;
use crate::report::News;
use crate::transport::{Command, Reports};
use handoff_engine::handoff::TransferRequest;
use handoff_engine::name::HandoffId;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::BTreeSet;

/// One handoff.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) handoff: HandoffId,
    pub(super) state: State,
    pub(super) watch: Watch,
    pub(super) reading: Reading,
    /// Where agents' messages are in the conversation, by the last look.
    pub(super) places: Places,
    pub(super) wait: QueueWait,
    /// The conversation may not be looked at before this: a permission is missing.
    pub(super) blind_until: Timestamp,
    /// The user types, and when that was last shown.
    pub(super) typing: bool,
    pub(super) typing_shown: Option<Timestamp>,
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
        let opening = Opening::new(request, queue_attribute);
        let state = State {
            from: Opening::sender(&handoff, request),
            phase: Phase::Opening(Box::new(opening)),
            outbox: Opening::words(request),
            end: EndOfHandoff::default(),
            leaving: Leaving::No,
            farewell: request.options.messages.farewell.clone(),
            warned: false,
            unseen: false,
        };
        Self::new(handoff, state, Watch::new(now))
    }

    pub(super) fn resume(handoff: HandoffId, state: State, now: Timestamp) -> Self {
        let mut protocol = Self::new(handoff, state, Watch::new(now));
        protocol.reading.catch_up();
        protocol.watch.look_now(now);
        protocol.in_doubt = true;
        protocol
    }

    fn new(handoff: HandoffId, state: State, watch: Watch) -> Self {
        Self {
            handoff,
            state,
            watch,
            reading: Reading::default(),
            places: Places::default(),
            wait: QueueWait::default(),
            blind_until: Timestamp(0),
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

    /// Once it is over: what to know of it when something still comes.
    pub(super) fn over(&self, reports: Reports) -> Option<Over> {
        let end = &self.state.end;
        let heard = match &self.state.phase {
            Phase::Open(talk) => talk.order.known().map(str::to_owned).collect(),
            Phase::Opening(_) => BTreeSet::new(),
        };
        end.has_ended().then(|| Over {
            handoff: self.handoff.clone(),
            agent: end.only_agent().cloned(),
            heard,
            reports,
        })
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
            Command::Receipt { message, receipt } => {
                if let Phase::Open(talk) = &mut self.state.phase {
                    news.changed |= talk.confirmations.take(message, receipt);
                }
            }
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
            Event::Triggered { topic } => self.triggered(now, &topic, &mut news),
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

    /// A trigger is a hint to look; where looking is not permitted, the end it tells is the end.
    fn triggered(&mut self, now: Timestamp, topic: &str, news: &mut News) {
        if self.is_blind(now) && Trigger::says_customer_ended(topic) {
            return self.finish(Observation::Closed, news);
        }
        self.watch.look_now(now);
    }

    /// The time waited for has come.
    pub(super) fn woke(&mut self, now: Timestamp) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        self.agent_stopped_typing(now, &mut news);
        self.overtaken_no_more(now, &mut news);
        news
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        if self.state.end.has_ended() {
            return Next::Done;
        }
        if now < self.blocked_until {
            return self.wait(self.blocked_until);
        }
        if matches!(self.state.phase, Phase::Opening(_)) {
            return Next::Call(self.next_opening(now));
        }
        if !self.state.outbox.is_empty() {
            self.first_tried.get_or_insert(now);
        }
        if let Some(call) = self.next_call(now).or_else(|| self.next_typing(now)) {
            if matches!(call, Call::Look { .. }) {
                self.watch.asked();
            }
            return Next::Call(call);
        }
        if let Some(queue) = self.wait.question(now) {
            let queue = queue.to_owned();
            return Next::Call(Call::EstimateWait { queue });
        }
        match self.conversation() {
            Some(_) => self.wait(self.watch.due().max(self.blind_until)),
            None => self.wait(now + Millis::from_mins(1)),
        }
    }

    /// Whether the conversation may not be looked at.
    pub(super) fn is_blind(&self, now: Timestamp) -> bool {
        now < self.blind_until
    }

    /// What there is to ask or to say, most urgent first. Typing comes after it.
    fn next_call(&self, now: Timestamp) -> Option<Call> {
        let Phase::Open(talk) = &self.state.phase else {
            return None;
        };
        // Another word would open the conversation again.
        let left = self.has_left();
        let look = |due: bool| {
            let conversation = talk.conversation.clone()?;
            (due && !self.is_blind(now)).then_some(Call::Look { conversation })
        };
        self.question(talk)
            .or_else(|| look(self.in_doubt))
            .or_else(|| self.next_outgoing(talk, now).filter(|_| !left))
            .or_else(|| self.next_leaving(talk, now))
            .or_else(|| look(self.watch.is_due(now)))
            .or_else(|| self.next_confirmation(talk))
    }

    fn wait(&self, until: Timestamp) -> Next {
        let typing_over = self.agent_typing.as_ref().map(|(until, _)| *until);
        let overtaken = match &self.state.phase {
            Phase::Open(talk) => talk.order.deadline(),
            Phase::Opening(_) => None,
        };
        // Asked only once requests may be made again: until then it is not worth waking for.
        let estimate = self.wait.due().map(|due| due.max(self.blocked_until));
        let others = [typing_over, overtaken, estimate];
        let soonest = others.into_iter().flatten().min();
        Next::Wait(soonest.map_or(until, |soonest| soonest.min(until)))
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
                    self.posted(now, message, posted, news);
                }
            }
            (_, Answer::Policy(policy)) => self.may_send(policy, news),
            (_, Answer::Wait(wait)) => self.wait.estimated(now, wait, news),
            (Call::Confirm { .. }, _) => self.confirmed(news),
            (_, Answer::Conversation(conversation)) => self.looked(now, &conversation, news),
            (Call::Read { message, .. }, Answer::Message(data)) => {
                self.read(message, Some(&data), news);
            }
            (Call::Name(user), Answer::Name(name)) => self.watch.named(now, user, name),
            (Call::SetAttributes { .. }, _) => {
                self.first_tried = None;
                self.state.outbox.sent_first(news);
            }
            (Call::Disconnect { .. } | Call::DisconnectAll { .. }, _) => self.left(now, news),
            // Neither is shown: they hold what was said, and who the user is.
            _ => tracing::debug!("an answer that changes nothing"),
        }
    }

    pub(super) fn opening(&mut self, change: impl FnOnce(&mut Opening)) {
        if let Phase::Opening(opening) = &mut self.state.phase {
            change(opening);
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
        self.release_all(news);
        let State { outbox, end, .. } = &mut self.state;
        giving_up::finish(outbox, end, last, news);
    }

    /// Before the conversation is open there is nothing to resume, so nothing to report but an end.
    fn unreported_while_opening(&self, news: &mut News) {
        if matches!(self.state.phase, Phase::Opening(_)) && !self.state.end.has_ended() {
            news.changed = false;
        }
    }
}

impl driving::Protocol for Protocol {
    type State = State;
    type Call = Call;
    type Answer = Result<Answer, Trouble>;
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
