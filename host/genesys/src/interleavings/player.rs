//! Plays a story to a transport's protocol along a way.
//!
//! Time passes only where something waits for it: the next act, the next event, the protocol's own
//! deadline. A request takes a while, and what happens meanwhile comes before its answer, which is
//! the truth of the moment it was asked.

use super::story::{Act, Story, Truth};
use super::way::Way;
use crate::driving::Next;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::{Signal, Target, TransferOptions, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId};
use handoff_engine::time::{Millis, Timestamp};
use std::fmt::Debug;

/// When a handoff is opened.
pub(crate) const START: Timestamp = Timestamp(1_767_607_200_000);

/// By when it is open, and acts begin.
const OPENED_WITHIN: Millis = Millis::from_secs(20);

/// How long a request takes.
const ROUND_TRIP: Millis = Millis(20);

/// Requests and waits of one handoff; more mean that it never comes to rest.
const STEPS: usize = 20_000;

/// A transport's protocol and the platform it talks to.
pub(crate) trait Subject: Sized {
    type Call: Debug;
    type Answer;
    /// What the platform tells unasked.
    type Event: Clone + Debug;

    /// How long after the end it is told at the latest, whatever was lost.
    const AT_THE_LATEST: Millis;
    /// Whether what agents say is checked against the platform's own record before it is told.
    /// Otherwise its order, and who says it, are certain only if nothing is overtaken by more than a
    /// moment.
    const CHECKED: bool;
    /// Whether agents show only by what they say.
    const BY_WORDS: bool = false;
    /// How long after the end it is told if every event comes and no answer is lost.
    const AT_BEST: Millis;

    /// Opens a handoff. `way` is for platforms that tell nothing unasked.
    fn open(way: &Way, now: Timestamp) -> Self;
    /// Something happens on the agent side; what the platform tells of it. The user's acts are not
    /// given.
    fn act(&mut self, act: Act, now: Timestamp) -> Vec<Self::Event>;
    fn deliver(&mut self, event: &Self::Event, now: Timestamp) -> News;
    fn command(&mut self, command: Command, now: Timestamp) -> News;
    fn next(&mut self, now: Timestamp) -> Next<Self::Call>;
    /// The platform carries out a request.
    fn ask(&mut self, call: &Self::Call, now: Timestamp) -> Self::Answer;
    /// What a driver makes of an answer that does not come.
    fn lost(call: &Self::Call) -> Self::Answer;
    fn answer(&mut self, call: &Self::Call, answer: Self::Answer, now: Timestamp) -> News;
    fn woke(&mut self, now: Timestamp) -> News;
    /// Takes the handoff up again from its handle.
    fn restart(&mut self, now: Timestamp);
    /// What the agent side has from the user since the opening, in order.
    fn user_said(&self) -> Vec<String>;
}

/// What was told, and when.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) told: Vec<(Timestamp, String, Signal)>,
    pub(crate) truth: Truth,
    pub(crate) settled: Vec<EffectId>,
    pub(crate) given: Vec<EffectId>,
    pub(crate) user_said: Vec<String>,
    /// When the last event came.
    pub(crate) quiet_since: Timestamp,
    /// How long the slowest event was under way.
    pub(crate) slowest: Millis,
    /// How many events the platform sent.
    pub(crate) events: usize,
    /// Whether an answer was in fact lost.
    pub(crate) lost: bool,
    pub(crate) restless: bool,
    /// What happened, for people.
    pub(crate) diary: Vec<String>,
}

pub(crate) fn handoff() -> HandoffId {
    "s/1/0".into()
}

pub(crate) fn request() -> TransferRequest {
    let mut options = TransferOptions::default();
    options.identity.first_name = Some("Ana".to_owned());
    options.identity.last_name = Some("Lima".to_owned());
    options.identity.email_address = Some("ana@example.org".to_owned());
    TransferRequest {
        account: "acme".into(),
        target: Target::Queue("Support".to_owned()),
        options,
        opening_text: Some("Help".to_owned()),
        transcript: Vec::new(),
    }
}

/// Plays a story along a way, until long after its end.
pub(crate) fn play<S: Subject>(story: &Story, way: &Way) -> Record {
    let mut player = Player::<S> {
        subject: S::open(way, START),
        story,
        way,
        now: START,
        acts: 0,
        sent: Vec::new(),
        came: 0,
        came_last: START,
        calls: 0,
        restarted: false,
        done: false,
        record: Record::default(),
    };
    player.run();
    player.record.user_said = player.subject.user_said();
    player.record.events = player.sent.len();
    player.record
}

struct Player<'a, S: Subject> {
    subject: S,
    story: &'a Story,
    way: &'a Way,
    now: Timestamp,
    acts: usize,
    /// The platform's events, and when they were sent.
    sent: Vec<(Timestamp, S::Event)>,
    came: usize,
    came_last: Timestamp,
    calls: usize,
    restarted: bool,
    done: bool,
    record: Record,
}

impl<S: Subject> Player<'_, S> {
    fn run(&mut self) {
        let last_act = self.act_at(self.story.acts.len());
        let until = last_act + self.way.late + S::AT_THE_LATEST + Millis::from_secs(1);
        for _ in 0..STEPS {
            if self.now >= until {
                return;
            }
            match self.subject.next(self.now) {
                Next::Call(call) => self.call(&call),
                Next::Wait(deadline) => self.wait(deadline.min(until)),
                Next::Done => {
                    self.done = true;
                    self.pass_to(until);
                    return;
                }
            }
        }
        self.record.restless = true;
    }

    fn call(&mut self, call: &S::Call) {
        let counts = self.acts > 0;
        let lost = counts && self.way.lost == Some(self.calls);
        self.calls += usize::from(counts);
        self.restarted = false;
        let answer = self.subject.ask(call, self.now);
        let shown = format!("{call:?}");
        let shown: String = shown.chars().take(60).collect();
        self.note(&format!(
            "asks {shown}{}",
            if lost { " (answer lost)" } else { "" }
        ));
        self.pass_to(self.now + ROUND_TRIP);
        if self.restarted {
            return;
        }
        self.record.lost |= lost;
        let answer = if lost { S::lost(call) } else { answer };
        let news = self.subject.answer(call, answer, self.now);
        self.take(news);
    }

    fn wait(&mut self, deadline: Timestamp) {
        let next = [self.next_act(), self.next_event()].into_iter().flatten();
        match next.min() {
            Some(at) if at <= deadline => self.pass_to(at.max(self.now)),
            _ => {
                self.now = deadline.max(self.now);
                let news = self.subject.woke(self.now);
                self.take(news);
            }
        }
    }

    /// Lets everything happen up to a moment.
    fn pass_to(&mut self, until: Timestamp) {
        loop {
            let act = self.next_act().filter(|at| *at <= until);
            let event = self.next_event().filter(|at| *at <= until);
            match (act, event) {
                (Some(act), event) if event.is_none_or(|event| act <= event) => {
                    self.now = self.now.max(act);
                    self.happen();
                }
                (_, Some(event)) => {
                    self.now = self.now.max(event);
                    self.come();
                }
                _ => break,
            }
        }
        self.now = self.now.max(until);
    }

    fn act_at(&self, act: usize) -> Timestamp {
        START + OPENED_WITHIN + Millis(self.way.pace.0 * act as u64)
    }

    fn next_act(&self) -> Option<Timestamp> {
        (self.acts < self.story.acts.len()).then(|| self.act_at(self.acts))
    }

    fn next_event(&self) -> Option<Timestamp> {
        let (sent, _) = self.sent.get(*self.way.order.get(self.came)?)?;
        Some((*sent + self.way.late).max(self.came_last + Millis(1)))
    }

    fn happen(&mut self) {
        let act = self.story.acts[self.acts];
        self.acts += 1;
        self.record.truth.happens(act, self.now);
        self.note(&format!("TRUTH {act:?}"));
        match act {
            Act::UserSays(text) => {
                let id = EffectId::new(format!("s/{}/0", self.acts));
                self.record.given.push(id.clone());
                self.say(id, text);
            }
            Act::Leaves => {
                let news = self.subject.command(Command::Leave, self.now);
                self.take(news);
            }
            _ => {
                let events = self.subject.act(act, self.now);
                let now = self.now;
                self.sent
                    .extend(events.into_iter().map(|event| (now, event)));
            }
        }
    }

    fn say(&mut self, id: EffectId, text: &str) {
        let message = UserMessage::text(text);
        let input = None;
        let say = Command::Say { id, message, input };
        let news = self.subject.command(say, self.now);
        self.take(news);
    }

    fn come(&mut self) {
        let number = self.way.order[self.came];
        let (sent, event) = self.sent[number].clone();
        self.record.slowest = self.record.slowest.max(self.now.since(sent));
        self.came += 1;
        self.came_last = self.now;
        self.record.quiet_since = self.now;
        let shown: String = format!("{event:?}").chars().take(90).collect();
        self.note(&format!("event {number}: {shown}"));
        let news = self.subject.deliver(&event, self.now);
        self.take(news);
        if self.way.restart == Some(self.came) && !self.done {
            self.restart();
        }
    }

    /// The host stops and another one takes over; whoever uses it gives again what is not settled.
    fn restart(&mut self) {
        self.note("RESTART");
        self.restarted = true;
        self.subject.restart(self.now);
        let texts = self.record.truth.user_said.clone();
        for (id, text) in self.record.given.clone().into_iter().zip(texts) {
            if !self.record.settled.contains(&id) {
                self.say(id, text);
            }
        }
        if self.record.truth.left {
            let news = self.subject.command(Command::Leave, self.now);
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        for told in news.told {
            self.note(&format!("    told {}: {:?}", told.key, told.signal));
            self.record.told.push((self.now, told.key, told.signal));
        }
        self.record.settled.extend(news.settled);
    }

    fn note(&mut self, what: &str) {
        let at = self.now.0 - START.0;
        self.record.diary.push(format!("{at:>8} ms  {what}"));
    }
}
