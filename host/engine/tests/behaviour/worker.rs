//! ServisBOT worker bots: never talked to, only pushed, and they hand over at once.

use crate::support::{Sample, Talk, told};
use handoff_engine::handoff::HandoffEnd;
use handoff_engine::session::InputKind;
use serde_json::json;

fn flow() -> Sample {
    let nodes = json!({
        "set": {
            "type": "setContext",
            "config": {"values": {"nickname": "ana", "firstName": "Ana", "lastName": "Lima"}},
            "to": {"next": "push"},
        },
        "push": {"type": "pushBotSoStack", "config": {"bot": "worker"}, "to": {"next": "after", "error": "sorry"}},
        "after": {"type": "ask", "config": {"text": "{{ context.SessionEndReason }}"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }}: {{ error.message }}"}},
    });
    Sample::main("set", nodes)
}

async fn talk() -> Talk {
    flow().worker("worker", true, None).talk().await
}

#[tokio::test]
async fn a_worker_on_top_hands_over_to_the_site_in_its_own_file() {
    let mut talk = talk().await;
    assert_eq!(told(&talk.start().await), ["open any agent at worker"]);
    assert_eq!(talk.stack(), ["main", "worker"]);
    talk.joined("Kim").await;
    let turn = talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(told(&turn), ["main: AgentLeft"]);
}

#[tokio::test]
async fn users_cannot_talk_to_a_worker() {
    let mut talk = talk().await;
    let started = InputKind::Started {
        bot: Some("worker".into()),
        channel: None,
    };
    let refusal = talk.try_input(started).await.expect_err("refused");
    assert_eq!(refusal.code(), "bot.not_addressable");
    insta::assert_snapshot!(refusal);
}

#[tokio::test]
async fn a_disabled_worker_is_not_pushed() {
    let mut talk = flow().worker("worker", false, None).talk().await;
    assert_eq!(talk.project.warnings()[0].code, "worker.disabled");
    insta::assert_snapshot!(told(&talk.start().await).join("\n"));
    assert_eq!(talk.stack(), ["main"]);
}

#[tokio::test]
async fn a_slash_command_of_an_agent_is_not_for_the_user() {
    let mut talk = talk().await;
    talk.start().await;
    talk.joined("Kim").await;
    let turn = talk.agent_says("Kim", "/email now").await;
    let told = told(&turn);
    assert!(
        told.len() == 1 && told[0].starts_with("to agent: "),
        "{told:?}"
    );
    assert!(
        !talk
            .transcript()
            .iter()
            .any(|line| line.text.contains("/email"))
    );
    let turn = talk.agent_says("Kim", "/mailing lists are fine").await;
    assert_eq!(
        crate::support::told(&turn),
        ["agent Kim: /mailing lists are fine"]
    );
}
