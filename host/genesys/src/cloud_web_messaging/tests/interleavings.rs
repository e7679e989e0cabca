//! Web Messaging in every order of frames, as a guest without the Platform API: agents show by what
//! they write, the end by a presence event or by the history.

use super::super::protocol::{Answer, Call, Event, Protocol};
use super::super::state::State;
use super::super::trouble::Trouble;
use super::bench::{PLAIN, site};
use super::centre::{Centre, Ways};
use crate::driving;
use crate::interleavings::player::{handoff, request};
use crate::interleavings::story::{BOTH_CLOSE, CLOSE, EVERYTHING, LEAVES, Story, TO_A_QUEUE};
use crate::interleavings::{Act, Subject, Way, every_loss, every_order, sampled};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::account::SecondHandoff;
use handoff_engine::time::{Millis, Timestamp};

/// A session as it truly stands, and the protocol that is told of it. `READ_ONLY` says what becomes of
/// a conversation that an agent has ended.
struct Guest<const READ_ONLY: bool> {
    centre: Centre,
    protocol: Protocol,
}

impl<const READ_ONLY: bool> Guest<READ_ONLY> {
    /// The frames sent meanwhile: they are under way on their own.
    fn sent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.centre.mail)
    }

    fn frame(&mut self, frame: String, now: Timestamp) -> News {
        if self.protocol.line.has_socket() {
            self.protocol.event(now, Event::Frame(frame))
        } else {
            News::default()
        }
    }
}

impl<const READ_ONLY: bool> Subject for Guest<READ_ONLY> {
    type Call = Call;
    type Answer = Result<Answer, Trouble>;
    type Event = String;

    const CHECKED: bool = false;
    const BY_WORDS: bool = true;
    /// The slowest reading of the history while nothing is heard.
    const AT_THE_LATEST: Millis = Millis::from_secs(330);
    const AT_BEST: Millis = Millis::from_secs(20);

    fn open(_: &Way, now: Timestamp) -> Self {
        let ways = Ways {
            read_only: READ_ONLY,
            ..PLAIN
        };
        let site = site(SecondHandoff::StartNew);
        Self {
            centre: Centre::new(ways),
            protocol: Protocol::open(handoff(), &request(), site, now),
        }
    }

    fn act(&mut self, act: Act, now: Timestamp) -> Vec<String> {
        // What answers us comes with the answers.
        let answers = self.sent();
        match act {
            Act::Says(agent, text) => self.centre.says(agent, text, now),
            Act::Closes(_) => {
                self.centre.close(now);
            }
            _ => {}
        }
        let sent = self.sent();
        self.centre.mail = answers;
        sent
    }

    fn deliver(&mut self, event: &String, now: Timestamp) -> News {
        self.frame(event.clone(), now)
    }

    fn command(&mut self, command: Command, now: Timestamp) -> News {
        self.protocol.command(now, command)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.protocol.next(now)
    }

    fn ask(&mut self, call: &Call, now: Timestamp) -> Self::Answer {
        self.centre.take(call, now)
    }

    fn lost(_: &Call) -> Self::Answer {
        let why = "broken".to_owned();
        Err(Trouble::Unreachable { why })
    }

    fn answer(&mut self, call: &Call, answer: Self::Answer, now: Timestamp) -> News {
        let frames = self.sent();
        let arrives = answer.is_ok();
        let mut news = self.protocol.answer(now, call, answer);
        for frame in frames.into_iter().filter(|_| arrives) {
            let more = self.frame(frame, now);
            news.told.extend(more.told);
            news.settled.extend(more.settled);
        }
        news
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.protocol.woke(now)
    }

    fn restart(&mut self, now: Timestamp) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        let site = self.protocol.site.clone();
        self.protocol = Protocol::resume(handoff(), state, site, now);
        self.centre.mail.clear();
    }

    fn user_said(&self) -> Vec<String> {
        let session = self.centre.sessions.get(&self.centre.current);
        let history = session.into_iter().flat_map(|session| &session.history);
        let inbound = history.filter(|it| it["direction"] == "Inbound" && it["type"] == "Text");
        inbound
            .filter_map(|it| it["text"].as_str().map(str::to_owned))
            .collect()
    }
}

/// As [`EVERYTHING`], but quick transfers between agents who say nothing would not show.
const TALKS: Story = Story {
    name: "three agents write one after another, and the last one closes",
    acts: &[
        Act::Answers("Kim"),
        Act::Says("Kim", "One moment"),
        Act::UserSays("Hi Kim"),
        Act::PassesTo("Kim", "Lee"),
        Act::Answers("Lee"),
        Act::Says("Lee", "Lee here"),
        Act::Says("Lee", "Wait"),
        Act::PassesTo("Lee", "Max"),
        Act::Answers("Max"),
        Act::Says("Max", "Max here"),
        Act::Says("Max", "Goodbye"),
        Act::Closes("Max"),
    ],
};

#[test]
fn an_agent_closes_in_every_order() {
    every_order::<Guest<true>>(&CLOSE);
    every_order::<Guest<false>>(&CLOSE);
}

#[test]
fn agents_who_write_one_after_another_are_told_in_their_order_and_end_it_once() {
    every_order::<Guest<true>>(&TALKS);
    every_order::<Guest<false>>(&TALKS);
}

#[test]
fn everything_at_once_comes_to_one_end() {
    sampled::<Guest<true>>(&EVERYTHING);
    sampled::<Guest<true>>(&TO_A_QUEUE);
}

#[test]
fn whatever_never_comes_or_comes_twice_the_end_is_told_once() {
    every_loss::<Guest<true>>(&TALKS);
    every_loss::<Guest<false>>(&CLOSE);
}

#[test]
fn the_user_leaves_in_every_order() {
    every_order::<Guest<true>>(&LEAVES);
}

#[test]
fn c8_both_sides_write_and_end_it_at_once_in_every_order() {
    every_order::<Guest<true>>(&BOTH_CLOSE);
    every_loss::<Guest<false>>(&BOTH_CLOSE);
}
