//! The ways in which a session comes to its end, and what is refused afterwards.

use crate::support::{Sample, Talk, agent, entries, told};
use handoff_engine::advance::MAX_STEPS;
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::Signal;
use handoff_engine::session::{CloseReason, DeadlineKind, Entry, InputKind, Refusal, Status};
use serde_json::json;

fn hello() -> Sample {
    Sample::main(
        "ask",
        json!({"ask": {"type": "ask", "config": {"text": "Hello"}}}),
    )
}

#[tokio::test]
async fn a_flow_that_reaches_its_end_closes_the_session() {
    let nodes = json!({"bye": {"type": "end", "config": {"text": "Goodbye!"}}});
    let mut talk = Sample::main("bye", nodes).talk().await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["main: Goodbye!", "close Completed"]);
    assert!(turn.deadlines.is_empty());
}

#[tokio::test]
async fn a_user_who_leaves_a_bot_closes_the_session() {
    let mut talk = hello().talk().await;
    talk.start().await;
    let turn = talk.leave().await;
    assert_eq!(told(&turn), ["close UserLeft"]);
    assert!(matches!(
        talk.session.status,
        Status::Closed {
            reason: CloseReason::UserLeft,
            ..
        }
    ));
}

#[tokio::test]
async fn a_circle_in_which_nobody_waits_is_stopped() {
    let nodes = json!({
        "a": {"type": "branch", "config": {"when": "true"}, "to": {"true": "b"}},
        "b": {"type": "branch", "config": {"when": "false"}, "to": {"false": "a"}},
    });
    let mut talk = Sample::main("a", nodes).talk().await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["close Error"]);
    let steps = entries(&turn, |entry| {
        matches!(entry, Entry::Stepped { .. }).then_some(())
    });
    assert_eq!(steps.len(), MAX_STEPS);
    assert_eq!(talk.error().0, "flow.loop");
    insta::assert_snapshot!(talk.error().1);
}

#[tokio::test]
async fn bots_that_push_each_other_for_ever_are_stopped_too() {
    let nodes = json!({"push": {"type": "pushBotSoStack", "config": {"bot": "main"}}});
    let mut talk = Sample::main("push", nodes).talk().await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["close Error"]);
    assert_eq!(talk.error().0, "flow.loop");
}

#[tokio::test]
async fn a_closed_session_takes_no_message() {
    let mut talk = hello().talk().await;
    talk.start().await;
    talk.leave().await;
    let text = "hello?".to_owned();
    let refusal = talk
        .try_input(InputKind::UserMessage(UserMessage::text(text)))
        .await;
    assert_eq!(refusal.err(), Some(Refusal::Closed));
}

#[tokio::test]
async fn nothing_that_comes_after_the_end_has_an_effect() {
    let mut talk = hello().talk().await;
    talk.start().await;
    talk.leave().await;
    for kind in [
        InputKind::UserLeft,
        InputKind::UserTyping { on: true },
        InputKind::Due(DeadlineKind::Inactivity),
        InputKind::Due(DeadlineKind::Node),
    ] {
        let turn = talk.input(kind).await;
        assert_eq!(told(&turn), Vec::<String>::new());
        assert!(matches!(turn.journal[..], [Entry::Ignored { .. }]));
    }
    let joined = Signal::AgentJoined {
        agent: agent("Kim"),
    };
    let turn = talk.signal_of("s/1/1".into(), joined).await;
    assert_eq!(
        turn.journal,
        [Entry::Late {
            handoff: "s/1/1".into(),
            told: false,
        }]
    );
}

#[tokio::test]
async fn a_session_is_started_once_and_before_anything_else() {
    let mut talk: Talk = hello().talk().await;
    let started = InputKind::Started {
        bot: None,
        channel: None,
    };
    for early in [InputKind::UserLeft, InputKind::UserTyping { on: true }] {
        assert_eq!(talk.try_input(early).await.err(), Some(Refusal::Started));
    }
    talk.start().await;
    assert_eq!(
        talk.try_input(started.clone()).await.err(),
        Some(Refusal::Started)
    );
    talk.leave().await;
    assert_eq!(talk.try_input(started).await.err(), Some(Refusal::Started));
}

#[tokio::test]
async fn a_bot_nobody_defined_cannot_be_talked_to() {
    let mut talk = hello().talk().await;
    let started = InputKind::Started {
        bot: Some("mian".into()),
        channel: None,
    };
    let refusal = talk.try_input(started).await.expect_err("refused");
    assert_eq!(refusal.code(), "bot.unknown");
    assert_eq!(refusal.to_string(), "the project has no bot 'mian'");
}
