//! The protocol against a server in a few lines: frames lost, doubled and out of order, answers lost,
//! hosts restarted, and every story agents can make up.

mod bench;
mod hall;
mod stories;

use super::protocol::{Call, Next};
use super::trouble::Failure;
use crate::transport::Command;
use bench::{Bench, Fate, effect, request};
use hall::{Hall, refused};
use handoff_engine::handoff::{HandoffEnd, SessionEndReason, Signal};
use handoff_engine::time::Millis;
use std::collections::BTreeMap;

#[test]
fn a_chat_is_told_from_the_queue_to_the_close() {
    let mut bench = Bench::answered();
    bench.happens(|hall| hall.says("Hello"));
    bench.settle();
    bench.say(2, "Hi");
    bench.settle();
    bench.happens(Hall::close);
    bench.settle();
    assert_eq!(
        bench.kinds(),
        [
            "opened", "queued", "alerting", "joined", "message", "receipt", "ended"
        ]
    );
    assert_eq!(bench.hall.user_said(), ["Hi"]);
    assert_eq!(bench.settled, [effect(2)]);
    assert_eq!(bench.end(), Some(&HandoffEnd::agent_left()));
}

#[test]
fn what_was_said_before_and_long_texts_go_in_pieces_that_fit_and_in_order() {
    let mut long = request();
    long.transcript = vec!["Ana: ".to_owned() + &"a ".repeat(3000), "Bot: b".to_owned()];
    long.opening_text = Some("c ".repeat(2500));
    let mut bench = Bench::new(&long);
    bench.start();
    let said = bench.hall.user_said();
    assert_eq!(said.len(), 4);
    assert!(said.iter().all(|text| text.chars().count() <= 4000));
    assert!(said[0].starts_with("Ana: a") && said[1].ends_with("Bot: b"));
    assert!(said[2].starts_with("c c") && said[3].ends_with('c'));
}

#[test]
fn nothing_is_said_before_genesys_routes_the_chat() {
    let mut opening = request();
    opening.opening_text = Some("help".to_owned());
    let mut bench = Bench::new(&opening);
    bench.pass(Millis::from_secs(30));
    assert!(bench.hall.user_said().is_empty());
    bench.listen();
    bench.settle();
    assert_eq!(bench.hall.user_said(), ["help"]);
}

#[test]
fn a_lost_answer_to_the_opening_asks_again() {
    let mut bench = Bench::new(&request());
    bench.step(Fate::LostOnTheWayBack);
    bench.settle();
    assert_eq!(bench.hall.created.len(), 2);
    assert_eq!(bench.kinds(), ["opened"]);
}

#[test]
fn a_chat_whose_stream_never_opens_is_given_up_in_words() {
    let mut bench = Bench::new(&request());
    bench.step(Fate::Fine);
    bench.deaf();
    bench.pass(Millis::from_mins(2));
    assert_eq!(bench.code(), Some("genesys.stream_unreachable"));
    let detail = bench.end().and_then(|end| end.detail.as_ref());
    let sentence = &detail.expect("a detail").message;
    assert!(
        sentence.contains("x.example") && !sentence.contains("/s"),
        "{sentence}"
    );
}

#[test]
fn a_queue_genesys_does_not_know_is_named() {
    let mut bench = Bench::new(&request());
    let Next::Call(call @ Call::Create(_)) = bench.protocol.next(bench.now) else {
        panic!("a chat")
    };
    bench.answer(&call, Err(refused(400, "chat.error.invalid.queue")));
    assert_eq!(bench.code(), Some("genesys.queue_not_visible"));
}

#[test]
fn an_expired_token_ends_the_handoff_and_what_is_lost_is_said() {
    let mut bench = Bench::answered();
    bench.say(2, "Are you there?");
    let Next::Call(call @ Call::Post(_)) = bench.protocol.next(bench.now) else {
        panic!("a text")
    };
    bench.answer(&call, Err(refused(401, "credentials.expired")));
    assert_eq!(bench.notices(), ["genesys.message_not_delivered"]);
    assert_eq!(bench.settled, [effect(2)]);
    assert_eq!(bench.code(), Some("genesys.chat_token_expired"));
}

#[test]
fn a_text_refused_because_the_agent_just_closed_ends_as_a_close() {
    let mut bench = Bench::answered();
    bench.happens(Hall::close);
    bench.hall.frames.clear();
    bench.say(2, "One more thing");
    bench.settle();
    assert_eq!(bench.notices(), ["genesys.message_not_delivered"]);
    assert_eq!(bench.end(), Some(&HandoffEnd::agent_left()));
}

#[test]
fn leaving_the_queue_deletes_the_member_and_says_nothing() {
    let mut bench = Bench::queued();
    bench.command(Command::Leave);
    bench.settle();
    assert!(bench.hall.is_over() && bench.hall.user_said().is_empty());
    assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
}

#[test]
fn an_agent_reads_the_farewell_before_the_user_is_gone() {
    let mut bench = Bench::answered();
    bench.say(2, "Thanks");
    bench.command(Command::Leave);
    bench.settle();
    assert_eq!(
        bench.hall.user_said(),
        ["Thanks", "The user has left the conversation."]
    );
    assert!(bench.hall.is_over());
    assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
    assert!(bench.notices().is_empty());
}

#[test]
fn leaving_before_the_chat_was_asked_for_asks_for_none() {
    let mut bench = Bench::new(&request());
    bench.command(Command::Leave);
    bench.settle();
    assert!(bench.hall.created.is_empty());
    assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
}

#[test]
fn a_user_whom_genesys_cannot_be_told_to_have_left_has_left_all_the_same() {
    let mut bench = Bench::queued();
    bench.command(Command::Leave);
    while bench.step(Fate::LostOnTheWayThere) {}
    assert_eq!(bench.notices(), ["genesys.customer_not_disconnected"]);
    assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
}

#[test]
fn a_chat_that_ends_before_anybody_answered_is_an_error() {
    let mut bench = Bench::queued();
    bench.happens(Hall::ring);
    bench.happens(Hall::decline);
    bench.happens(Hall::close);
    bench.settle();
    assert_eq!(bench.code(), Some("transfer.no_agent"));
}

#[test]
fn an_agent_who_leaves_the_user_behind_ends_nothing() {
    let mut bench = Bench::answered();
    bench.happens(Hall::departs);
    bench.settle();
    assert_eq!(bench.end(), None);
    assert_eq!(bench.kinds().last(), Some(&"left"));
    bench.happens(Hall::queue);
    bench.settle();
    assert_eq!(bench.kinds().last(), Some(&"queued"));
    bench.happens(Hall::close);
    bench.settle();
    let end = bench.end().expect("an end");
    assert_eq!(end.reason, SessionEndReason::AgentLeft);
    assert_eq!(bench.code(), Some("transfer.no_agent"));
}

#[test]
fn typing_shows_for_four_seconds_and_ours_is_shown_every_five() {
    let mut bench = Bench::answered();
    bench.happens(Hall::types);
    let before = bench.now;
    bench.deliver(&mut std::iter::empty());
    while bench.kinds().last() != Some(&"stopped") {
        assert!(bench.step(Fate::Fine));
    }
    assert_eq!(bench.now.since(before), Millis::from_secs(4));
    for _ in 0..3 {
        bench.command(Command::Typing { on: true });
        bench.pass(Millis::from_secs(2));
    }
    assert_eq!(bench.hall.typed, 1);
}

#[test]
fn the_systems_words_are_nobodys_and_unknown_kinds_are_said_to_be_simplified() {
    let mut bench = Bench::answered();
    bench.happens(|hall| hall.notes("notice", "You are next."));
    bench.happens(|hall| hall.notes("media-request", ""));
    bench.happens(|hall| hall.notes("hologram", "Look!"));
    bench.settle();
    assert_eq!(bench.heard(), ["You are next.", "Look!"]);
    let nobodys = |signal: &Signal| matches!(signal, Signal::Message { from: None, .. });
    assert!(bench.seen.iter().any(nobodys));
    assert_eq!(bench.notices(), ["genesys.content_simplified"; 2]);
}

#[test]
fn attributes_set_later_are_said_to_be_lost_without_an_oauth_client() {
    let mut bench = Bench::answered();
    let mood = BTreeMap::from([("mood".to_owned(), "fine".to_owned())]);
    bench.command(Command::SetAttributes(mood));
    bench.settle();
    assert_eq!(bench.notices(), ["genesys.attributes_not_delivered"]);
}

#[test]
fn attributes_set_before_the_chat_is_there_are_in_its_request() {
    let mut bench = Bench::new(&request());
    let mood = BTreeMap::from([("mood".to_owned(), "fine".to_owned())]);
    bench.command(Command::SetAttributes(mood));
    bench.start();
    assert_eq!(
        bench.hall.created[0]["memberInfo"]["customFields"]["mood"],
        "fine"
    );
}

#[test]
fn a_rate_limit_is_waited_out() {
    let mut bench = Bench::answered();
    bench.say(2, "Hi");
    let before = bench.now;
    bench.step(Fate::Limited);
    while bench.hall.user_said().is_empty() {
        assert!(bench.step(Fate::Fine));
    }
    let waited = bench.now.since(before);
    assert!(
        waited > Millis::from_secs(7) && waited <= Millis::from_secs(8),
        "{waited}"
    );
}

#[test]
fn five_minutes_without_a_stream_lose_nothing_and_are_said_once() {
    let mut bench = Bench::answered();
    bench.deaf();
    for n in 0..10 {
        bench.happens(|hall| hall.says(&format!("text {n}")));
        bench.pass(Millis::from_secs(30));
        bench.deaf();
    }
    let expected: Vec<_> = (0..10).map(|n| format!("text {n}")).collect();
    assert_eq!(bench.heard(), expected);
    assert_eq!(bench.notices(), ["genesys.events_unavailable"]);
    bench.listen();
    bench.happens(Hall::close);
    bench.settle();
    assert_eq!(bench.end(), Some(&HandoffEnd::agent_left()));
}

#[test]
fn a_server_out_of_reach_for_a_quarter_of_an_hour_is_given_up() {
    let mut bench = Bench::answered();
    let begun = bench.now;
    while bench.step(Fate::LostOnTheWayThere) {
        assert!(bench.now.since(begun) < Millis::from_mins(20));
    }
    assert_eq!(bench.code(), Some("genesys.unreachable"));
}

#[test]
fn a_chat_that_was_purged_is_an_error() {
    let mut bench = Bench::answered();
    loop {
        match bench.protocol.next(bench.now) {
            Next::Done => break,
            Next::Wait(_) => {
                bench.step(Fate::Fine);
            }
            Next::Call(call) => bench.answer(&call, Err(refused(404, "not.found"))),
        }
    }
    assert_eq!(bench.code(), Some("genesys.chat_gone"));
}

#[test]
fn repeats_and_gaps_are_counted_and_what_was_read_first_is_no_repeat() {
    let mut bench = Bench::answered();
    bench.happens(|hall| hall.says("a"));
    bench.happens(|hall| hall.says("b"));
    bench.deliver(&mut [bench::Way::Lost, bench::Way::Twice].into_iter());
    bench.settle();
    bench.happens(|hall| hall.says("c"));
    let late = std::mem::take(&mut bench.hall.frames);
    bench.pass(Millis::from_mins(3));
    bench.hall.frames = late;
    bench.settle();
    let mut heard = bench.heard();
    heard.sort_unstable();
    assert_eq!(heard, ["a", "b", "c"]);
    let tally = bench.protocol.chat().expect("open").order.tally();
    assert_eq!((tally.gaps, tally.repeats, tally.reorders), (1, 1, 0));
}

#[test]
fn what_cannot_be_asked_costs_a_name_and_not_a_message() {
    let mut bench = Bench::queued();
    bench.happens(Hall::ring);
    bench.happens(Hall::accept);
    bench.happens(|hall| hall.says("Hello"));
    bench.deliver(&mut std::iter::empty());
    for _ in 0..40 {
        match bench.protocol.next(bench.now) {
            Next::Call(call @ Call::Members { .. }) => {
                let why = "broken".to_owned();
                bench.answer(&call, Err(Failure::NotSent { why }));
            }
            _ => {
                bench.step(Fate::Fine);
            }
        }
    }
    assert_eq!(bench.heard(), ["Hello"]);
}
