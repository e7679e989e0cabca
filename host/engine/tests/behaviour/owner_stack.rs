//! Who owns the session: bots pushed on bots, agents pushed on bots, and the way back.

use crate::support::{Sample, entries, told};
use handoff_engine::handoff::HandoffEnd;
use handoff_engine::session::{Entry, InputKind};
use serde_json::json;

fn main_pushes(bot: &str) -> Sample {
    let nodes = json!({
        "push": {"type": "pushBotSoStack", "config": {"bot": bot}, "to": {"next": "after", "error": "sorry"}},
        "after": {"type": "ask", "config": {"text": "Back again."}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }}"}},
    });
    Sample::main("push", nodes)
}

#[tokio::test]
async fn a_pushed_bot_owns_the_session_until_its_flow_ends() {
    let helper = json!({
        "ask": {"type": "ask", "config": {"text": "How can I help?"}, "to": {"next": "bye"}},
        "bye": {"type": "say", "config": {"text": "Glad I could."}},
    });
    let mut talk = main_pushes("helper")
        .flow("helper", "ask", helper)
        .talk()
        .await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["helper: How can I help?"]);
    assert_eq!(talk.stack(), ["main", "helper"]);
    let turn = talk.user("so").await;
    assert_eq!(told(&turn), ["helper: Glad I could.", "main: Back again."]);
    assert_eq!(talk.stack(), ["main"]);
    assert_eq!(talk.node(), "after");
}

#[tokio::test]
async fn a_pushed_bot_that_never_waits_comes_back_in_the_same_turn() {
    let helper = json!({"bye": {"type": "say", "config": {"text": "Done."}}});
    let mut talk = main_pushes("helper")
        .flow("helper", "bye", helper)
        .talk()
        .await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["helper: Done.", "main: Back again."]);
}

#[tokio::test]
async fn the_stack_grows_by_one_with_an_agent_and_shrinks_by_one_at_the_end() {
    let mut talk = main_pushes("worker")
        .worker("worker", true, Some("cloud"))
        .talk()
        .await;
    let turn = talk.start().await;
    assert_eq!(stacks(&turn), [vec!["main"], vec!["main", "worker"]]);
    assert_eq!(told(&turn), ["open any agent at cloud"]);
    talk.joined("Kim").await;
    let turn = talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(stacks(&turn), [vec!["main"]]);
    assert_eq!(told(&turn), ["main: Back again."]);
    assert_eq!(talk.node(), "after");
}

/// Every stack a turn went through.
fn stacks(turn: &handoff_engine::session::Turn) -> Vec<Vec<String>> {
    entries(turn, |entry| match entry {
        Entry::Pushed { stack } | Entry::Popped { stack } => Some(stack.clone()),
        _ => None,
    })
}

#[tokio::test]
async fn a_bot_that_pushes_a_bot_that_hands_over_gets_the_session_back_last() {
    let helper = json!({
        "agent": {"type": "redirect", "config": {"queue": "Support", "resumeBot": true}, "to": {"completed": "bye"}},
        "bye": {"type": "say", "config": {"text": "Agent gone."}},
    });
    let mut talk = main_pushes("helper")
        .flow("helper", "agent", helper)
        .talk()
        .await;
    talk.start().await;
    assert_eq!(talk.stack(), ["main", "helper", "agent"]);
    talk.joined("Kim").await;
    assert_eq!(talk.stack(), ["main", "helper", "agent Kim"]);
    let turn = talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(told(&turn), ["helper: Agent gone.", "main: Back again."]);
    assert_eq!(talk.stack(), ["main"]);
}

#[tokio::test]
async fn without_resume_the_agents_end_closes_the_session_with_all_its_owners() {
    let helper = json!({"agent": {"type": "redirect", "config": {"queue": "Support"}}});
    let mut talk = main_pushes("helper")
        .flow("helper", "agent", helper)
        .talk()
        .await;
    talk.start().await;
    talk.joined("Kim").await;
    let turn = talk.end(HandoffEnd::agent_left()).await;
    assert_eq!(told(&turn), ["close AgentLeft"]);
    assert_eq!(talk.stack(), Vec::<String>::new());
}

#[tokio::test]
async fn a_message_goes_to_the_owner_on_top_and_to_nobody_else() {
    let helper = json!({
        "ask": {"type": "ask", "config": {"saveTo": "helper"}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"queue": "Support", "resumeBot": true}},
    });
    let mut talk = main_pushes("helper")
        .flow("helper", "ask", helper)
        .talk()
        .await;
    talk.start().await;
    talk.user("to the helper").await;
    let turn = talk.user("to the agent").await;
    assert_eq!(told(&turn), ["to agent: to the agent"]);
    talk.joined("Kim").await;
    talk.end(HandoffEnd::agent_left()).await;
    talk.user("to main").await;
    assert_eq!(talk.context("helper"), json!("to the helper"));
    assert_eq!(
        talk.transcript().len(),
        4,
        "three of the user's, one of main's"
    );
}

#[tokio::test]
async fn typing_reaches_an_agent_and_no_bot() {
    let mut talk = main_pushes("worker")
        .worker("worker", true, Some("cloud"))
        .talk()
        .await;
    talk.start().await;
    let turn = talk.input(InputKind::UserTyping { on: true }).await;
    assert_eq!(told(&turn), ["user types: true"]);
    talk.end(HandoffEnd::user_left()).await;
    let turn = talk.input(InputKind::UserTyping { on: true }).await;
    assert_eq!(told(&turn), Vec::<String>::new());
}

#[tokio::test]
async fn the_end_node_of_a_pushed_bot_ends_that_bot_and_not_the_session() {
    let helper = json!({"bye": {"type": "end", "config": {"text": "Done."}}});
    let mut talk = main_pushes("helper")
        .flow("helper", "bye", helper)
        .talk()
        .await;
    let turn = talk.start().await;
    assert_eq!(told(&turn), ["helper: Done.", "main: Back again."]);
    assert_eq!(talk.stack(), ["main"]);
}
