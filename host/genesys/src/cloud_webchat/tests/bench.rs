//! The protocol on a bench: a server, a clock, and what becomes of calls and frames.

use super::super::opening::Site;
use super::super::protocol::{Answer, Call, Event, Next, Protocol};
use super::super::state::State;
use super::super::trouble::Failure;
use super::hall::Hall;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::{HandoffEnd, Signal, Target, TransferOptions, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use handoff_engine::time::{Millis, Timestamp};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    Fine,
    LostOnTheWayThere,
    LostOnTheWayBack,
    Limited,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    Straight,
    Lost,
    Twice,
    /// After the next one.
    Late,
}

pub(super) struct Bench {
    pub(super) hall: Hall,
    pub(super) protocol: Protocol,
    pub(super) now: Timestamp,
    pub(super) seen: Vec<Signal>,
    pub(super) keys: Vec<String>,
    pub(super) settled: Vec<EffectId>,
    /// Requests to leave that got nowhere.
    pub(super) leaves_lost: usize,
    /// Whether the event stream is open.
    pub(super) listening: bool,
}

pub(super) fn site() -> Site {
    Site {
        account: "acme".into(),
        organization: "o".to_owned(),
        deployment: "d".to_owned(),
        queue: Some("Support".to_owned()),
        has_platform: false,
    }
}

pub(super) fn request() -> TransferRequest {
    TransferRequest {
        account: "acme".into(),
        target: Target::AnyAgent,
        options: TransferOptions::default(),
        opening_text: None,
        transcript: Vec::new(),
    }
}

fn handoff() -> HandoffId {
    "s/1/0".into()
}

pub(super) fn effect(n: usize) -> EffectId {
    EffectId::new(format!("s/{n}/0"))
}

impl Bench {
    pub(super) fn new(request: &TransferRequest) -> Self {
        let now = Timestamp(1_767_607_200_000);
        let protocol = Protocol::open(site(), handoff(), request, now).expect("a queue");
        Self {
            hall: Hall::default(),
            protocol,
            now,
            seen: Vec::new(),
            keys: Vec::new(),
            settled: Vec::new(),
            leaves_lost: 0,
            listening: false,
        }
    }

    /// A chat that waits in its queue.
    pub(super) fn queued() -> Self {
        let mut bench = Self::new(&request());
        bench.start();
        bench
    }

    pub(super) fn start(&mut self) {
        self.step(Fate::Fine);
        self.listen();
        self.happens(Hall::queue);
        self.settle();
    }

    /// An agent is there.
    pub(super) fn answered() -> Self {
        let mut bench = Self::queued();
        bench.happens(Hall::ring);
        bench.settle();
        bench.happens(Hall::accept);
        bench.settle();
        bench
    }

    pub(super) fn happens(&mut self, what: impl FnOnce(&mut Hall)) {
        self.hall.at(self.now);
        what(&mut self.hall);
    }

    pub(super) fn listen(&mut self) {
        self.listening = true;
        self.event(Event::Listening);
    }

    pub(super) fn deaf(&mut self) {
        self.listening = false;
        let why = "the other side closed it".to_owned();
        self.event(Event::Deaf { why });
    }

    fn event(&mut self, event: Event) {
        let news = self.protocol.event(self.now, event);
        self.take(news);
    }

    fn take(&mut self, news: News) {
        for told in news.told {
            self.keys.push(told.key);
            self.seen.push(told.signal);
        }
        self.settled.extend(news.settled);
    }

    /// Brings the frames that are under way.
    pub(super) fn deliver(&mut self, ways: &mut impl Iterator<Item = Way>) {
        let mut late = None;
        for frame in std::mem::take(&mut self.hall.frames) {
            let way = if self.listening {
                ways.next().unwrap_or(Way::Straight)
            } else {
                Way::Lost
            };
            match way {
                Way::Straight => self.event(Event::Heard(frame)),
                Way::Lost => {}
                Way::Twice => {
                    self.event(Event::Heard(frame.clone()));
                    self.event(Event::Heard(frame));
                }
                Way::Late if late.is_none() => {
                    late = Some(frame);
                    continue;
                }
                Way::Late => self.event(Event::Heard(frame)),
            }
            if let Some(frame) = late.take() {
                self.event(Event::Heard(frame));
            }
        }
        if let Some(frame) = late {
            self.event(Event::Heard(frame));
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        let news = self.protocol.command(command);
        self.take(news);
    }

    pub(super) fn say(&mut self, n: usize, text: &str) {
        self.command(Command::Say {
            id: effect(n),
            message: UserMessage::text(text),
            input: Some(InputId::new(format!("i/{n}"))),
        });
    }

    /// One call, or one wait. False once the handoff is over.
    pub(super) fn step(&mut self, fate: Fate) -> bool {
        let next = self.protocol.next(self.now);
        self.take_step(next, fate)
    }

    fn take_step(&mut self, next: Next, fate: Fate) -> bool {
        match next {
            Next::Done => return false,
            Next::Wait(until) => {
                self.now = self.now.max(until);
                let news = self.protocol.woke(self.now);
                self.take(news);
            }
            Next::Call(call) => {
                self.hall.at(self.now);
                let why = "broken".to_owned();
                let nowhere = matches!(fate, Fate::LostOnTheWayThere | Fate::Limited);
                self.leaves_lost += usize::from(nowhere && call == Call::Leave);
                let answer = match fate {
                    Fate::Fine => self.hall.take(&call),
                    Fate::LostOnTheWayThere => Err(Failure::NotSent { why }),
                    Fate::LostOnTheWayBack => {
                        let lost = self.hall.take(&call);
                        lost.and(Err(Failure::Unknown { why }))
                    }
                    Fate::Limited => Err(Failure::RateLimited {
                        retry_after: Millis::from_secs(7),
                    }),
                };
                self.answer(&call, answer);
            }
        }
        true
    }

    pub(super) fn answer(&mut self, call: &Call, answer: Result<Answer, Failure>) {
        let news = self.protocol.answer(self.now, call, answer);
        self.take(news);
    }

    /// Lets everything go well for so long.
    pub(super) fn pass(&mut self, span: Millis) {
        let until = self.now + span;
        loop {
            self.deliver(&mut std::iter::empty());
            let next = self.protocol.next(self.now);
            if let Next::Wait(wake) = next
                && wake > until
            {
                self.now = until;
                return;
            }
            if !self.take_step(next, Fate::Fine) {
                return;
            }
        }
    }

    /// Long enough for whatever is under way, and for a reading.
    pub(super) fn settle(&mut self) {
        self.pass(Millis::from_secs(20));
    }

    pub(super) fn restart(&mut self) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        self.protocol = Protocol::resume(site(), handoff(), state, self.now);
        self.hall.frames.clear();
        if self.listening {
            self.listen();
        }
    }

    pub(super) fn end(&self) -> Option<&HandoffEnd> {
        let mut ends = self.seen.iter().filter_map(|signal| match signal {
            Signal::Ended(end) => Some(end),
            _ => None,
        });
        let end = ends.next();
        assert!(ends.next().is_none(), "ended twice: {:#?}", self.seen);
        if end.is_some() {
            assert!(matches!(self.seen.last(), Some(Signal::Ended(_))));
        }
        end
    }

    pub(super) fn code(&self) -> Option<&str> {
        self.end()?.detail.as_ref().map(|it| it.code.as_str())
    }

    pub(super) fn heard(&self) -> Vec<&str> {
        let texts = self.seen.iter().filter_map(|signal| match signal {
            Signal::Message { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    pub(super) fn joined(&self) -> Vec<&str> {
        let names = self.seen.iter().filter_map(|signal| match signal {
            Signal::AgentJoined { agent } => Some(agent.name.as_str()),
            _ => None,
        });
        names.collect()
    }

    pub(super) fn notices(&self) -> Vec<&str> {
        let codes = self.seen.iter().filter_map(|signal| match signal {
            Signal::Notice { code, .. } => Some(code.as_str()),
            _ => None,
        });
        codes.collect()
    }

    /// The kinds of what was told, in order.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        let kind = |signal: &Signal| match signal {
            Signal::Opened { .. } => "opened",
            Signal::Queued { .. } => "queued",
            Signal::QueuePosition { .. } => "estimate",
            Signal::AgentAlerting { .. } => "alerting",
            Signal::AgentDeclined { .. } => "declined",
            Signal::AgentJoined { .. } => "joined",
            Signal::AgentLeft { .. } => "left",
            Signal::Message { .. } => "message",
            Signal::Receipt { .. } => "receipt",
            Signal::Typing { on: true } => "typing",
            Signal::Typing { on: false } => "stopped",
            Signal::Notice { .. } => "notice",
            Signal::Ended(_) => "ended",
        };
        self.seen.iter().map(kind).collect()
    }
}
