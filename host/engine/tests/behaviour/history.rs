//! A session's record holds state; what was said is history, and is read only where it is asked for.

use crate::support::{Said, Sample, Talk, told};
use handoff_engine::session::{
    CloseReason, EffectKind, InputKind, MAX_TRANSCRIPT_LINES, SessionLimits, Speaker, Status,
};
use serde_json::json;
use std::sync::Arc;

async fn with_agent() -> Talk {
    let nodes = json!({
        "agent": {"type": "redirect", "config": {"transcript": "full"}},
    });
    let mut talk = Sample::main("agent", nodes).talk().await;
    talk.start().await;
    talk.joined("Kim").await;
    talk
}

fn size(talk: &Talk) -> usize {
    serde_json::to_vec(&talk.session).expect("is data").len()
}

#[tokio::test]
async fn a_session_is_as_large_after_two_thousand_messages_as_after_twenty() {
    let mut talk = with_agent().await;
    for _ in 0..10 {
        talk.user("Is anybody there, and when will my parcel come?")
            .await;
        talk.agent_says("Kim", "Tomorrow.").await;
    }
    let after_twenty = size(&talk);
    for _ in 0..990 {
        talk.user("Is anybody there, and when will my parcel come?")
            .await;
        talk.agent_says("Kim", "Tomorrow.").await;
    }
    assert_eq!(talk.session.lines, 2_000);
    let grown = size(&talk) - after_twenty;
    // Counters have more digits, and nothing else is more.
    assert!(grown < 20, "{grown} bytes");
}

#[tokio::test]
async fn an_open_handoff_does_not_carry_its_transcript_along() {
    let nodes = json!({
        "why": {"type": "ask", "config": {"text": "Why?"}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"transcript": "full"}},
    });
    let mut talk = Sample::main("why", nodes).talk().await;
    talk.start().await;
    let turn = talk.user("My bill is wrong").await;
    let sent = turn.effects.iter().find_map(|effect| match &effect.kind {
        EffectKind::OpenHandoff { request, .. } => Some(request.transcript.clone()),
        _ => None,
    });
    assert_eq!(sent, Some(vec!["main: Why?".to_owned()]));
    let open = talk.session.handoff().expect("is open");
    assert!(open.request.transcript.is_empty());
}

#[tokio::test]
async fn an_agent_reads_the_last_lines_of_a_long_conversation() {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "More?"}, "to": {"next": "if"}},
        "if": {"type": "branch", "config": {"when": "message.text == 'agent'"}, "to": {"true": "agent", "false": "ask"}},
        "agent": {"type": "redirect", "config": {"transcript": "full"}},
    });
    let mut talk = Sample::main("ask", nodes).talk().await;
    talk.start().await;
    for turn in 0..400 {
        talk.user(&format!("line {turn}")).await;
    }
    let turn = talk.user("agent").await;
    let sent = turn.effects.iter().find_map(|effect| match &effect.kind {
        EffectKind::OpenHandoff { request, .. } => Some(request.transcript.clone()),
        _ => None,
    });
    let sent = sent.expect("a handoff opens");
    // The user's last message opens the handoff.
    assert_eq!(sent.len(), MAX_TRANSCRIPT_LINES - 1);
    assert_eq!(sent.last().map(String::as_str), Some("main: More?"));
    assert!(sent.contains(&"User: line 399".to_owned()));
    assert!(!sent.contains(&"User: line 3".to_owned()));
}

#[tokio::test]
async fn a_transcript_that_cannot_be_read_makes_no_turn_and_loses_nothing() {
    let nodes = json!({
        "why": {"type": "ask", "config": {"text": "Why?"}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"transcript": {"last": 3}}},
    });
    let mut talk = Sample::main("why", nodes).talk().await;
    talk.start().await;
    let readable = std::mem::replace(
        &mut talk.said,
        Arc::new(Said {
            unreadable: true,
            ..Said::default()
        }),
    );
    let why = InputKind::UserMessage(handoff_engine::content::UserMessage::text("My bill"));
    let refusal = talk.try_input(why.clone()).await.expect_err("is refused");
    assert_eq!(refusal.code(), "session.history_unavailable");
    assert!(
        refusal.to_string().contains("the disk is gone"),
        "{refusal}"
    );
    talk.said = readable;
    let turn = talk.try_input(why).await.expect("is taken now");
    assert!(told(&turn)[0].starts_with("open "), "{:?}", told(&turn));
}

#[tokio::test]
async fn a_session_that_reaches_its_limit_closes_and_its_last_message_arrives() {
    for (limits, code) in [
        (
            SessionLimits {
                turns: 5,
                ..SessionLimits::default()
            },
            "session.too_many_turns",
        ),
        (
            SessionLimits {
                bytes: 30,
                ..SessionLimits::default()
            },
            "session.too_long",
        ),
    ] {
        let mut talk = with_agent().await;
        talk.limits = limits;
        let mut last = Vec::new();
        while talk.session.is_open() {
            last = told(&talk.user("0123456789").await);
        }
        assert_eq!(
            last,
            ["to agent: 0123456789", "leave handoff", "close Error"]
        );
        let Status::Closed {
            reason: CloseReason::Error(detail),
            ..
        } = &talk.session.status
        else {
            panic!("{:?}", talk.session.status);
        };
        assert_eq!(detail.code, code);
        assert_eq!(
            talk.transcript().last().map(|line| &line.speaker),
            Some(&Speaker::User)
        );
    }
}
