//! One story each.

use super::super::protocol::Event;
use super::bench::{Bench, Fate, PLAIN, effect, request, site};
use super::centre::{Centre, Ways};
use crate::transport::Command;
use handoff_engine::account::SecondHandoff;
use handoff_engine::content::{Attachment, Choice, ChoiceKind, Receipt, UserMessage};
use handoff_engine::handoff::{SessionEndReason, Signal};
use handoff_engine::name::InputId;
use handoff_engine::time::Millis;
use serde_json::json;
use std::collections::BTreeMap;

fn soon() -> Millis {
    Millis::from_secs(10)
}

#[test]
fn the_first_thing_sent_carries_every_attribute_and_later_ones_ride_on_the_next() {
    let mut bench = Bench::opened(PLAIN);
    assert_eq!(bench.centre.attributes[0]["QueueName"], "Support");
    let more = BTreeMap::from([("mood".to_owned(), "fine".to_owned())]);
    bench.command(Command::SetAttributes(more.clone()));
    bench.say(1, "And now?");
    bench.run_for(soon());
    bench.say(2, "Hello?");
    bench.run_for(soon());
    assert_eq!(bench.centre.attributes[1..], [more, BTreeMap::new()]);

    let bench = Bench::opened(Ways {
        auto_start: true,
        ..PLAIN
    });
    assert_eq!(bench.centre.attributes.len(), 2);
    assert_eq!(bench.centre.attributes[0], bench.centre.attributes[1]);
}

#[test]
fn an_echo_is_the_receipt_and_a_long_text_gets_one() {
    let mut bench = Bench::opened(PLAIN);
    bench.say(1, &"long ".repeat(2000));
    bench.run_for(soon());
    let receipts: Vec<_> = bench
        .seen
        .iter()
        .filter_map(|signal| match signal {
            Signal::Receipt { message, receipt } => Some((message.clone(), *receipt)),
            _ => None,
        })
        .collect();
    assert_eq!(receipts, [(InputId::new("i1"), Receipt::Delivered)]);
    assert_eq!(bench.centre.user_said().len(), 4);
    assert_eq!(bench.settled, [effect(1)]);
}

#[test]
fn a_lost_echo_is_made_good_by_the_history_before_it_holds_up_what_is_said_next() {
    let mut bench = Bench::opened(PLAIN);
    bench.say(1, "one");
    bench.say(2, "two");
    while bench.centre.user_said().len() < 2 {
        bench.step(Fate::Fine);
    }
    bench.centre.mail.clear();
    bench.run_for(Millis::from_secs(4));
    assert_eq!(bench.centre.user_said(), ["Help", "one", "two"]);
    assert_eq!(bench.settled, [effect(1), effect(2)]);
}

#[test]
fn files_and_choices_go_as_what_they_are() {
    let mut bench = Bench::opened(PLAIN);
    let file = |name: &str| Attachment {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        url: name.to_owned(),
        size: Some(3),
    };
    bench.say_message(
        1,
        UserMessage {
            text: "Look".to_owned(),
            attachments: vec![file("a.png"), file("b.exe")],
            choice: None,
        },
    );
    bench.say_message(
        2,
        UserMessage {
            text: "Yes".to_owned(),
            choice: Some(Choice {
                kind: ChoiceKind::QuickReply,
                payload: "YES".to_owned(),
                message: "m".to_owned(),
            }),
            ..UserMessage::default()
        },
    );
    bench.run_for(soon());
    assert_eq!(bench.centre.user_said(), ["Help", "Look", "<file>", "YES"]);
    assert_eq!(bench.notices(), ["genesys.file_type_refused"]);
    assert_eq!(bench.settled, [effect(1), effect(2)]);
}

#[test]
fn a_second_handoff_of_a_session_resumes_it_and_tells_only_what_nobody_has_told() {
    let centre = Centre::new(PLAIN);
    let mut bench = Bench::at(site(SecondHandoff::Resume), centre, "s/1/0");
    bench.run_for(soon());
    let now = bench.now;
    bench.centre.says("Kim", "Hello", now);
    bench.run_for(soon());
    bench.command(Command::Leave);
    bench.run_for(soon());
    assert_eq!(
        bench.end().map(|end| end.reason),
        Some(SessionEndReason::UserLeft)
    );
    assert_eq!(bench.notices(), ["genesys.customer_not_disconnected"]);
    let now = bench.now;
    bench.centre.says("Kim", "Solved!", now);

    let mut bench = bench.again("s/9/0");
    bench.run_for(soon());
    assert_eq!(bench.heard(), ["Solved!"]);
    assert_eq!(bench.joined(), Vec::<String>::new());
    let said = bench.centre.user_said();
    assert_eq!(said.len(), 3, "{said:?}");
    let now = bench.now;
    bench.centre.says("Kim", "Again?", now);
    bench.run_for(soon());
    assert_eq!(bench.heard(), ["Solved!", "Again?"]);
    assert_eq!(bench.joined(), ["Kim"]);
    // And a look at the whole history tells nothing twice.
    bench.run_for(Millis::from_mins(5));
    assert_eq!(bench.heard(), ["Solved!", "Again?"]);
}

#[test]
fn a_session_that_takes_no_more_or_has_expired_is_begun_anew() {
    for expired in [false, true] {
        let centre = Centre::new(PLAIN);
        let mut bench = Bench::at(site(SecondHandoff::Resume), centre, "s/1/0");
        bench.run_for(soon());
        let now = bench.now;
        bench.centre.close(now);
        bench.run_for(soon());
        assert_eq!(
            bench.end().map(|end| end.reason),
            Some(SessionEndReason::AgentLeft)
        );
        bench.centre.session().expired = expired;
        let mut bench = bench.again("s/9/0");
        bench.run_for(soon());
        assert_eq!(bench.end(), None, "expired {expired}");
        assert_eq!(bench.centre.user_said(), ["Help"]);
    }
}

#[test]
fn a_handoff_opened_again_before_it_could_report_finds_its_own_words() {
    for second in [SecondHandoff::StartNew, SecondHandoff::Resume] {
        let mut bench = Bench::at(site(second), Centre::new(PLAIN), "s/1/0");
        bench.run_for(soon());
        let now = bench.now;
        bench.centre.says("Kim", "Hello", now);
        let mut bench = bench.again("s/1/0");
        bench.run_for(soon());
        assert_eq!(bench.centre.user_said(), ["Help"], "{second:?}");
        assert_eq!(bench.heard(), ["Hello"], "{second:?}");
        assert!(matches!(bench.seen[0], Signal::Opened { .. }));
    }
}

#[test]
fn a_session_that_goes_to_someone_else_or_expires_ends_in_words() {
    let ends = [
        ("ConnectionClosedEvent", "genesys.session_taken_over"),
        ("SessionExpiredEvent", "genesys.session_expired"),
        ("LogoutEvent", "genesys.signed_out"),
    ];
    for (class, code) in ends {
        let mut bench = Bench::opened(PLAIN);
        let frame = json!({"class": class, "code": 200, "body": {}});
        bench.event(Event::Frame(frame.to_string()));
        assert_eq!(bench.error().as_deref(), Some(code));
    }
}

/// C21.
#[test]
fn a_session_found_read_only_while_writing_is_over() {
    let mut bench = Bench::opened(PLAIN);
    let now = bench.now;
    bench.centre.says("Kim", "Hello", now);
    bench.centre.close(now);
    bench.centre.mail.clear();
    bench.say(1, "Hm?");
    bench.run_for(soon());
    assert_eq!(bench.heard(), ["Hello"]);
    assert_eq!(
        bench.end().map(|end| end.reason),
        Some(SessionEndReason::AgentLeft)
    );
    assert_eq!(bench.notices(), ["genesys.message_not_delivered"]);
}

#[test]
fn messages_that_overtake_each_other_come_in_order_and_are_counted() {
    let mut bench = Bench::opened(PLAIN);
    for text in ["one", "two", "three"] {
        let now = bench.now;
        bench.centre.says("Kim", text, now);
        bench.now = bench.now + Millis(20);
    }
    bench.deliver(2, true);
    bench.deliver(1, false);
    bench.deliver(0, false);
    bench.run_for(soon());
    assert_eq!(bench.heard(), ["one", "two", "three"]);
    let tally = bench.protocol.state.talk().expect("open").order.tally();
    assert_eq!((tally.gaps, tally.repeats, tally.reorders), (0, 1, 2));
}

/// C20.
#[test]
fn an_end_without_an_id_is_the_same_end() {
    let mut bench = Bench::opened(PLAIN);
    let presence = json!({"eventType": "Presence", "presence": {"type": "Disconnect"}});
    let body = json!({"type": "Event", "direction": "Outbound", "events": [presence],
        "originatingEntity": "Human", "channel": {"from": {"nickname": "Kim"}}});
    let frame = json!({"class": "StructuredMessage", "code": 200, "body": body}).to_string();
    bench.event(Event::Frame(frame.clone()));
    bench.event(Event::Frame(frame));
    bench.run_for(soon());
    assert_eq!(bench.joined(), ["Kim"]);
    assert_eq!(
        bench.end().map(|end| end.reason),
        Some(SessionEndReason::AgentLeft)
    );
    bench.no_repeats();
}

#[test]
fn frames_nobody_understands_cost_nothing() {
    let mut bench = Bench::opened(PLAIN);
    for frame in [
        "",
        "null",
        "[]",
        "{\"class\":1,\"code\":\"x\"}",
        "{\"class\":\"Hologram\"}",
    ] {
        bench.event(Event::Frame(frame.to_owned()));
    }
    bench.run_for(soon());
    assert_eq!(bench.end(), None);
    assert_eq!(bench.notices(), Vec::<String>::new());
}

#[test]
fn what_was_said_before_goes_first() {
    let mut bench = Bench::new(PLAIN);
    let mut request = request();
    request.transcript = vec!["Ana: Hi".to_owned(), "Bot: Hello".to_owned()];
    bench.protocol = super::super::protocol::Protocol::open(
        bench.protocol.handoff.clone(),
        &request,
        bench.protocol.site.clone(),
        bench.now,
    );
    bench.run_for(soon());
    assert_eq!(bench.centre.user_said(), ["Ana: Hi\nBot: Hello", "Help"]);
    assert_eq!(bench.centre.attributes[0]["QueueName"], "Support");
}
