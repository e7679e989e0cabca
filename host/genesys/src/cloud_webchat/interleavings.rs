//! WebChat in every order of frames, with readings that show the truth.

use super::opening::Site;
use super::protocol::{Answer, Call, Event, Protocol};
use super::state::State;
use super::trouble::Failure;
use super::wire::{
    BodyType, Created, Frames, Jwt, MemberChange, MemberInfo, MemberState, Members, Message,
    Messages, Presence, Reference, Role,
};
use crate::driving;
use crate::interleavings::player::{handoff, request};
use crate::interleavings::{Act, Subject, Way, every_loss, every_order, sampled, story};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::time::{Millis, Timestamp};

const OURS: &str = "guest";

/// A chat as it truly stands, and the protocol that is told of it.
struct Chat {
    members: Vec<MemberInfo>,
    messages: Vec<Message>,
    protocol: Protocol,
    listening: bool,
}

fn site() -> Site {
    Site {
        account: "acme".into(),
        organization: "o".to_owned(),
        deployment: "d".to_owned(),
        queue: None,
        has_platform: false,
    }
}

impl Chat {
    fn is_over(&self) -> bool {
        let ours = self.members.iter().find(|it| it.id == OURS);
        ours.is_some_and(|it| it.state == Some(Presence::Disconnected))
    }

    fn join(&mut self, role: Role, name: &str, state: Presence, now: Timestamp) -> Frames {
        let id = match role {
            Role::Customer => OURS.to_owned(),
            _ => format!("member-{}", self.members.len()),
        };
        self.members.push(MemberInfo {
            id: id.clone(),
            display_name: Some(name.to_owned()),
            role,
            state: Some(state),
            join_date: Some(now),
            leave_date: None,
        });
        change(&id, state)
    }

    /// Changes the latest stay of somebody.
    fn is_now(&mut self, name: &str, state: Presence, now: Timestamp) -> Option<Frames> {
        let named = |it: &&mut MemberInfo| it.display_name.as_deref() == Some(name);
        let member = self.members.iter_mut().rev().find(named)?;
        if member.state == Some(Presence::Disconnected) {
            return None;
        }
        member.state = Some(state);
        if state == Presence::Disconnected {
            member.leave_date = Some(now);
        }
        Some(change(&member.id, state))
    }

    fn write(&mut self, name: &str, kind: BodyType, text: Option<&str>, now: Timestamp) -> Frames {
        let named = |it: &&MemberInfo| it.display_name.as_deref() == Some(name);
        let member = self.members.iter().rev().find(named);
        let message = Message {
            id: format!("message-{}", self.messages.len()),
            sender: Reference {
                id: member.expect("only who came speaks").id.clone(),
            },
            body: text.map(str::to_owned),
            body_type: kind,
            timestamp: Some(now),
        };
        self.messages.push(message.clone());
        Frames::Message(message)
    }

    fn end(&mut self, now: Timestamp) -> Vec<Frames> {
        let names: Vec<_> = self
            .members
            .iter()
            .filter_map(|it| it.display_name.clone())
            .collect();
        let gone = |name: &String| self.is_now(name, Presence::Disconnected, now);
        names.iter().filter_map(gone).collect()
    }
}

fn change(id: &str, state: Presence) -> Frames {
    Frames::Member(MemberChange {
        member: MemberState {
            id: id.to_owned(),
            state: Some(state),
        },
    })
}

impl Subject for Chat {
    type Call = Call;
    type Answer = Result<Answer, Failure>;
    type Event = Frames;

    /// The slowest reading while nothing is heard.
    const AT_THE_LATEST: Millis = Millis::from_secs(130);
    const CHECKED: bool = true;
    const AT_BEST: Millis = Millis::from_secs(5);

    fn open(_: &Way, now: Timestamp) -> Self {
        let protocol = Protocol::open(site(), handoff(), &request(), now);
        Self {
            members: Vec::new(),
            messages: Vec::new(),
            protocol: protocol.expect("there is a queue"),
            listening: false,
        }
    }

    fn act(&mut self, act: Act, now: Timestamp) -> Vec<Frames> {
        match act {
            Act::Rings(agent) => vec![self.join(Role::Agent, agent, Presence::Alerting, now)],
            Act::Declines(agent) => {
                let gone = self.is_now(agent, Presence::Disconnected, now);
                gone.into_iter().collect()
            }
            Act::Answers(agent) => {
                let mut frames: Vec<_> = self
                    .is_now(agent, Presence::Connected, now)
                    .into_iter()
                    .collect();
                frames.push(self.write(agent, BodyType::MemberJoin, None, now));
                for queue in ["Support", "Billing"] {
                    frames.extend(self.is_now(queue, Presence::Disconnected, now));
                }
                frames
            }
            Act::Says(agent, text) => {
                vec![self.write(agent, BodyType::Standard, Some(text), now)]
            }
            Act::PassesToQueue(agent) => {
                let mut frames: Vec<_> = self
                    .is_now(agent, Presence::Disconnected, now)
                    .into_iter()
                    .collect();
                frames.push(self.join(Role::Acd, "Billing", Presence::Connected, now));
                frames
            }
            Act::PassesTo(agent, other) => {
                let mut frames: Vec<_> = self
                    .is_now(agent, Presence::Disconnected, now)
                    .into_iter()
                    .collect();
                frames.push(self.join(Role::Agent, other, Presence::Alerting, now));
                frames
            }
            Act::Closes(_) | Act::TimesOut | Act::CustomerGoes => self.end(now),
            Act::WroteUp(_) | Act::UserSays(_) | Act::Leaves => Vec::new(),
        }
    }

    fn deliver(&mut self, event: &Frames, now: Timestamp) -> News {
        self.protocol.event(now, Event::Heard(event.clone()))
    }

    fn command(&mut self, command: Command, _: Timestamp) -> News {
        self.protocol.command(command)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        if !self.listening && self.protocol.stream().is_some() {
            self.listening = true;
            self.join(Role::Acd, "Support", Presence::Connected, now);
            let news = self.protocol.event(now, Event::Listening);
            assert_eq!(news.told, [], "an open stream is no news");
        }
        self.protocol.next(now)
    }

    fn ask(&mut self, call: &Call, now: Timestamp) -> Self::Answer {
        Ok(match call {
            Call::FindQueue(_) => Answer::Queue("q".to_owned()),
            Call::Create(_) => {
                self.join(Role::Customer, "Ana", Presence::Connected, now);
                Answer::Created(Box::new(Created {
                    id: "c".to_owned(),
                    jwt: Jwt("token".to_owned()),
                    event_stream_uri: "wss://example.org/channels/1".to_owned(),
                    member: Reference {
                        id: OURS.to_owned(),
                    },
                }))
            }
            Call::Members { .. } => Answer::Members(Members {
                entities: self.members.clone(),
                page_count: Some(1),
            }),
            Call::Messages { after } => {
                let read = after.as_ref().map_or(0, |after| {
                    let at = self.messages.iter().position(|it| it.id == *after);
                    at.expect("only what was read is asked for") + 1
                });
                Answer::Messages(Messages {
                    entities: self.messages[read..].to_vec(),
                    next: None,
                })
            }
            Call::Post(_) if self.is_over() => return Err(ended()),
            Call::Post(text) => {
                self.write("Ana", BodyType::Standard, Some(text), now);
                let id = self.messages.last().map(|it| it.id.clone());
                Answer::Posted(Reference {
                    id: id.unwrap_or_default(),
                })
            }
            Call::EstimatedWait(_) => Answer::EstimatedWait(None),
            Call::Typing | Call::SetAttributes(_) => Answer::Done,
            Call::Leave if self.is_over() => return Err(ended()),
            Call::Leave => {
                self.end(now);
                Answer::Done
            }
        })
    }

    fn lost(_: &Call) -> Self::Answer {
        let why = "broken".to_owned();
        Err(Failure::Unknown { why })
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
        self.protocol = Protocol::resume(site(), handoff(), state, now);
        self.protocol.event(now, Event::Listening);
    }

    fn user_said(&self) -> Vec<String> {
        let ours = |it: &&Message| it.sender.id == OURS && it.body_type == BodyType::Standard;
        let ours = self.messages.iter().filter(ours);
        ours.filter_map(|it| it.body.clone()).collect()
    }
}

/// The refusal of a chat that is over (PROTOCOLS 2.6).
fn ended() -> Failure {
    let body = br#"{"code":"chat.error.conversation.state","message":"ended","status":400}"#;
    let correlation = crate::platform::Correlation::default();
    Failure::Refused(super::trouble::Refusal::new(400, correlation, body))
}

#[test]
fn an_agent_closes_in_every_order() {
    every_order::<Chat>(&story::CLOSE);
}

#[test]
fn a_decline_is_no_close_in_any_order() {
    every_order::<Chat>(&story::DECLINE);
}

#[test]
fn a_transfer_to_an_agent_is_no_close_in_any_order() {
    every_order::<Chat>(&story::TO_AN_AGENT);
}

#[test]
fn a_transfer_to_a_queue_is_no_close_in_any_order() {
    sampled::<Chat>(&story::TO_A_QUEUE);
}

#[test]
fn everything_at_once_comes_to_one_end() {
    sampled::<Chat>(&story::EVERYTHING);
}

#[test]
fn whatever_never_comes_or_comes_twice_the_end_is_told_once() {
    every_loss::<Chat>(&story::CLOSE);
    every_loss::<Chat>(&story::DECLINE);
}

#[test]
fn a_platform_that_gives_up_is_an_error_only_if_nobody_answered() {
    every_order::<Chat>(&story::NOBODY);
    every_order::<Chat>(&story::TIMEOUT);
}

#[test]
fn the_user_leaves_in_every_order() {
    every_order::<Chat>(&story::LEAVES);
    every_order::<Chat>(&story::LEAVES_THE_QUEUE);
}

#[test]
fn c8_both_sides_write_and_end_it_at_once_in_every_order() {
    every_order::<Chat>(&story::BOTH_CLOSE);
    every_loss::<Chat>(&story::BOTH_CLOSE);
}
