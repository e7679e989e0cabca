//! The protocol on a bench: commands, frames, losses and time by hand.

use super::super::protocol::{Event, Next, Protocol, Site};
use super::super::state::State;
use super::super::token::Tokens;
use super::super::trouble::Trouble;
use super::centre::{Centre, Ways};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::account::SecondHandoff;
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::{HandoffEnd, Signal, Target, TransferOptions, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use handoff_engine::time::{Millis, Timestamp};

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Fine,
    /// The network fails before it is sent.
    NotSent,
    /// It is carried out, and then the network fails.
    AnswerLost,
}

pub(super) struct Bench {
    pub(super) centre: Centre,
    pub(super) protocol: Protocol,
    pub(super) now: Timestamp,
    pub(super) seen: Vec<Signal>,
    pub(super) keys: Vec<String>,
    pub(super) settled: Vec<EffectId>,
    /// Steps without time passing, which must not go on for ever.
    still: usize,
}

pub(super) const PLAIN: Ways = Ways {
    auto_start: false,
    clear: false,
    read_only: true,
};

pub(super) fn request() -> TransferRequest {
    TransferRequest {
        account: "cloud".into(),
        target: Target::Queue("Support".to_owned()),
        options: TransferOptions::default(),
        opening_text: Some("Help".to_owned()),
        transcript: Vec::new(),
    }
}

pub(super) fn site(second_handoff: SecondHandoff) -> Site {
    Site {
        deployment: "d-1".to_owned(),
        queue_attribute: "QueueName".to_owned(),
        tokens: Tokens {
            account: "cloud".into(),
            deployment: "d-1".to_owned(),
            second_handoff,
            secret: None,
        },
        has_platform: false,
    }
}

pub(super) fn effect(n: usize) -> EffectId {
    EffectId::new(format!("s/{n}/0"))
}

impl Bench {
    pub(super) fn new(ways: Ways) -> Self {
        Self::at(site(SecondHandoff::StartNew), Centre::new(ways), "s/1/0")
    }

    pub(super) fn at(site: Site, centre: Centre, handoff: &str) -> Self {
        let now = Timestamp(1_767_607_200_000);
        let handoff = HandoffId::new(handoff);
        Self {
            centre,
            protocol: Protocol::open(handoff, &request(), site, now),
            now,
            seen: Vec::new(),
            keys: Vec::new(),
            settled: Vec::new(),
            still: 0,
        }
    }

    pub(super) fn opened(ways: Ways) -> Self {
        let mut bench = Self::new(ways);
        bench.run_for(Millis::from_secs(10));
        bench
    }

    /// The next handoff of the same user, in the same centre.
    pub(super) fn again(self, handoff: &str) -> Self {
        let site = self.protocol.site.clone();
        let now = self.now;
        let mut next = Self::at(site, self.centre, handoff);
        next.now = now;
        next.centre.mail.clear();
        next.protocol = Protocol::open(
            HandoffId::new(handoff),
            &request(),
            next.protocol.site.clone(),
            now,
        );
        next
    }

    fn take(&mut self, news: News) {
        for told in news.told {
            self.keys.push(told.key);
            self.seen.push(told.signal);
        }
        self.settled.extend(news.settled);
    }

    pub(super) fn command(&mut self, command: Command) {
        let news = self.protocol.command(self.now, command);
        self.take(news);
    }

    pub(super) fn say(&mut self, n: usize, text: &str) {
        self.say_message(n, UserMessage::text(text));
    }

    pub(super) fn say_message(&mut self, n: usize, message: UserMessage) {
        self.command(Command::Say {
            id: effect(n),
            message,
            input: Some(InputId::new(format!("i{n}"))),
        });
    }

    pub(super) fn event(&mut self, event: Event) {
        let news = self.protocol.event(self.now, event);
        self.take(news);
    }

    pub(super) fn lose_socket(&mut self) {
        self.centre.mail.clear();
        let why = "broken".to_owned();
        self.event(Event::Lost { why });
    }

    /// A frame arrives, perhaps to come again.
    pub(super) fn deliver(&mut self, at: usize, again: bool) {
        let frame = self.centre.mail[at].clone();
        if !again {
            self.centre.mail.remove(at);
        }
        if self.protocol.line.has_socket() {
            self.event(Event::Frame(frame));
        }
    }

    /// One call, or a wait of at most a second. False once the handoff is over.
    pub(super) fn step(&mut self, fate: Fate) -> bool {
        let before = self.now;
        match self.protocol.next(self.now) {
            Next::Done => return false,
            Next::Wait(until) => {
                self.now = until.min(self.now + Millis::from_secs(1)).max(self.now);
                let news = self.protocol.woke(self.now);
                self.take(news);
            }
            Next::Call(call) => {
                self.now = self.now + Millis(10);
                let broken = || Trouble::Unreachable {
                    why: "broken".to_owned(),
                };
                let answer = match fate {
                    Fate::Fine => self.centre.take(&call, self.now),
                    Fate::NotSent => Err(broken()),
                    Fate::AnswerLost => {
                        let _ = self.centre.take(&call, self.now);
                        self.centre.mail.clear();
                        Err(broken())
                    }
                };
                let news = self.protocol.answer(self.now, &call, answer);
                self.take(news);
            }
        }
        self.still = if self.now == before {
            self.still + 1
        } else {
            0
        };
        assert!(self.still < 50, "a busy loop: {:#?}", self.protocol);
        true
    }

    pub(super) fn run_for(&mut self, span: Millis) {
        let until = self.now + span;
        while self.now < until {
            while !self.centre.mail.is_empty() {
                self.deliver(0, false);
            }
            if !self.step(Fate::Fine) {
                return;
            }
        }
    }

    pub(super) fn restart(&mut self, texts: &[&str]) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        let site = self.protocol.site.clone();
        let handoff = self.protocol.handoff.clone();
        self.centre.mail.clear();
        self.protocol = Protocol::resume(handoff, state, site, self.now);
        for (n, text) in texts.iter().enumerate() {
            if !self.settled.contains(&effect(n)) {
                self.say(n, text);
            }
        }
    }

    pub(super) fn end(&self) -> Option<HandoffEnd> {
        let ends: Vec<_> = self
            .seen
            .iter()
            .filter_map(|signal| match signal {
                Signal::Ended(end) => Some(end.clone()),
                _ => None,
            })
            .collect();
        assert!(ends.len() <= 1, "ended twice: {:#?}", self.seen);
        if !ends.is_empty() {
            assert!(matches!(self.seen.last(), Some(Signal::Ended(_))));
        }
        ends.first().cloned()
    }

    pub(super) fn error(&self) -> Option<String> {
        self.end()?.detail.map(|detail| detail.code)
    }

    pub(super) fn joined(&self) -> Vec<String> {
        let names = self.seen.iter().filter_map(|signal| match signal {
            Signal::AgentJoined { agent } => Some(agent.name.clone()),
            _ => None,
        });
        names.collect()
    }

    pub(super) fn heard(&self) -> Vec<String> {
        let texts = self.seen.iter().filter_map(|signal| match signal {
            Signal::Message { text, .. } => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    pub(super) fn notices(&self) -> Vec<String> {
        let codes = self.seen.iter().filter_map(|signal| match signal {
            Signal::Notice { code, .. } => Some(code.clone()),
            _ => None,
        });
        codes.collect()
    }

    /// Every key is told once, but for those of reports that were lost with a host.
    pub(super) fn no_repeats(&self) {
        let mut keys = self.keys.clone();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), self.keys.len(), "{:#?}", self.keys);
    }
}
