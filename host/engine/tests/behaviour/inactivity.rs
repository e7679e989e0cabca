//! How long a session may rest: the limit counts while a bot is in charge, never while an agent is.

use crate::support::{Sample, Talk, told};
use handoff_engine::handoff::HandoffEnd;
use handoff_engine::session::{DeadlineKind, InputKind};
use handoff_engine::time::Millis;
use serde_json::json;

async fn talk() -> Talk {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "Hello"}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"resumeBot": true}, "to": {"completed": "ask"}},
    });
    let mut talk = Sample::main("ask", nodes)
        .top("inactivity = '30m'")
        .talk()
        .await;
    talk.start().await;
    talk
}

#[tokio::test]
async fn a_bot_waits_for_thirty_minutes_and_no_longer() {
    let mut talk = talk().await;
    assert!(talk.pass(Millis(30 * 60_000 - 1)).await.is_empty());
    let turns = talk.pass(Millis(1)).await;
    assert_eq!(told(&turns[0]), ["close Inactivity"]);
}

#[tokio::test]
async fn an_agent_may_take_any_time() {
    let mut talk = talk().await;
    talk.user("hi").await;
    talk.joined("Kim").await;
    assert!(talk.session.deadlines().is_empty());
    assert!(talk.pass(Millis::from_mins(31)).await.is_empty());
    assert!(talk.session.is_open());
}

#[tokio::test]
async fn the_limit_counts_anew_once_the_bot_is_back() {
    let mut talk = talk().await;
    talk.pass(Millis::from_mins(29)).await;
    talk.user("hi").await;
    talk.pass(Millis::from_mins(29)).await;
    talk.end(HandoffEnd::agent_left()).await;
    assert!(talk.pass(Millis::from_mins(29)).await.is_empty());
    let turns = talk.pass(Millis::from_mins(1)).await;
    assert_eq!(told(&turns[0]), ["close Inactivity"]);
}

#[tokio::test]
async fn it_counts_anew_after_the_user_left_the_agent_too() {
    let mut talk = talk().await;
    talk.user("hi").await;
    talk.pass(Millis::from_mins(45)).await;
    talk.leave().await;
    assert!(
        !talk.session.is_open(),
        "the flow wired no way on for a user who leaves"
    );
}

#[tokio::test]
async fn typing_is_no_activity() {
    let mut talk = talk().await;
    talk.pass(Millis::from_mins(29)).await;
    talk.input(InputKind::UserTyping { on: true }).await;
    let turns = talk.pass(Millis::from_mins(1)).await;
    assert_eq!(told(&turns[0]), ["close Inactivity"]);
}

#[tokio::test]
async fn a_deadline_that_was_moved_does_nothing() {
    let mut talk = talk().await;
    talk.pass(Millis::from_mins(29)).await;
    let turn = talk.input(InputKind::Due(DeadlineKind::Inactivity)).await;
    assert_eq!(told(&turn), Vec::<String>::new());
    assert!(talk.session.is_open());
    let turn = talk.input(InputKind::Due(DeadlineKind::NoAgent)).await;
    assert_eq!(told(&turn), Vec::<String>::new());
}
