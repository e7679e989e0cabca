//! Open Messaging in every order of webhooks, notifications and triggers, with looks that show the
//! truth.

use super::calls::{Answer, Call, Event};
use super::protocol::Protocol;
use super::state::State;
use super::trouble::Trouble;
use super::wire::Outbound;
use crate::driving;
use crate::interleavings::player::{handoff, request};
use crate::interleavings::{Act, Subject, Way, every_loss, every_order, sampled, story};
use crate::platform::PlatformError;
use crate::platform::conversations::{
    Conversation, MessageData, MessageDetails, Participant, Purpose, State as Stands,
};
use crate::platform::inbound::Posted;
use crate::policy::FilePolicy;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::time::{Millis, Timestamp};
use serde_json::json;

/// The roads by which Genesys tells of a conversation.
const TOPICS: u8 = 0;
const TRIGGERS: u8 = 1;
const BOTH: u8 = 2;

/// A conversation as it truly stands, and the protocol that is told of it.
struct Centre<const ROADS: u8> {
    participants: Vec<Participant>,
    texts: Vec<(String, String)>,
    protocol: Protocol,
}

#[derive(Clone, Debug)]
enum Happening {
    /// A detail event, by the last words of its topic.
    Detail(&'static str),
    Webhook(Box<Outbound>),
}

use Happening::Detail;

impl<const ROADS: u8> Centre<ROADS> {
    fn join(&mut self, purpose: Purpose, name: &str, state: Stands, now: Timestamp) {
        let id = format!("p{}", self.participants.len());
        self.participants.push(Participant {
            name: Some(name.to_owned()),
            purpose,
            state,
            connected_time: (state == Stands::Connected).then_some(now),
            id,
            ..Participant::default()
        });
    }

    /// The latest stay of somebody.
    fn stay(&mut self, name: &str) -> &mut Participant {
        let named = |p: &&mut Participant| p.name.as_deref() == Some(name);
        let stay = self.participants.iter_mut().rev().find(named);
        stay.expect("only who came does something")
    }

    fn part(&mut self, name: &str, why: &str, now: Timestamp) {
        let stay = self.stay(name);
        if stay.state != Stands::Disconnected {
            stay.state = Stands::Disconnected;
            stay.disconnect_type = Some(why.to_owned());
            stay.end_time = Some(now);
            let wrote = stay.purpose == Purpose::Agent && stay.connected_time.is_some();
            stay.start_acw_time = wrote.then_some(now);
        }
    }

    /// Everybody's part ends, the customer's for this reason.
    fn end(&mut self, why: &str, others: &str, now: Timestamp) -> Vec<Happening> {
        let there = |p: &&Participant| p.state.is_present();
        let names = self.participants.iter().filter(there);
        let names: Vec<_> = names.filter_map(|p| p.name.clone()).collect();
        for name in &names {
            let why = if name == "Ana" { why } else { others };
            self.part(name, why, now);
        }
        vec![Detail("user.end"), Detail("customer.end"), Detail("acw")]
    }

    fn write(&mut self, name: &str, text: &str, now: Timestamp) -> String {
        let id = format!("m{}", self.texts.len());
        self.stay(name).messages.push(MessageDetails {
            message_id: id.clone(),
            message_time: Some(now),
        });
        self.texts.push((id.clone(), text.to_owned()));
        id
    }

    fn conversation(&self) -> Conversation {
        Conversation {
            participants: self.participants.clone(),
        }
    }
}

impl<const ROADS: u8> Subject for Centre<ROADS> {
    type Call = Call;
    type Answer = Result<Answer, Trouble>;
    type Event = Happening;

    /// The slowest look while nothing is heard, or a webhook that is fetched after all.
    const AT_THE_LATEST: Millis = Millis::from_secs(if ROADS == TRIGGERS { 40 } else { 330 });
    const CHECKED: bool = false;
    const AT_BEST: Millis = Millis::from_secs(12);

    fn open(_: &Way, now: Timestamp) -> Self {
        let mut protocol = Protocol::open(handoff(), &request(), "QueueName", now);
        let event = if ROADS == TRIGGERS {
            let why = "there is no permission.".to_owned();
            Event::Unfollowed { why }
        } else {
            Event::Followed
        };
        // Told again below, once there is something to follow.
        protocol.event(now, event);
        Self {
            participants: Vec::new(),
            texts: Vec::new(),
            protocol,
        }
    }

    fn act(&mut self, act: Act, now: Timestamp) -> Vec<Happening> {
        match act {
            Act::Rings(agent) => {
                self.join(Purpose::Agent, agent, Stands::Alerting, now);
                vec![Detail("user.start")]
            }
            Act::Declines(agent) => {
                self.part(agent, "client", now);
                vec![Detail("user.end")]
            }
            Act::Answers(agent) => {
                let stay = self.stay(agent);
                stay.state = Stands::Connected;
                stay.connected_time = Some(now);
                let waits =
                    |p: &&mut Participant| p.purpose == Purpose::Acd && p.state.is_present();
                let Some(wait) = self.participants.iter_mut().find(waits) else {
                    // Of an agent asked directly no event tells.
                    return Vec::new();
                };
                wait.state = Stands::Disconnected;
                wait.disconnect_type = Some("transfer".to_owned());
                wait.end_time = Some(now);
                vec![Detail("acd.end")]
            }
            Act::Says(agent, text) => {
                let id = self.write(agent, text, now);
                let body = json!({
                    "id": id, "type": "Text", "text": text, "originatingEntity": "Human",
                    "conversationId": "c", "channel": {"to": {"id": "u"}, "time": now.to_iso()},
                });
                let webhook = serde_json::from_value(body).expect("a webhook");
                vec![Happening::Webhook(Box::new(webhook))]
            }
            Act::PassesToQueue(agent) => {
                self.part(agent, "transfer", now);
                self.join(Purpose::Acd, "Billing", Stands::Connected, now);
                vec![Detail("user.end"), Detail("acd.start")]
            }
            Act::PassesTo(agent, other) => {
                self.part(agent, "transfer", now);
                self.join(Purpose::Agent, other, Stands::Alerting, now);
                vec![Detail("user.end"), Detail("user.start")]
            }
            Act::WroteUp(_) => vec![Detail("acw")],
            Act::Closes(agent) => {
                self.part(agent, "client", now);
                self.end("peer", "peer", now)
            }
            Act::CustomerGoes => self.end("client", "peer", now),
            Act::TimesOut => self.end("system", "system", now),
            Act::UserSays(_) | Act::Leaves => Vec::new(),
        }
    }

    fn deliver(&mut self, event: &Happening, now: Timestamp) -> News {
        let event = match event {
            Happening::Webhook(message) => Event::Heard(message.clone()),
            Detail(topic) if ROADS == TRIGGERS || (ROADS == BOTH && now.0.is_multiple_of(2)) => {
                let topic = format!("v2.detail.events.conversation.{{id}}.{topic}");
                Event::Triggered { topic }
            }
            Detail(_) => Event::Changed,
        };
        self.protocol.event(now, event)
    }

    fn command(&mut self, command: Command, _: Timestamp) -> News {
        self.protocol.command(command)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.protocol.next(now)
    }

    fn ask(&mut self, call: &Call, now: Timestamp) -> Self::Answer {
        Ok(match call {
            Call::FindIntegration { .. } => Answer::Integration("i".to_owned()),
            Call::FindQueue(_) => Answer::QueueFound,
            Call::Post { message, .. } => {
                if self.participants.is_empty() {
                    self.join(Purpose::Customer, "Ana", Stands::Connected, now);
                    self.join(Purpose::Acd, "Support", Stands::Connected, now);
                }
                let id = self.write("Ana", message.said.echo(), now);
                Answer::Posted(Posted {
                    id: Some(id),
                    conversation_id: Some("c".to_owned()),
                })
            }
            Call::Look { .. } => Answer::Conversation(Box::new(self.conversation())),
            Call::Read { message, .. } => {
                let text = self.texts.iter().find(|(id, _)| id == message);
                let (id, text) = text.cloned().expect("only what was seen is read");
                Answer::Message(Box::new(MessageData {
                    id,
                    text_body: Some(text),
                    normalized_message: Some(json!({"originatingEntity": "Human"})),
                    ..MessageData::default()
                }))
            }
            Call::Disconnect { .. } | Call::DisconnectAll { .. } => {
                self.end("client", "peer", now);
                Answer::Done
            }
            Call::Name(_) => Answer::Name(None),
            Call::FilePolicy { .. } => Answer::Policy(FilePolicy::default()),
            Call::EstimateWait { .. } => Answer::Wait(None),
            Call::Typing { .. } | Call::SetAttributes { .. } | Call::Confirm { .. } => Answer::Done,
        })
    }

    fn lost(_: &Call) -> Self::Answer {
        let why = "broken".to_owned();
        Err(Trouble::from(PlatformError::Broken { why }))
    }

    fn answer(&mut self, call: &Call, answer: Self::Answer, now: Timestamp) -> News {
        self.protocol.answer(now, call, answer)
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.protocol.woke(now)
    }

    fn restart(&mut self, now: Timestamp) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        self.protocol = Protocol::resume(handoff(), state, now);
        if ROADS != TRIGGERS {
            self.protocol.event(now, Event::Followed);
        }
    }

    fn user_said(&self) -> Vec<String> {
        let written = self.participants.first().into_iter();
        let ids = written.flat_map(|customer| &customer.messages);
        ids.filter_map(|message| {
            let text = self.texts.iter().find(|(id, _)| *id == message.message_id);
            text.map(|(_, text)| text.clone())
        })
        .collect()
    }
}

#[test]
fn an_agent_closes_in_every_order() {
    every_order::<Centre<TOPICS>>(&story::CLOSE);
}

#[test]
fn an_agent_closes_in_every_order_of_triggers() {
    every_order::<Centre<TRIGGERS>>(&story::CLOSE);
}

#[test]
fn a_decline_is_no_close_in_any_order() {
    every_order::<Centre<BOTH>>(&story::DECLINE);
}

#[test]
fn a_transfer_to_an_agent_is_no_close_in_any_order() {
    every_order::<Centre<TOPICS>>(&story::TO_AN_AGENT);
}

#[test]
fn a_transfer_to_a_queue_is_no_close_in_any_order() {
    sampled::<Centre<TOPICS>>(&story::TO_A_QUEUE);
    sampled::<Centre<TRIGGERS>>(&story::TO_A_QUEUE);
}

#[test]
fn everything_at_once_comes_to_one_end() {
    sampled::<Centre<TOPICS>>(&story::EVERYTHING);
    sampled::<Centre<BOTH>>(&story::EVERYTHING);
}

#[test]
fn whatever_never_comes_or_comes_twice_the_end_is_told_once() {
    every_loss::<Centre<TOPICS>>(&story::CLOSE);
    every_loss::<Centre<BOTH>>(&story::DECLINE);
}

#[test]
fn a_platform_that_gives_up_is_an_error_only_if_nobody_answered() {
    every_order::<Centre<TOPICS>>(&story::NOBODY);
    every_order::<Centre<TOPICS>>(&story::TIMEOUT);
}

#[test]
fn a_customers_part_that_ends_first_is_the_users_leaving() {
    sampled::<Centre<TOPICS>>(&story::CUSTOMER_GOES);
}

#[test]
fn the_user_leaves_in_every_order() {
    every_order::<Centre<TOPICS>>(&story::LEAVES);
    every_order::<Centre<TOPICS>>(&story::LEAVES_THE_QUEUE);
}

#[test]
fn c8_both_sides_write_and_end_it_at_once_in_every_order() {
    every_order::<Centre<TOPICS>>(&story::BOTH_CLOSE);
    every_loss::<Centre<TRIGGERS>>(&story::BOTH_CLOSE);
}
