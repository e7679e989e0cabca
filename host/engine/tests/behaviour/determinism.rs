//! The same input to the same session gives the same turn, byte for byte: what replay stands on.

use crate::support::{Sample, Talk};
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::Tally;
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::session::{Exchanges, Input, InputKind, Refusal};
use serde_json::{Value, json};
use std::sync::Arc;

fn project() -> Sample {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "Your name?", "saveTo": "name"}, "to": {"next": "set"}},
        "set": {"type": "setContext", "config": {"values": {"b": [1, 2.5], "a": {"z": 1, "y": "{{ context.name }}"}}}, "to": {"next": "tell"}},
        "tell": {"type": "setExternalSessionAttributes", "config": {"attributes": {"Zip": "1", "Name": "{{ context.name }}"}}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"queue": "Support", "resumeBot": true, "noAgentTimeout": 60}, "to": {"completed": "ask"}},
    });
    Sample::main("ask", nodes)
}

/// Every turn of a conversation through all kinds of owners, as JSON.
async fn conversation(mut talk: Talk) -> Vec<String> {
    let mut turns = vec![talk.start().await, talk.user("Ana").await];
    turns.push(talk.queued().await);
    turns.push(talk.joined("Kim").await);
    turns.push(talk.agent_says("Kim", "Hello").await);
    turns.push(talk.user("Hi").await);
    turns.push(talk.end(HandoffEnd::agent_left()).await);
    turns
        .iter()
        .map(|turn| serde_json::to_string(turn).expect("is JSON"))
        .collect()
}

#[tokio::test]
async fn the_same_conversation_twice_gives_equal_bytes() {
    let first = conversation(project().talk().await).await;
    let second = conversation(project().talk().await).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_session_read_back_from_json_goes_on_the_same() {
    let mut kept = project().talk().await;
    kept.start().await;
    let mut restored = Talk::new(Arc::clone(&kept.project));
    let text = serde_json::to_string(&kept.session).expect("is JSON");
    let input = Input {
        id: "in-x".into(),
        kind: InputKind::UserMessage(UserMessage::text("Ana".to_owned())),
    };
    restored.session = serde_json::from_str(&text).expect("reads back");
    let mut turns = Vec::new();
    for talk in [&kept, &restored] {
        let turn = handoff_engine::advance(&talk.project, &talk.session, &input, talk.now).await;
        turns.push(serde_json::to_value(turn.expect("is taken")).expect("is JSON"));
    }
    assert_eq!(turns[0], turns[1]);
}

#[tokio::test]
async fn ids_of_effects_and_handoffs_tell_session_and_revision() {
    let mut talk = project().talk().await;
    talk.start().await;
    let turn = talk.user("Ana").await;
    let effects = serde_json::to_value(&turn.effects).expect("is JSON");
    let ids: Vec<&Value> = effects
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert!(
        ids.iter()
            .all(|id| id.as_str().is_some_and(|id| id.starts_with("s/2/"))),
        "{ids:?}"
    );
    assert_eq!(
        talk.handoff().as_str().rsplit_once('/').map(|it| it.0),
        Some("s/2")
    );
    assert_eq!(talk.handoff().session().as_str(), "s");
}

#[tokio::test]
async fn a_session_stays_with_the_version_of_the_project_it_began_with() {
    let mut talk = project().talk().await;
    talk.start().await;
    let other = project().top("inactivity = '31m'").load().await;
    let input = Input {
        id: "in-x".into(),
        kind: InputKind::UserLeft,
    };
    let refusal = handoff_engine::advance(&other, &talk.session, &input, talk.now).await;
    let refusal = refusal.expect_err("refused");
    assert_eq!(refusal.code(), "session.other_project");
    assert_eq!(
        refusal,
        Refusal::OtherProject {
            pinned: talk.project.digest().to_owned()
        }
    );
}

#[tokio::test]
async fn the_same_files_have_the_same_digest_and_scenarios_do_not_count() {
    assert_eq!(
        project().load().await.digest(),
        project().load().await.digest()
    );
}

#[tokio::test]
async fn a_repeated_signal_without_news_changes_the_handle_only() {
    let mut talk = project().talk().await;
    talk.start().await;
    talk.user("Ana").await;
    let handoff = talk.handoff();
    let kind = InputKind::Signal {
        handoff,
        signal: None,
        handle: json!({"position": 7}),
        tally: Tally::default(),
        exchanges: Exchanges::default(),
    };
    let turn = talk.input(kind).await;
    assert!(turn.journal.is_empty() && turn.effects.is_empty());
    assert_eq!(
        talk.session.handoff().expect("open").handle,
        json!({"position": 7})
    );
    talk.signal(Signal::Typing { on: true }).await;
}
