//! A WebChat server in a few lines, with one chat in it, and what is under way from it to us.

use super::super::protocol::{Answer, Call};
use super::super::trouble::{Failure, Refusal};
use super::super::wire::{Frames, frame};
use crate::platform::Correlation;
use handoff_engine::time::Timestamp;
use serde_json::{Value, json};

/// The user's member.
pub(super) const USER: &str = "m0";

/// A server with one chat.
#[derive(Default)]
pub(super) struct Hall {
    members: Vec<Value>,
    messages: Vec<Value>,
    /// Frames that are under way, oldest first.
    pub(super) frames: Vec<Frames>,
    pub(super) created: Vec<Value>,
    pub(super) typed: usize,
    /// Whoever answered, in order.
    pub(super) joined: Vec<String>,
    /// What agents said, in order.
    pub(super) agents_said: Vec<String>,
    now: Timestamp,
}

impl Hall {
    /// Time goes by, also between two things that happen in the same instant of ours.
    pub(super) fn at(&mut self, now: Timestamp) {
        self.now = Timestamp(self.now.0 + 1).max(now);
    }

    fn push(&mut self, kind: &str, body: &Value) {
        let text = json!({
            "topicName": "v2.conversations.chats.c", "version": "2",
            "eventBody": body, "metadata": {"CorrelationId": "x", "type": kind},
        });
        let frame = frame(&text.to_string()).expect("our own frame");
        self.frames.push(frame);
    }

    fn put(&mut self, sender: &str, kind: &str, body: Option<&str>) -> String {
        let id = format!("t{}", self.messages.len());
        let message = json!({
            "id": id, "conversation": {"id": "c"}, "sender": {"id": sender}, "body": body,
            "bodyType": kind, "timestamp": self.now.to_iso(),
        });
        self.push("message", &message);
        self.messages.push(message);
        id
    }

    fn stands(&mut self, at: usize, state: &str) {
        self.members[at]["state"] = json!(state);
        if state == "DISCONNECTED" {
            self.members[at]["leaveDate"] = json!(self.now.to_iso());
        }
        let id = self.members[at]["id"].clone();
        let change = json!({"conversation": {"id": "c"}, "member": {"id": id, "state": state}});
        self.push("member-change", &change);
    }

    fn come(&mut self, role: &str, name: &str, state: &str) {
        let at = self.members.len();
        self.members.push(json!({
            "id": format!("m{at}"), "displayName": name, "role": role,
            "joinDate": self.now.to_iso(), "customFields": {},
        }));
        self.stands(at, state);
        if state == "CONNECTED" {
            self.put(&format!("m{at}"), "member-join", None);
        }
    }

    fn last(&self, role: &str, state: &str) -> Option<usize> {
        let is = |it: &Value| it["role"] == role && it["state"] == state;
        self.members.iter().rposition(is)
    }

    fn leaves(&mut self, role: &str, state: &str) -> bool {
        let Some(at) = self.last(role, state) else {
            return false;
        };
        self.stands(at, "DISCONNECTED");
        if state == "CONNECTED" {
            self.put(&format!("m{at}"), "member-leave", None);
        }
        true
    }

    pub(super) fn queue(&mut self) {
        self.come("ACD", "Support", "CONNECTED");
    }

    pub(super) fn ring(&mut self) {
        let name = format!("Agent {}", self.members.len());
        self.come("AGENT", &name, "ALERTING");
    }

    pub(super) fn accept(&mut self) {
        let Some(at) = self.last("AGENT", "ALERTING") else {
            return;
        };
        self.stands(at, "CONNECTED");
        self.put(&format!("m{at}"), "member-join", None);
        self.joined.push(
            self.members[at]["displayName"]
                .as_str()
                .expect("named")
                .to_owned(),
        );
        self.leaves("ACD", "CONNECTED");
    }

    pub(super) fn decline(&mut self) {
        self.leaves("AGENT", "ALERTING");
    }

    pub(super) fn departs(&mut self) {
        self.leaves("AGENT", "CONNECTED");
    }

    pub(super) fn says(&mut self, text: &str) {
        if let Some(at) = self.last("AGENT", "CONNECTED") {
            self.agents_said.push(text.to_owned());
            self.put(&format!("m{at}"), "standard", Some(text));
        }
    }

    pub(super) fn types(&mut self) {
        let sender = self.last("AGENT", "CONNECTED").expect("an agent");
        let id = format!("y{}", self.frames.len());
        let typing = json!({"id": id, "sender": {"id": format!("m{sender}")}});
        self.push("typing-indicator", &typing);
    }

    pub(super) fn notes(&mut self, kind: &str, text: &str) {
        let sender = self.members.len() - 1;
        self.put(&format!("m{sender}"), kind, Some(text));
    }

    /// The agent, or whoever, ends it.
    pub(super) fn close(&mut self) {
        while self.leaves("AGENT", "CONNECTED") || self.leaves("AGENT", "ALERTING") {}
        while self.leaves("ACD", "CONNECTED") {}
        self.leaves("CUSTOMER", "CONNECTED");
    }

    /// One thing the agent side does, whatever is possible.
    pub(super) fn act(&mut self, choice: u8) {
        let ringing = self.last("AGENT", "ALERTING").is_some();
        let talking = self.last("AGENT", "CONNECTED").is_some();
        match (ringing, talking, choice % 5) {
            (true, _, 0) => self.decline(),
            (true, ..) => self.accept(),
            (false, true, 0) => {
                self.departs();
                self.queue();
            }
            (false, true, 1) => {
                self.departs();
                self.ring();
            }
            (false, true, 2) => self.ring(),
            (false, true, _) => self.says(&format!("text {}", self.messages.len())),
            (false, false, _) => self.ring(),
        }
    }

    /// Whether an agent is connected.
    pub(super) fn is_talking(&self) -> bool {
        self.last("AGENT", "CONNECTED").is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        self.members
            .first()
            .is_some_and(|it| it["state"] == "DISCONNECTED")
    }

    pub(super) fn user_said(&self) -> Vec<&str> {
        let ours = |it: &&Value| it["sender"]["id"] == USER && it["bodyType"] == "standard";
        let texts = self.messages.iter().filter(ours);
        texts.filter_map(|it| it["body"].as_str()).collect()
    }

    /// Carries out a call.
    pub(super) fn take(&mut self, call: &Call) -> Result<Answer, Failure> {
        match call {
            Call::FindQueue(_) => Ok(Answer::Queue("q".to_owned())),
            Call::Create(create) => {
                self.created
                    .push(serde_json::to_value(create).expect("JSON"));
                if self.members.is_empty() {
                    self.come("CUSTOMER", "Ana", "CONNECTED");
                    // Nobody listens yet.
                    self.frames.clear();
                }
                let created = json!({"id": "c", "jwt": "secret", "eventStreamUri": "wss://x.example/s", "member": {"id": USER}});
                Ok(Answer::Created(Box::new(read(created))))
            }
            Call::Members { page } => {
                let at = usize::try_from(*page).expect("few") - 1;
                let pages = self.members.chunks(2).count();
                let entities = self.members.chunks(2).nth(at).unwrap_or_default();
                Ok(Answer::Members(read(
                    json!({"entities": entities, "pageCount": pages}),
                )))
            }
            Call::Messages { after } => {
                let from = match after {
                    None => 0,
                    Some(after) => self.place_of(after) + 1,
                };
                let rest = &self.messages[from..];
                let (page, more) = rest.split_at(rest.len().min(3));
                let next = (!more.is_empty()).then_some("/next");
                Ok(Answer::Messages(read(
                    json!({"entities": page, "next": next}),
                )))
            }
            Call::Post(_) if self.is_over() => Err(refused(400, "chat.error.conversation.state")),
            Call::Post(text) => {
                let id = self.put(USER, "standard", Some(text));
                Ok(Answer::Posted(read(json!({"id": id}))))
            }
            Call::Typing => {
                self.typed += 1;
                Ok(Answer::Done)
            }
            Call::Leave if self.is_over() => Err(refused(400, "chat.error.member.state")),
            Call::Leave => {
                self.close();
                Ok(Answer::Done)
            }
            Call::EstimatedWait(_) => Ok(Answer::EstimatedWait(None)),
            Call::SetAttributes(_) => Ok(Answer::Done),
        }
    }

    fn place_of(&self, message: &str) -> usize {
        let known = self.messages.iter().position(|it| it["id"] == message);
        known.expect("only what was read is read on from")
    }
}

/// A refusal in Genesys' form.
pub(super) fn refused(status: u16, code: &str) -> Failure {
    let body = json!({"code": code, "message": "No.", "status": status}).to_string();
    let correlation = Correlation::default();
    Failure::Refused(Refusal::new(status, correlation, body.as_bytes()))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("our own answer")
}
