//! With an OAuth client the conversation is found, looked at, and ended.

use super::super::protocol::Event;
use super::bench::{Bench, PLAIN, site};
use super::centre::Centre;
use crate::platform::conversations::{Participant, Purpose, Reference, State};
use crate::transport::Command;
use handoff_engine::account::SecondHandoff;
use handoff_engine::handoff::{SessionEndReason, Signal};
use handoff_engine::time::Millis;
use serde_json::json;
use std::sync::Arc;

fn participant(id: &str, purpose: Purpose, state: State) -> Participant {
    Participant {
        id: id.to_owned(),
        name: Some(id.to_owned()),
        purpose,
        state,
        user: (purpose == Purpose::Agent).then(|| Reference {
            id: Some(format!("u-{id}")),
            name: None,
        }),
        ..Participant::default()
    }
}

/// A bench with an OAuth client, and a customer to look at.
struct Followed(Bench);

impl Followed {
    fn new() -> Self {
        let mut site = site(SecondHandoff::StartNew);
        site.has_platform = true;
        let mut centre = Centre::new(PLAIN);
        let ana = participant("Ana", Purpose::Customer, State::Connected);
        centre.participants.push(ana);
        Self(Bench::at(site, centre, "s/1/0"))
    }

    fn run_for(&mut self, span: Millis) {
        self.0.run_for(span);
    }

    fn join(&mut self, name: &str, purpose: Purpose, state: State) {
        let mut joined = participant(name, purpose, state);
        if purpose == Purpose::Agent && state == State::Connected {
            joined.connected_time = Some(self.0.now);
        }
        self.0.centre.participants.push(joined);
    }

    /// The queue shows a conversation.
    fn show(&mut self, handoff: &str) {
        let snapshot = json!({"id": "c-1", "participants": [
            {"purpose": "acd", "attributes": null},
            {"purpose": "customer", "attributes": {"handoff.id": handoff}},
        ]});
        let snapshot = serde_json::from_value(snapshot).expect("a snapshot");
        self.0.event(Event::Seen(Arc::new(snapshot)));
    }

    fn kinds(&self) -> Vec<&'static str> {
        let kind = |signal: &Signal| match signal {
            Signal::Opened { .. } => "opened",
            Signal::Queued { .. } => "queued",
            Signal::QueuePosition { .. } => "wait",
            Signal::AgentAlerting { .. } => "alerting",
            Signal::AgentDeclined { .. } => "declined",
            Signal::AgentJoined { .. } => "joined",
            Signal::AgentLeft { .. } => "left",
            Signal::Message { .. } => "message",
            Signal::Ended(_) => "ended",
            _ => "other",
        };
        self.0.seen.iter().map(kind).collect()
    }
}

#[test]
fn agents_show_while_it_rings_and_when_they_decline_accept_and_close() {
    let mut it = Followed::new();
    it.run_for(Millis::from_secs(1));
    assert_eq!(it.0.centre.attributes, [], "waits for the queue's events");
    it.0.event(Event::Followed);
    it.run_for(Millis::from_secs(2));
    assert_eq!(it.0.centre.attributes[0]["handoff.id"], "s/1/0");
    it.show("s/2/0");
    assert_eq!(it.0.protocol.state.tracked.conversation, None);
    it.show("s/1/0");
    it.join("Support", Purpose::Acd, State::Connected);
    it.join("Kim", Purpose::Agent, State::Alerting);
    it.run_for(Millis::from_secs(5));
    it.0.centre.participants[2].state = State::Disconnected;
    it.join("Max", Purpose::Agent, State::Connected);
    it.0.event(Event::Changed);
    let now = it.0.now;
    it.0.centre.says("Max", "Hello", now);
    it.run_for(Millis::from_secs(5));
    assert_eq!(
        it.kinds(),
        [
            "opened", "queued", "alerting", "declined", "joined", "message"
        ]
    );
    it.0.centre.participants[3].state = State::Disconnected;
    it.0.centre.participants[0].state = State::Disconnected;
    it.0.event(Event::Changed);
    it.run_for(Millis::from_mins(1));
    assert_eq!(
        it.0.end().map(|end| end.reason),
        Some(SessionEndReason::AgentLeft)
    );
    it.0.no_repeats();
}

#[test]
fn a_user_who_leaves_takes_leave_and_is_disconnected() {
    let mut it = Followed::new();
    it.0.event(Event::Followed);
    it.run_for(Millis::from_secs(2));
    it.show("s/1/0");
    it.run_for(Millis::from_secs(2));
    it.0.command(Command::Leave);
    it.run_for(Millis::from_mins(1));
    assert_eq!(
        it.0.end().map(|end| end.reason),
        Some(SessionEndReason::UserLeft)
    );
    let said = it.0.centre.user_said();
    assert_eq!(said, ["Help", "The user has left the conversation."]);
    assert!(it.0.centre.disconnected);
    assert_eq!(it.0.notices(), Vec::<String>::new());
}

#[test]
fn what_an_agent_writes_while_the_user_is_disconnected_is_told_before_the_end() {
    let mut it = Followed::new();
    it.0.event(Event::Followed);
    it.run_for(Millis::from_secs(2));
    it.show("s/1/0");
    it.join("Kim", Purpose::Agent, State::Connected);
    it.run_for(Millis::from_secs(2));
    it.0.command(Command::Leave);
    while !it.0.centre.disconnected {
        it.run_for(Millis(1));
    }
    // Written just before, and lost.
    let now = it.0.now;
    it.0.centre.says("Kim", "Wait!", now);
    it.0.centre.mail.clear();
    it.run_for(Millis::from_secs(10));
    assert_eq!(it.0.heard(), ["Wait!"]);
    assert_eq!(
        it.0.end().map(|end| end.reason),
        Some(SessionEndReason::UserLeft)
    );
    it.0.no_repeats();
}

#[test]
fn an_agent_who_wrote_before_the_conversation_was_found_joins_once() {
    let mut it = Followed::new();
    it.0.event(Event::Followed);
    it.run_for(Millis::from_secs(2));
    let now = it.0.now;
    it.0.centre.says("Kim", "Hello", now);
    it.run_for(Millis::from_secs(2));
    it.join("Kim", Purpose::Agent, State::Connected);
    it.show("s/1/0");
    it.run_for(Millis::from_secs(2));
    assert_eq!(it.0.joined(), ["Kim"]);
}

#[test]
fn an_agents_last_words_come_before_it_is_told_to_have_gone() {
    let mut it = Followed::new();
    it.0.event(Event::Followed);
    it.run_for(Millis::from_secs(2));
    it.show("s/1/0");
    it.join("Kim", Purpose::Agent, State::Connected);
    it.run_for(Millis::from_secs(3));
    let now = it.0.now;
    it.0.centre.says("Kim", "I pass you on", now);
    it.0.deliver(0, false);
    // Another one comes and goes before anybody looks.
    it.0.centre.participants[1].state = State::Disconnected;
    it.0.centre.participants[1].disconnect_type = Some("transfer".to_owned());
    it.join("Max", Purpose::Agent, State::Connected);
    it.0.centre.participants[2].state = State::Disconnected;
    it.0.centre.participants[2].disconnect_type = Some("transfer".to_owned());
    it.0.centre.says("Max", "So do I", now);
    it.0.deliver(0, false);
    it.join("Lee", Purpose::Agent, State::Connected);
    it.0.event(Event::Changed);
    it.run_for(Millis::from_secs(5));
    assert_eq!(
        it.kinds(),
        [
            "opened", "joined", "message", "left", "joined", "message", "left", "joined"
        ]
    );
    assert_eq!(it.0.joined(), ["Kim", "Max", "Lee"]);
}

#[test]
fn an_agent_who_writes_under_another_name_is_heard_under_that_one() {
    let mut it = Followed::new();
    it.0.event(Event::Followed);
    it.run_for(Millis::from_secs(2));
    it.show("s/1/0");
    it.join("Kim Park", Purpose::Agent, State::Connected);
    it.run_for(Millis::from_secs(3));
    for text in ["Hello", "Still here"] {
        let now = it.0.now;
        it.0.centre.says("Kim from Sales", text, now);
        it.run_for(Millis::from_secs(3));
    }
    assert_eq!(it.0.heard(), ["Hello", "Still here"]);
    assert_eq!(it.0.joined(), ["Kim Park"]);
}
