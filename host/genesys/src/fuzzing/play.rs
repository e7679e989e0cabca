//! Plays a script to a transport's protocol, as its driver would.
//!
//! Requests go out when the protocol asks for them and one at a time; a reply in the script is for
//! the next of them, and the time until it goes out passes by itself. After the script the network is
//! down for good, which must neither end in a busy loop nor in silence about what was said.

use super::script::{Line, Reply, lines};
use super::witness::{Witness, read_back};
use crate::driving::Next;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::{Identity, Target, TransferOptions, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use handoff_engine::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

const START: Timestamp = Timestamp(1_767_607_200_000);

/// Nothing is waited for beyond this: times near the last there is are no times to reckon with.
const FAR: Timestamp = Timestamp(u64::MAX / 2);

/// How often a protocol may do something at one moment with nothing coming in but failures.
const AT_ONE_MOMENT: usize = 64;

/// How many requests fail after the script.
const FAILURES: usize = 96;

/// How many deadlines may pass until a request goes out. Without a conversation none ever does.
const WAITS: usize = 48;

/// A transport's protocol, as the player sees it.
pub(crate) trait Subject: Sized {
    /// The contents of its handle.
    type State: Serialize + DeserializeOwned;
    /// A request that waits for its reply.
    type Call: fmt::Debug;

    fn open(request: TransferRequest, now: Timestamp) -> Self;
    fn resume(state: Self::State, now: Timestamp) -> Self;
    fn state(&self) -> &Self::State;
    fn has_ended(&self) -> bool;
    fn command(&mut self, now: Timestamp, command: Command) -> News;
    /// Something came that nobody asked for.
    fn heard(&mut self, now: Timestamp, text: &str) -> News;
    /// The time waited for has come.
    fn woke(&mut self, now: Timestamp) -> News;
    fn next(&mut self, now: Timestamp) -> Next<Self::Call>;
    fn replied(&mut self, now: Timestamp, call: Self::Call, reply: &Reply) -> News;
}

/// The handoff of every script.
pub(crate) fn handoff() -> HandoffId {
    "session/1/0".into()
}

/// Plays a script from the opening of a handoff.
pub(crate) fn play<S: Subject>(script: &[u8]) {
    let mut lines = lines(script);
    let request = match lines.first() {
        Some(Line::Request(_)) => match lines.remove(0) {
            Line::Request(request) => *request,
            _ => request(),
        },
        _ => request(),
    };
    let subject = S::open(request.clone(), START);
    Player::new(subject, Some(request), None).play(lines);
}

/// Plays a script from a handle. One that cannot be read is refused, and that is all.
pub(crate) fn resume<S: Subject>(handle: &str, script: &[u8]) {
    let Ok(state) = serde_json::from_str::<S::State>(handle) else {
        return;
    };
    let handle = read_back(&state);
    let subject = S::resume(state, START);
    if !subject.has_ended() {
        Player::new(subject, None, Some(handle)).play(lines(script));
    }
}

fn request() -> TransferRequest {
    TransferRequest {
        account: "acme".into(),
        target: Target::Queue("Billing".to_owned()),
        options: TransferOptions {
            identity: Identity {
                nickname: Some("Ana".to_owned()),
                ..Identity::default()
            },
            ..TransferOptions::default()
        },
        opening_text: Some("My bill is wrong".to_owned()),
        transcript: vec!["Bot: Hello".to_owned()],
    }
}

struct Player<S> {
    subject: S,
    now: Timestamp,
    /// What to open the handoff with again, while there is no handle.
    request: Option<TransferRequest>,
    /// The handle as last reported.
    handle: Option<Value>,
    said: Vec<Command>,
    witness: Witness,
    /// What the protocol did since time last passed or something came in.
    at_this_moment: usize,
}

impl<S: Subject> Player<S> {
    fn new(subject: S, request: Option<TransferRequest>, handle: Option<Value>) -> Self {
        let witness = match handle {
            Some(_) => Witness::of_a_past_unknown(),
            None => Witness::default(),
        };
        Self {
            subject,
            now: START,
            request,
            handle,
            said: Vec::new(),
            witness,
            at_this_moment: 0,
        }
    }

    fn play(mut self, lines: Vec<Line>) {
        for line in lines {
            self.at_this_moment = 0;
            self.happen(line);
        }
        let down = Reply::Http {
            status: 503,
            retry_after: None,
            body: String::new(),
        };
        self.at_this_moment = 0;
        for _ in 0..FAILURES {
            self.reply(&down);
        }
    }

    fn happen(&mut self, line: Line) {
        match line {
            Line::Request(_) => {}
            Line::Say(message) => {
                let number = self.said.len();
                let say = Command::Say {
                    id: EffectId::new(format!("session/{number}/0")),
                    message,
                    input: Some(InputId::new(format!("input/{number}"))),
                };
                self.said.push(say.clone());
                self.command(say);
            }
            Line::Again(number) => {
                if let Some(say) = self.said.get(number).cloned() {
                    self.command(say);
                }
            }
            Line::Typing(on) => self.command(Command::Typing { on }),
            Line::Set(name, value) => {
                self.command(Command::SetAttributes(BTreeMap::from([(name, value)])));
            }
            Line::Receipt(message, receipt) => {
                self.command(Command::Receipt { message, receipt });
            }
            Line::Leave => self.command(Command::Leave),
            Line::Wait(span) => {
                self.now = self.now + span;
                let news = self.subject.woke(self.now);
                self.take(news);
            }
            Line::Restart => self.restart(),
            Line::Heard(text) => {
                let news = self.subject.heard(self.now, &text);
                self.take(news);
            }
            Line::Reply(reply) => self.reply(&reply),
        }
    }

    /// Goes on from the last reported handle, and gives what is unsettled again, as a host does.
    fn restart(&mut self) {
        if self.subject.has_ended() {
            return;
        }
        self.subject = match (&self.handle, &self.request) {
            (Some(handle), _) => {
                let state = serde_json::from_value(handle.clone());
                S::resume(state.expect("a handle can be read"), self.now)
            }
            (None, Some(request)) => S::open(request.clone(), self.now),
            (None, None) => return,
        };
        for say in self.said.clone() {
            if self.witness.waits_for(&say) {
                self.command(say);
            }
        }
    }

    fn command(&mut self, command: Command) {
        if let Command::Say { id, .. } = &command {
            self.witness.give(id);
        }
        let news = self.subject.command(self.now, command);
        self.take(news);
    }

    /// Lets time pass until a request goes out, and answers it.
    fn reply(&mut self, reply: &Reply) {
        for _ in 0..WAITS {
            match self.subject.next(self.now) {
                Next::Done => {
                    assert!(self.subject.has_ended(), "nothing to do, and no end told");
                    return;
                }
                Next::Wait(until) if until > FAR => return,
                Next::Wait(until) => {
                    if until > self.now {
                        self.at_this_moment = 0;
                        self.now = until;
                    }
                    self.count(&"waiting");
                    let news = self.subject.woke(self.now);
                    self.take(news);
                }
                Next::Call(call) => {
                    self.count(&call);
                    let news = self.subject.replied(self.now, call, reply);
                    return self.take(news);
                }
            }
        }
    }

    fn count(&mut self, what: &dyn fmt::Debug) {
        self.at_this_moment += 1;
        assert!(
            self.at_this_moment <= AT_ONE_MOMENT,
            "busy without time passing, at last with {what:?}"
        );
    }

    fn take(&mut self, news: News) {
        let state = self.subject.state();
        if news.changed || !news.told.is_empty() || !news.settled.is_empty() {
            self.handle = Some(read_back(state));
        }
        self.witness.hear(news);
        self.witness.look(self.subject.has_ended());
    }
}
