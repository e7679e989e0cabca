//! Engage with a transcript that comes in every order, with entries missing or doubled in an answer.
//!
//! Polling is the only road, and the server numbers what it tells: an order of events is that within
//! an answer, an event that never comes is one left out of the first answer it belongs to.

use super::calls::{Answer, Call, Operation};
use super::protocol::{Protocol, Site, State};
use super::trouble::Failure;
use super::wire::Envelope;
use crate::driving;
use crate::interleavings::player::{handoff, request};
use crate::interleavings::{Act, Subject, Way, every_loss, every_order, sampled, story};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::time::{Millis, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A chat server with one chat, and the protocol that is told of it.
struct Server {
    transcript: Vec<Value>,
    /// The index of each event of the story, by the order in which they happened.
    events: Vec<usize>,
    /// Events that were left out of an answer.
    left_out: BTreeSet<usize>,
    ended: bool,
    agents: Vec<&'static str>,
    way: Way,
    protocol: Protocol,
}

fn site() -> Site {
    Site {
        account: "gms".into(),
        url: "http://gms.example.org".to_owned(),
        service: "customer-support".to_owned(),
        queue_attribute: "QueueName".to_owned(),
        poll_interval: Millis::from_secs(3),
    }
}

impl Server {
    fn put(&mut self, from: &str, kind: &str, name: &str, text: Option<&str>, now: Timestamp) {
        let index = self.transcript.len() + 1;
        let number = self.agents.iter().position(|agent| *agent == name);
        self.transcript.push(json!({
            "index": index, "type": kind, "text": text, "utcTime": now.0,
            "from": {"nickname": name, "participantId": number.map_or(1, |at| at + 2), "type": from},
        }));
    }

    fn story(&mut self, kind: &str, name: &str, text: Option<&str>, now: Timestamp) -> Vec<usize> {
        self.put("Agent", kind, name, text, now);
        self.events.push(self.transcript.len());
        vec![self.events.len() - 1]
    }

    /// The transcript from an index, as this way has it: out of order, doubled, and once without.
    fn messages(&mut self, from: usize) -> Vec<Value> {
        let mut messages = Vec::new();
        for (at, entry) in self.transcript.iter().enumerate().skip(from.max(1) - 1) {
            let index = at + 1;
            let event = self.events.iter().position(|event| *event == index);
            let Some(event) = event else {
                messages.push((index, entry.clone()));
                continue;
            };
            let mut places = self.way.order.iter().enumerate();
            let places: Vec<_> = places
                .by_ref()
                .filter(|(_, other)| **other == event)
                .map(|(place, _)| 1000 + place)
                .collect();
            if !places.is_empty() || !self.left_out.insert(event) {
                let places = if places.is_empty() {
                    vec![index]
                } else {
                    places
                };
                messages.extend(places.into_iter().map(|place| (place, entry.clone())));
            }
        }
        messages.sort_by_key(|(place, _)| *place);
        messages.into_iter().map(|(_, entry)| entry).collect()
    }
}

impl Subject for Server {
    type Call = Call;
    type Answer = Result<Answer, Failure>;
    /// The number of an event, for the order within answers.
    type Event = usize;

    /// A poll, one whose answer is lost, and one for each entry that was left out.
    const AT_THE_LATEST: Millis = Millis::from_secs(12);
    const CHECKED: bool = true;
    const AT_BEST: Millis = Millis::from_secs(4);

    fn open(way: &Way, now: Timestamp) -> Self {
        Self {
            transcript: Vec::new(),
            events: Vec::new(),
            left_out: BTreeSet::new(),
            ended: false,
            agents: Vec::new(),
            way: way.clone(),
            protocol: Protocol::open(site(), handoff(), request(), now),
        }
    }

    fn act(&mut self, act: Act, now: Timestamp) -> Vec<usize> {
        match act {
            // Chat server tells nobody of these.
            Act::Rings(_) | Act::Declines(_) | Act::WroteUp(_) => Vec::new(),
            Act::Answers(agent) => {
                self.agents.push(agent);
                self.story("ParticipantJoined", agent, None, now)
            }
            Act::Says(agent, text) => self.story("Message", agent, Some(text), now),
            Act::PassesToQueue(agent) | Act::PassesTo(agent, _) => {
                self.story("ParticipantLeft", agent, None, now)
            }
            Act::Closes(agent) => {
                self.ended = true;
                self.story("ParticipantLeft", agent, None, now)
            }
            Act::TimesOut => {
                self.ended = true;
                Vec::new()
            }
            Act::CustomerGoes => {
                self.put("Client", "ParticipantLeft", "Ana", None, now);
                self.events.push(self.transcript.len());
                self.ended = true;
                vec![self.events.len() - 1]
            }
            Act::UserSays(_) | Act::Leaves => Vec::new(),
        }
    }

    fn deliver(&mut self, _: &usize, _: Timestamp) -> News {
        News::default()
    }

    fn command(&mut self, command: Command, _: Timestamp) -> News {
        self.protocol.command(command)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.protocol.next(now)
    }

    fn ask(&mut self, call: &Call, now: Timestamp) -> Self::Answer {
        let field = |name: &str| {
            let found = call.form.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        let refused = self.ended && call.operation == Operation::Send;
        match call.operation {
            Operation::RequestChat => self.put("Client", "ParticipantJoined", "Ana", None, now),
            Operation::Send if !self.ended => {
                let text = field("message").expect("a message");
                self.put("Client", "Message", "Ana", Some(&text), now);
            }
            Operation::Disconnect => self.ended = true,
            _ => {}
        }
        if refused {
            let body = json!({"statusCode": 2, "chatEnded": true, "errors": [{"code": 1}]});
            let envelope: Envelope = serde_json::from_value(body).expect("an envelope");
            return Ok(envelope.into());
        }
        let from = field("transcriptPosition").map_or(1, |text| text.parse().expect("a number"));
        let envelope: Envelope = serde_json::from_value(json!({
            "statusCode": 0, "chatId": "C1", "userId": "U1", "secureKey": "key",
            "alias": "1", "nextPosition": self.transcript.len() + 1,
            "chatEnded": self.ended, "messages": self.messages(from),
        }))
        .expect("an envelope");
        Ok(envelope.into())
    }

    fn lost(_: &Call) -> Self::Answer {
        let why = "broken".to_owned();
        Err(Failure::Unknown { why })
    }

    fn answer(&mut self, call: &Call, answer: Self::Answer, now: Timestamp) -> News {
        self.protocol.answer(now, call.operation, answer)
    }

    fn woke(&mut self, _: Timestamp) -> News {
        News::default()
    }

    fn restart(&mut self, now: Timestamp) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        self.protocol = Protocol::resume(site(), handoff(), state, now);
    }

    fn user_said(&self) -> Vec<String> {
        let ours = |it: &&Value| it["from"]["type"] == "Client" && it["type"] == "Message";
        let ours = self.transcript.iter().filter(ours);
        ours.filter_map(|it| it["text"].as_str().map(str::to_owned))
            .collect()
    }
}

#[test]
fn an_agent_closes_in_every_order() {
    every_order::<Server>(&story::CLOSE);
}

#[test]
fn a_transfer_to_an_agent_is_no_close_in_any_order() {
    every_order::<Server>(&story::TO_AN_AGENT);
}

#[test]
fn a_transfer_to_a_queue_is_no_close_in_any_order() {
    every_order::<Server>(&story::TO_A_QUEUE);
}

#[test]
fn everything_at_once_comes_to_one_end() {
    sampled::<Server>(&story::EVERYTHING);
}

#[test]
fn whatever_is_left_out_or_doubled_the_end_is_told_once() {
    every_loss::<Server>(&story::CLOSE);
    every_loss::<Server>(&story::TO_A_QUEUE);
}

#[test]
fn a_platform_that_gives_up_is_an_error_only_if_nobody_answered() {
    every_order::<Server>(&story::NOBODY);
    every_order::<Server>(&story::TIMEOUT);
}

#[test]
fn a_customer_who_is_removed_has_left() {
    every_order::<Server>(&story::CUSTOMER_GOES);
}

#[test]
fn the_user_leaves_in_every_order() {
    every_order::<Server>(&story::LEAVES);
    every_order::<Server>(&story::LEAVES_THE_QUEUE);
}

#[test]
fn c8_both_sides_write_and_end_it_at_once_in_every_order() {
    every_order::<Server>(&story::BOTH_CLOSE);
    every_loss::<Server>(&story::BOTH_CLOSE);
}
