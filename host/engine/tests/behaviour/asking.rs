//! `ask`: another try, no answer in time, and what is kept.

use crate::support::{Sample, Talk, told};
use handoff_engine::content::UserMessage;
use handoff_engine::session::{InputKind, MAX_MESSAGE, Refusal};
use handoff_engine::time::Millis;
use serde_json::json;

async fn talk() -> Talk {
    let nodes = json!({
        "ask": {
            "type": "ask",
            "config": {"text": "How old are you?", "retry": "A number, please.", "pattern": "number",
                       "saveTo": "age", "attempts": 2, "timeout": 60},
            "to": {"next": "thanks", "noMatch": "pity", "timeout": "late"},
        },
        "thanks": {"type": "say", "config": {"text": "{{ context.age + 1 }} soon."}},
        "pity": {"type": "say", "config": {"text": "Never mind."}},
        "late": {"type": "say", "config": {"text": "Are you there?"}},
    });
    Sample::main("ask", nodes).talk().await
}

#[tokio::test]
async fn an_answer_that_fits_is_kept_with_its_type() {
    let mut talk = talk().await;
    assert_eq!(told(&talk.start().await), ["main: How old are you?"]);
    let turn = talk.user("36").await;
    assert_eq!(told(&turn), ["main: 37 soon.", "close Completed"]);
    assert_eq!(talk.context("age"), json!(36));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_may_be_tried_again() {
    let mut talk = talk().await;
    talk.start().await;
    assert_eq!(told(&talk.user("old").await), ["main: A number, please."]);
    assert_eq!(
        told(&talk.user("36").await),
        ["main: 37 soon.", "close Completed"]
    );
}

#[tokio::test]
async fn the_last_attempt_that_does_not_fit_leaves_by_no_match() {
    let mut talk = talk().await;
    talk.start().await;
    talk.user("old").await;
    let turn = talk.user("very old").await;
    assert_eq!(told(&turn), ["main: Never mind.", "close Completed"]);
    assert_eq!(talk.context("age"), json!(null));
}

#[tokio::test]
async fn no_answer_in_time_leaves_by_timeout() {
    let mut talk = talk().await;
    talk.start().await;
    assert!(talk.pass(Millis(59_999)).await.is_empty());
    let turns = talk.pass(Millis(1)).await;
    assert_eq!(told(&turns[0]), ["main: Are you there?", "close Completed"]);
}

#[tokio::test]
async fn each_attempt_has_its_own_time() {
    let mut talk = talk().await;
    talk.start().await;
    talk.pass(Millis::from_secs(50)).await;
    talk.user("old").await;
    assert!(talk.pass(Millis::from_secs(50)).await.is_empty());
    assert_eq!(
        told(&talk.user("36").await),
        ["main: 37 soon.", "close Completed"]
    );
}

#[tokio::test]
async fn a_message_longer_than_nodes_are_promised_is_refused() {
    let mut talk = talk().await;
    talk.start().await;
    let text = |bytes| InputKind::UserMessage(UserMessage::text("x".repeat(bytes)));
    let refusal = talk.try_input(text(MAX_MESSAGE + 1)).await;
    assert_eq!(refusal.err(), Some(Refusal::TooLong { bytes: 16_385 }));
    assert!(talk.try_input(text(MAX_MESSAGE)).await.is_ok());
}
