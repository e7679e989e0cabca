//! The protocol against a contact centre in a few lines: webhooks lost, doubled and out of order,
//! events lost, answers lost, hosts restarted, and every story agents can make up.

use super::calls::{Answer, Call, Event, Next};
use super::protocol::Protocol;
use super::state::State;
use super::trouble::Trouble;
use super::wire::{Kind, Outbound};
use crate::carry::Part;
use crate::platform::PlatformError;
use crate::platform::conversations::{
    Conversation, MessageData, MessageDetails, Participant, Purpose, Reference, State as Stands,
};
use crate::platform::inbound::Posted;
use crate::policy::FilePolicy;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::content::{Attachment, UserMessage};
use handoff_engine::handoff::{SessionEndReason, Signal, Target, TransferOptions, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use handoff_engine::time::{Millis, Timestamp};
use proptest::prelude::*;
use serde_json::json;

mod beyond_text;

/// A contact centre with one conversation.
#[derive(Default)]
struct Centre {
    participants: Vec<Participant>,
    texts: Vec<(String, String)>,
    /// Webhooks that are under way.
    mail: Vec<Outbound>,
    joined: Vec<String>,
    agents_said: Vec<String>,
}

impl Centre {
    fn join(&mut self, purpose: Purpose, name: &str, state: Stands, now: Timestamp) {
        let id = format!("p{}", self.participants.len());
        self.participants.push(Participant {
            name: Some(name.to_owned()),
            purpose,
            state,
            connected_time: (state == Stands::Connected).then_some(now),
            user: (purpose == Purpose::Agent).then(|| Reference {
                id: Some(format!("user-{id}")),
                name: None,
            }),
            id,
            ..Participant::default()
        });
    }

    fn last(&mut self, purpose: Purpose, state: Stands) -> Option<&mut Participant> {
        self.participants
            .iter_mut()
            .rev()
            .find(|p| p.purpose == purpose && p.state == state)
    }

    fn part(&mut self, purpose: Purpose, state: Stands, why: &str, now: Timestamp) -> bool {
        let Some(participant) = self.last(purpose, state) else {
            return false;
        };
        participant.state = Stands::Disconnected;
        participant.disconnect_type = Some(why.to_owned());
        participant.end_time = Some(now);
        if participant.connected_time.is_some() {
            participant.start_acw_time = Some(now);
        }
        true
    }

    fn queue(&mut self, now: Timestamp) {
        self.join(Purpose::Acd, "Support", Stands::Connected, now);
    }

    fn ring(&mut self, now: Timestamp) {
        let name = format!("Agent {}", self.participants.len());
        self.join(Purpose::Agent, &name, Stands::Alerting, now);
    }

    /// One thing the agent side does, whatever is possible.
    fn act(&mut self, choice: u8, now: Timestamp) {
        let ringing = self.last(Purpose::Agent, Stands::Alerting).is_some();
        let talking = self.last(Purpose::Agent, Stands::Connected).is_some();
        match (ringing, talking, choice % 4) {
            (true, _, 0) => {
                self.part(Purpose::Agent, Stands::Alerting, "client", now);
            }
            (true, ..) => self.accept(now),
            (false, true, 0) => {
                self.part(Purpose::Agent, Stands::Connected, "transfer", now);
                self.queue(now);
            }
            (false, true, 1) => {
                self.part(Purpose::Agent, Stands::Connected, "transfer", now);
                self.ring(now);
            }
            (false, true, _) => self.says(now),
            (false, false, _) => self.ring(now),
        }
    }

    fn accept(&mut self, now: Timestamp) {
        if let Some(agent) = self.last(Purpose::Agent, Stands::Alerting) {
            agent.state = Stands::Connected;
            agent.connected_time = Some(now);
            let name = agent.name.clone().unwrap_or_default();
            self.joined.push(name);
        }
        self.part(Purpose::Acd, Stands::Connected, "transfer", now);
    }

    fn says(&mut self, now: Timestamp) {
        let id = format!("m{}", self.texts.len());
        let text = format!("text {id}");
        if let Some(agent) = self.last(Purpose::Agent, Stands::Connected) {
            agent.messages.push(MessageDetails {
                message_id: id.clone(),
                message_time: Some(now),
            });
        }
        self.texts.push((id.clone(), text.clone()));
        self.agents_said.push(text.clone());
        let body = json!({
            "id": id, "type": "Text", "text": text, "originatingEntity": "Human",
            "conversationId": "c", "channel": {"to": {"id": "u"}, "time": now.to_iso()},
        });
        self.mail
            .push(serde_json::from_value(body).expect("a webhook"));
    }

    fn close(&mut self, now: Timestamp) {
        for _ in 0..8 {
            if self.part(Purpose::Agent, Stands::Connected, "client", now) {
                break;
            }
            self.act(1, now);
        }
        self.part(Purpose::Customer, Stands::Connected, "peer", now);
    }

    /// Carries out a call.
    fn take(&mut self, call: &Call, now: Timestamp) -> Answer {
        match call {
            Call::FindIntegration { .. } => Answer::Integration("i".to_owned()),
            Call::FindQueue(_) => Answer::QueueFound,
            Call::Post { message, .. } => {
                if self.participants.is_empty() {
                    self.join(Purpose::Customer, "Ana", Stands::Connected, now);
                    self.queue(now);
                }
                let id = format!("m{}", self.texts.len());
                let text = message.said.echo().to_owned();
                self.texts.push((id.clone(), text));
                self.participants[0].messages.push(MessageDetails {
                    message_id: id.clone(),
                    message_time: Some(now),
                });
                Answer::Posted(Posted {
                    id: Some(id),
                    conversation_id: Some("c".to_owned()),
                })
            }
            Call::Look { .. } => Answer::Conversation(Box::new(Conversation {
                participants: self.participants.clone(),
            })),
            Call::Read { message, .. } => {
                let text = self.texts.iter().find(|(id, _)| id == message);
                let (id, text) = text.cloned().expect("only what was seen is read");
                Answer::Message(Box::new(MessageData {
                    id,
                    text_body: Some(text),
                    ..MessageData::default()
                }))
            }
            Call::Disconnect { .. } | Call::DisconnectAll { .. } => {
                self.part(Purpose::Customer, Stands::Connected, "client", now);
                self.part(Purpose::Agent, Stands::Connected, "peer", now);
                Answer::Done
            }
            Call::Name(_) => Answer::Name(None),
            Call::FilePolicy { .. } => Answer::Policy(FilePolicy {
                blocked: vec!["exe".to_owned()],
                ..FilePolicy::default()
            }),
            Call::EstimateWait { .. } => Answer::Wait(None),
            Call::Typing { .. } | Call::SetAttributes { .. } | Call::Confirm { .. } => Answer::Done,
        }
    }

    fn user_said(&self) -> Vec<&str> {
        let ours = self.participants.first().into_iter();
        let ids = ours.flat_map(|customer| &customer.messages);
        ids.filter_map(|message| {
            let text = self.texts.iter().find(|(id, _)| *id == message.message_id);
            text.map(|(_, text)| text.as_str())
        })
        .collect()
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Fine,
    NotSent,
    Refused,
    AnswerLost,
}

struct Bench {
    centre: Centre,
    protocol: Protocol,
    now: Timestamp,
    seen: Vec<Signal>,
    keys: Vec<String>,
    settled: Vec<EffectId>,
}

fn request() -> TransferRequest {
    TransferRequest {
        account: "cloud".into(),
        target: Target::Queue("Support".to_owned()),
        options: TransferOptions::default(),
        opening_text: Some("Help".to_owned()),
        transcript: Vec::new(),
    }
}

fn handoff() -> HandoffId {
    "s/1/0".into()
}

fn file(name: &str) -> Attachment {
    Attachment {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        url: format!("https://files.example/{name}"),
        size: Some(3),
    }
}

fn effect(n: usize) -> EffectId {
    EffectId::new(format!("s/{n}/0"))
}

impl Bench {
    fn new() -> Self {
        let now = Timestamp(1_767_607_200_000);
        Self {
            centre: Centre::default(),
            protocol: Protocol::open(handoff(), &request(), "QueueName", now),
            now,
            seen: Vec::new(),
            keys: Vec::new(),
            settled: Vec::new(),
        }
    }

    fn opened() -> Self {
        let mut bench = Self::new();
        bench.run_for(Millis::from_secs(10));
        bench
    }

    fn take(&mut self, news: News) {
        for told in news.told {
            self.keys.push(told.key);
            self.seen.push(told.signal);
        }
        self.settled.extend(news.settled);
    }

    fn command(&mut self, command: Command) {
        let news = self.protocol.command(command);
        self.take(news);
    }

    fn say(&mut self, n: usize, message: &UserMessage) {
        self.command(Command::Say {
            id: effect(n),
            message: message.clone(),
            input: Some(InputId::new(format!("input/{n}"))),
        });
    }

    fn event(&mut self, event: Event) {
        let news = self.protocol.event(self.now, event);
        self.take(news);
    }

    /// One call, or a wait of at most a second. False once the handoff is over.
    fn step(&mut self, fate: Fate) -> bool {
        match self.protocol.next(self.now) {
            Next::Done => return false,
            Next::Wait(until) => {
                self.now = until.min(self.now + Millis::from_secs(1));
                let news = self.protocol.woke(self.now);
                self.take(news);
            }
            Next::Call(call) => {
                self.now = self.now + Millis(10);
                let why = "broken".to_owned();
                let answer = match fate {
                    Fate::Fine => Ok(self.centre.take(&call, self.now)),
                    Fate::NotSent => Err(PlatformError::NotSent { why }),
                    Fate::Refused => Err(PlatformError::RateLimited {
                        retry_after: Millis::from_secs(3),
                        correlation: crate::platform::Correlation::default(),
                    }),
                    Fate::AnswerLost => {
                        self.centre.take(&call, self.now);
                        Err(PlatformError::Broken { why })
                    }
                };
                let answer = answer.map_err(Trouble::from);
                let news = self.protocol.answer(self.now, &call, answer);
                self.take(news);
            }
        }
        true
    }

    fn run_for(&mut self, span: Millis) {
        let until = self.now + span;
        while self.now < until {
            if !self.step(Fate::Fine) {
                return;
            }
        }
    }

    fn restart(&mut self, messages: &[UserMessage]) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        self.protocol = Protocol::resume(handoff(), state, self.now);
        for (n, message) in messages.iter().enumerate() {
            if !self.settled.contains(&effect(n)) {
                self.say(n, message);
            }
        }
    }

    fn end(&self) -> Option<SessionEndReason> {
        let ends: Vec<_> = self
            .seen
            .iter()
            .filter_map(|signal| match signal {
                Signal::Ended(end) => Some(end.reason),
                _ => None,
            })
            .collect();
        assert!(ends.len() <= 1, "ended twice: {:#?}", self.seen);
        if !ends.is_empty() {
            assert!(matches!(self.seen.last(), Some(Signal::Ended(_))));
        }
        ends.first().copied()
    }

    fn joined(&self) -> Vec<String> {
        let names = self.seen.iter().filter_map(|signal| match signal {
            Signal::AgentJoined { agent } => Some(agent.name.clone()),
            _ => None,
        });
        names.collect()
    }

    fn heard(&self) -> Vec<String> {
        let texts = self.seen.iter().filter_map(|signal| match signal {
            Signal::Message { text, .. } => Some(text.clone()),
            _ => None,
        });
        let mut texts: Vec<_> = texts.collect();
        texts.sort();
        texts
    }
}

/// One thing that happens next.
#[derive(Clone, Debug)]
enum Move {
    Step(Fate),
    Agents(u8),
    /// A webhook arrives, perhaps one of the later ones, perhaps to come again.
    Mail {
        which: prop::sample::Index,
        again: bool,
    },
    LostMail(prop::sample::Index),
    Changed,
    Followed,
    Unfollowed,
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let fate = prop_oneof![
        6 => Just(Fate::Fine),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::Refused),
        1 => Just(Fate::AnswerLost),
    ];
    let one = prop_oneof![
        8 => fate.prop_map(Move::Step),
        3 => any::<u8>().prop_map(Move::Agents),
        3 => (any::<prop::sample::Index>(), any::<bool>())
            .prop_map(|(which, again)| Move::Mail { which, again }),
        1 => any::<prop::sample::Index>().prop_map(Move::LostMail),
        2 => Just(Move::Changed),
        1 => Just(Move::Followed),
        1 => Just(Move::Unfollowed),
        1 => Just(Move::Restart),
    ];
    prop::collection::vec(one, 0..80)
}

fn play(bench: &mut Bench, moves: Vec<Move>, messages: &[UserMessage]) {
    for one in moves {
        match one {
            Move::Step(fate) => {
                bench.step(fate);
            }
            Move::Agents(choice) => bench.centre.act(choice, bench.now),
            Move::Mail { which, again } if !bench.centre.mail.is_empty() => {
                let at = which.index(bench.centre.mail.len());
                let message = bench.centre.mail[at].clone();
                if !again {
                    bench.centre.mail.remove(at);
                }
                bench.event(Event::Heard(Box::new(message)));
            }
            Move::LostMail(which) if !bench.centre.mail.is_empty() => {
                let at = which.index(bench.centre.mail.len());
                bench.centre.mail.remove(at);
            }
            Move::Mail { .. } | Move::LostMail(_) => {}
            Move::Changed => bench.event(Event::Changed),
            Move::Followed => bench.event(Event::Followed),
            Move::Unfollowed => {
                let why = "the socket closed.".to_owned();
                bench.event(Event::Unfollowed { why });
            }
            Move::Restart => bench.restart(messages),
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_lost_doubled_or_late_everything_is_told_once_and_it_ends_once(
        moves in moves(),
    ) {
        let mut messages = ["a", "b", "a", "a"].map(UserMessage::text).to_vec();
        let (first, second) = ("x".repeat(1999), "y".repeat(1999));
        messages.push(UserMessage {
            attachments: vec![file("a.png"), file("b.png")],
            ..UserMessage::text(format!("{first} {second}"))
        });
        let mut bench = Bench::opened();
        for (n, message) in messages.iter().enumerate() {
            bench.say(n, message);
        }
        play(&mut bench, moves, &messages);
        prop_assert_eq!(bench.end(), None, "{:#?}", bench.seen);

        bench.run_for(Millis::from_mins(12));
        prop_assert_eq!(bench.end(), None, "{:#?}", bench.seen);
        let parts = ["Help", "a", "b", "a", "a", &first, &second, "a.png", "b.png"];
        prop_assert_eq!(bench.centre.user_said(), parts);
        prop_assert_eq!(bench.settled.len(), messages.len());
        let mut said = bench.centre.agents_said.clone();
        said.sort();
        prop_assert_eq!(bench.heard(), said);

        bench.centre.close(bench.now);
        bench.run_for(Millis::from_mins(12));
        prop_assert_eq!(bench.joined(), bench.centre.joined.clone());
        prop_assert_eq!(bench.end(), Some(SessionEndReason::AgentLeft));
        let mut keys = bench.keys.clone();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), bench.keys.len(), "{:#?}", bench.keys);
    }

    #[test]
    fn the_user_can_leave_at_any_point(moves in moves(), before_open in any::<bool>()) {
        let mut bench = if before_open { Bench::new() } else { Bench::opened() };
        play(&mut bench, moves, &[]);
        if bench.end().is_some() {
            // Nothing opened because every attempt failed; there is nothing to leave.
            return Ok(());
        }
        bench.command(Command::Leave);
        bench.run_for(Millis::from_mins(5));
        prop_assert_eq!(bench.end(), Some(SessionEndReason::UserLeft));
        let there = bench.centre.participants.iter().any(|p| {
            p.purpose == Purpose::Customer && p.state == Stands::Connected
        });
        prop_assert!(!there);
    }
}

#[test]
fn an_unknown_webhook_type_is_no_news() {
    let mut bench = Bench::opened();
    let before = bench.seen.len();
    bench.event(Event::Heard(Box::new(Outbound {
        id: "x".to_owned(),
        kind: Kind::Unknown,
        ..Outbound::default()
    })));
    assert_eq!(bench.seen.len(), before);
}

#[test]
fn an_agent_who_leaves_a_conversation_that_is_never_closed_ends_it_after_a_while() {
    let mut bench = Bench::opened();
    bench.centre.act(0, bench.now);
    bench.centre.accept(bench.now);
    bench.run_for(Millis::from_secs(10));
    let now = bench.now;
    bench
        .centre
        .part(Purpose::Agent, Stands::Connected, "client", now);
    bench.event(Event::Changed);
    bench.run_for(Millis::from_secs(5));
    assert_eq!(bench.end(), None);
    bench.run_for(Millis::from_secs(30));
    assert_eq!(bench.end(), Some(SessionEndReason::AgentLeft));
}

#[test]
fn the_first_message_carries_every_attribute_and_its_id_stays_the_same() {
    let opening = || {
        let now = Timestamp(0);
        let mut protocol = Protocol::open(handoff(), &request(), "QueueName", now);
        for answer in [Answer::Integration("i".to_owned()), Answer::QueueFound] {
            let Next::Call(call) = protocol.next(now) else {
                panic!("a call")
            };
            protocol.answer(now, &call, Ok(answer));
        }
        match protocol.next(now) {
            Next::Call(Call::Post { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    };
    let message = opening();
    assert_eq!(message.attributes["QueueName"], "Support");
    assert_eq!(message.said, Part::Text("Help".to_owned()));
    assert_eq!(message.message_id, opening().message_id);
}
