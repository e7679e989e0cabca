//! What goes beside short texts, and what is done without: openings that Genesys knows already,
//! conversations that may not be looked at, files, receipts, order.

use super::*;
use crate::platform::Correlation;
use crate::platform::inbound::InboundMessage;
use handoff_engine::content::Receipt;
use handoff_engine::handoff::Tally;

fn refusal(status: u16) -> Trouble {
    let correlation = Correlation::default();
    let (doing, code, message) = ("look", String::new(), "no".to_owned());
    Trouble::from(match status {
        403 => PlatformError::MissingPermission {
            doing,
            permissions: "conversation:message:view".to_owned(),
            correlation,
        },
        _ => PlatformError::Refused {
            doing,
            status,
            code,
            message,
            correlation,
        },
    })
}

impl Bench {
    /// Lets things go on, but refuses the calls that `which` picks.
    fn refuse_for(&mut self, span: Millis, status: u16, which: fn(&Call) -> bool) {
        let until = self.now + span;
        while self.now < until {
            match self.protocol.next(self.now) {
                Next::Call(call) if which(&call) => {
                    let answer = Err(refusal(status));
                    let news = self.protocol.answer(self.now, &call, answer);
                    self.take(news);
                }
                Next::Call(call) => {
                    let answer = Ok(self.centre.take(&call, self.now));
                    let news = self.protocol.answer(self.now, &call, answer);
                    self.take(news);
                }
                Next::Wait(at) => {
                    self.now = at.min(self.now + Millis::from_secs(1));
                    let news = self.protocol.woke(self.now);
                    self.take(news);
                }
                Next::Done => return,
            }
        }
    }

    fn codes(&self) -> Vec<&str> {
        let codes = self.seen.iter().filter_map(|signal| match signal {
            Signal::Notice { code, .. } => Some(code.as_str()),
            _ => None,
        });
        codes.collect()
    }

    fn webhook(&mut self, body: serde_json::Value) {
        let message = serde_json::from_value(body).expect("a webhook");
        self.event(Event::Heard(Box::new(message)));
    }
}

fn posts(bench: &mut Bench) -> InboundMessage {
    loop {
        match bench.protocol.next(bench.now) {
            Next::Call(Call::Post { message, .. }) => return *message,
            Next::Call(call) => {
                let answer = Ok(bench.centre.take(&call, bench.now));
                let news = bench.protocol.answer(bench.now, &call, answer);
                bench.take(news);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_opening_that_genesys_knows_is_not_said_again_and_what_follows_tells_the_conversation() {
    for next in [None, Some("Are you there?")] {
        let mut bench = Bench::new();
        let first = posts(&mut bench);
        bench.centre.take(
            &Call::Post {
                integration: "i".to_owned(),
                message: Box::new(first.clone()),
            },
            bench.now,
        );
        if let Some(next) = next {
            bench.say(0, &UserMessage::text(next));
        }
        let call = Call::Post {
            integration: "i".to_owned(),
            message: Box::new(first.clone()),
        };
        let news = bench.protocol.answer(bench.now, &call, Err(refusal(409)));
        bench.take(news);
        let second = posts(&mut bench);
        assert_ne!(second.message_id, first.message_id);
        assert_eq!(second.attributes, first.attributes);
        bench.run_for(Millis::from_secs(5));
        let neutral = "The user would like to talk to an agent.";
        let expected = ["Help", next.unwrap_or(neutral)];
        assert_eq!(bench.centre.user_said(), expected);
        let opened = Signal::Opened {
            conversation: Some("c".to_owned()),
        };
        assert!(bench.seen.contains(&opened));
    }
}

#[test]
fn a_conversation_that_may_not_be_looked_at_is_talked_in_until_it_may() {
    let mut bench = Bench::opened();
    bench.centre.act(0, bench.now);
    bench.centre.accept(bench.now);
    let look = |call: &Call| matches!(call, Call::Look { .. });
    bench.refuse_for(Millis::from_mins(1), 403, look);
    assert_eq!(bench.codes(), ["genesys.conversation_not_visible"]);
    bench.centre.says(bench.now);
    let mail = bench.centre.mail.remove(0);
    bench.event(Event::Heard(Box::new(mail)));
    bench.say(0, &UserMessage::text("Hi"));
    bench.refuse_for(Millis::from_mins(30), 403, look);
    assert_eq!(bench.joined(), ["Agent"]);
    assert_eq!(bench.heard().len(), 1);
    assert_eq!(bench.centre.user_said(), ["Help", "Hi"]);
    assert_eq!(bench.codes().len(), 1);
    bench.centre.close(bench.now);
    let topic = "v2.detail.events.conversation.{id}.acw".to_owned();
    bench.event(Event::Triggered { topic });
    assert_eq!(bench.end(), None);
    let topic = "v2.detail.events.conversation.{id}.customer.end".to_owned();
    bench.event(Event::Triggered { topic });
    assert_eq!(bench.end(), Some(SessionEndReason::AgentLeft));
}

#[test]
fn the_user_can_leave_a_conversation_that_may_not_be_looked_at() {
    let mut bench = Bench::new();
    let look = |call: &Call| matches!(call, Call::Look { .. });
    bench.refuse_for(Millis::from_mins(1), 403, look);
    bench.command(Command::Leave);
    bench.refuse_for(Millis::from_mins(1), 403, look);
    assert_eq!(bench.end(), Some(SessionEndReason::UserLeft));
}

#[test]
fn a_file_against_the_policy_is_noted_and_what_comes_with_it_goes() {
    let mut bench = Bench::opened();
    let message = UserMessage {
        attachments: vec![file("a.exe"), file("b.png")],
        ..UserMessage::text("Look")
    };
    bench.say(0, &message);
    bench.run_for(Millis::from_secs(5));
    assert_eq!(bench.centre.user_said(), ["Help", "Look", "b.png"]);
    assert_eq!(bench.codes(), ["genesys.file_type_refused"]);
    assert_eq!(bench.settled, [effect(0)]);
}

#[test]
fn receipts_lead_to_the_users_message_whichever_id_they_name() {
    let mut bench = Bench::opened();
    bench.say(0, &UserMessage::text("Hi"));
    bench.run_for(Millis::from_secs(5));
    let id = bench.centre.texts.last().expect("a text").0.clone();
    for status in ["Sent", "Delivered", "Delivered", "Read"] {
        bench.webhook(json!({"id": id, "type": "Receipt", "status": status}));
    }
    bench.webhook(json!({"id": "of nothing", "type": "Receipt", "status": "Read"}));
    let receipts: Vec<_> = bench
        .seen
        .iter()
        .filter_map(|signal| match signal {
            Signal::Receipt { message, receipt } => Some((message.as_str(), *receipt)),
            _ => None,
        })
        .collect();
    let expected = [("input/0", Receipt::Delivered), ("input/0", Receipt::Read)];
    assert_eq!(receipts, expected);
}

#[test]
fn messages_that_overtake_each_other_are_told_in_order_and_counted() {
    let mut bench = Bench::opened();
    bench.centre.act(0, bench.now);
    bench.centre.accept(bench.now);
    bench.run_for(Millis::from_secs(10));
    bench.centre.says(bench.now);
    bench.now = bench.now + Millis(20);
    bench.centre.says(bench.now);
    let mail = std::mem::take(&mut bench.centre.mail);
    let mut tally = Tally::default();
    for message in mail.into_iter().rev().flat_map(|it| [it.clone(), it]) {
        let news = bench
            .protocol
            .event(bench.now, Event::Heard(Box::new(message)));
        tally = news.tally.expect("a tally");
        bench.take(news);
    }
    bench.run_for(Millis::from_secs(5));
    let texts: Vec<_> = bench
        .seen
        .iter()
        .filter_map(|signal| match signal {
            Signal::Message { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, bench.centre.agents_said);
    assert_eq!((tally.repeats, tally.reorders), (2, 1));
}
