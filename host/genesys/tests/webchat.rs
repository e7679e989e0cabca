//! What only WebChat has, and what it has not: queues by name, plain text, a stream without which
//! nobody is told of the chat.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say};
use handoff_engine::account::{Account, WebChatAccount};
use handoff_engine::content::{Attachment, Choice, ChoiceKind, Receipt, UserMessage};
use handoff_engine::handoff::{HandoffEnd, SessionEndReason, Signal};
use handoff_engine::name::InputId;
use handoff_engine::time::Millis;
use handoff_genesys::Command;
use support::{Over, Stage, request, request_for};

async fn stage(change: impl FnOnce(&mut WebChatAccount)) -> Stage {
    let change = |account: &mut Account| {
        if let Account::CloudWebchat(account) = account {
            change(account);
        }
    };
    Stage::with(Over::WebChat, change).await
}

/// Without an OAuth client, as most have it.
async fn guest_only() -> Stage {
    stage(|account| account.oauth_client = None).await
}

#[tokio::test]
async fn without_a_queue_nothing_is_asked_of_genesys() {
    let mut stage = stage(|account| account.queue = None).await;
    stage.open(request()).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "transfer.queue_required");
    assert!(sentence.contains("'acme'"), "{sentence}");
    assert!(stage.control.requests().is_empty());
}

#[tokio::test]
async fn a_misspelt_queue_gets_a_suggestion_where_an_oauth_client_can_look() {
    let mut stage = Stage::set(Over::WebChat).await;
    stage.open(request_for("support")).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.queue_name_mismatch");
    assert!(sentence.contains("'Support'"), "{sentence}");
    assert!(stage.control.conversations().is_empty());
}

#[tokio::test]
async fn an_unknown_queue_is_said_to_be_not_visible_where_none_can() {
    let mut stage = guest_only().await;
    stage.open(request_for("support")).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.queue_not_visible");
    assert!(sentence.contains("Queue 'support'"), "{sentence}");
}

#[tokio::test]
async fn an_oauth_client_that_may_not_look_costs_a_notice_and_not_the_handoff() {
    let mut stage = stage(|account| {
        if let Some(client) = &mut account.oauth_client {
            client.id = "blind".to_owned();
            client.secret = handoff_engine::account::SecretRef::Named("blind-secret".to_owned());
        }
    })
    .await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    assert_eq!(stage.joined(), ["Kim"]);
    let notices = stage.notices();
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert_eq!(notices[0].0, "genesys.missing_permission");
    assert!(notices[0].1.contains("routing:queue:view"), "{notices:#?}");
}

#[tokio::test]
async fn deployments_that_take_no_chat_are_told_by_what_to_do() {
    for (widget, expected) in [
        ("Closed", "genesys.deployment_disabled"),
        ("Members only", "genesys.deployment_needs_signature"),
        ("no such", "genesys.deployment_unknown"),
    ] {
        let id = support::widget(widget).unwrap_or_else(|| widget.to_owned());
        let mut stage = stage(|account| account.deployment_id = id).await;
        stage.open(request()).await;
        let (code, sentence) = stage.error();
        assert_eq!(code, expected);
        assert!(sentence.contains("'acme'"), "{sentence}");
    }
}

#[tokio::test]
async fn routing_gets_skills_language_and_priority() {
    let mut stage = guest_only().await;
    let mut routed = request_for("Billing");
    routed.options.skills = vec!["refunds".to_owned()];
    routed.options.language = Some("pt-BR".to_owned());
    routed.options.priority = Some(5);
    stage.open(routed).await;
    let seen = stage.conversation();
    assert_eq!(seen.queue.as_deref(), Some("Billing"));
    let routing = serde_json::to_value(seen.routing).expect("JSON");
    assert_eq!(routing["skills"], serde_json::json!(["refunds"]));
    assert_eq!(routing["language"], "pt-BR");
    assert_eq!(routing["priority"], 5);
}

#[tokio::test]
async fn agents_read_what_was_said_before_first() {
    let mut stage = guest_only().await;
    let mut long = request();
    long.transcript = vec!["Ana: ".to_owned() + &"a ".repeat(3000), "Bot: b".to_owned()];
    stage.open(long).await;
    let said = stage.customer_said();
    assert_eq!(said.len(), 3);
    assert!(said[0].starts_with("Ana: a") && said[1].ends_with("Bot: b"));
    assert_eq!(said[2], "Where is my order?");
}

#[tokio::test]
async fn files_and_choices_go_as_text_and_are_said_to() {
    let mut stage = guest_only().await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    let message = UserMessage {
        text: "Yes".to_owned(),
        attachments: vec![Attachment {
            name: "a.png".to_owned(),
            mime: "image/png".to_owned(),
            url: "https://files.example/a".to_owned(),
            size: None,
        }],
        choice: Some(Choice {
            kind: ChoiceKind::QuickReply,
            payload: "YES".to_owned(),
            message: "m".to_owned(),
        }),
    };
    let input = InputId::new("i/1");
    stage
        .command(Command::Say {
            id: "s/2/0".into(),
            message,
            input: Some(input.clone()),
        })
        .await;
    assert_eq!(
        stage.customer_said()[1..],
        ["Yes", "a.png: https://files.example/a"]
    );
    let notices = stage.notices();
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert_eq!(notices[0].0, "genesys.content_simplified");
    let delivered = Signal::Receipt {
        message: input,
        receipt: Receipt::Delivered,
    };
    assert!(stage.signals().contains(&delivered));
}

#[tokio::test]
async fn the_estimated_wait_is_told_while_the_user_waits() {
    let mut stage = Stage::set(Over::WebChat).await;
    stage.open(request()).await;
    stage.breathe().await;
    let waits = |signals: Vec<Signal>| {
        let estimates = signals.into_iter().filter(|signal| {
            matches!(
                signal,
                Signal::QueuePosition {
                    position: None,
                    estimated_wait: Some(_)
                }
            )
        });
        estimates.count()
    };
    let told = waits(stage.signals());
    assert!(told >= 1);
    stage.agent("kim", Accept).await;
    let before = stage.control.requests().len();
    stage.pass(Millis::from_mins(2)).await;
    let asked = stage.control.requests().split_off(before);
    assert!(
        asked
            .iter()
            .all(|it| !it.path.contains("estimatedwaittime"))
    );
    assert_eq!(waits(stage.signals()), told);
}

#[tokio::test]
async fn the_agent_reads_that_the_user_left_before_the_chat_ends() {
    let mut stage = guest_only().await;
    let mut polite = request();
    polite.options.messages.farewell = Some("Ana has gone.".to_owned());
    stage.open(polite).await;
    stage.agent("kim", Accept).await;
    stage.command(Command::Leave).await;
    let last = stage.customer_said().pop();
    assert_eq!(last.as_deref(), Some("Ana has gone."));
    assert_eq!(stage.end(), Some(HandoffEnd::user_left()));
    assert_eq!(stage.notices(), []);
}

#[tokio::test]
async fn what_the_system_says_is_nobodys() {
    let id = support::widget("Impatient").expect("in the org file");
    let mut stage = stage(|account| account.deployment_id = id).await;
    stage.open(request()).await;
    stage.breathe().await;
    assert_eq!(stage.heard(), ["-: You are in the queue."]);
}

#[tokio::test]
async fn a_chat_genesys_gives_up_because_nobody_listens_has_ended_on_resume() {
    let id = support::widget("Impatient").expect("in the org file");
    let mut stage = stage(|account| account.deployment_id = id).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Hello?".to_owned())).await;
    let handle = stage.handle();
    stage.stop().await;
    // When the simulator notices that the socket is gone is not a matter of its clock.
    for _ in 0..100 {
        if stage.conversation().state == "ended" {
            break;
        }
        stage.pass(Millis::from_mins(1)).await;
    }
    stage.restart_from(handle).await;
    stage.breathe().await;
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
}

#[tokio::test]
async fn an_expired_token_ends_the_handoff_and_tells_what_was_not_delivered() {
    let id = support::widget("Impatient").expect("in the org file");
    let mut stage = stage(|account| account.deployment_id = id).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.control.fault(genesys_sim::Fault::ExpireTokens);
    let said = stage.say("Are you there?").await;
    stage.breathe().await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.chat_token_expired");
    assert!(sentence.contains("Transfer the user again"), "{sentence}");
    assert_eq!(stage.settled(), [said]);
    assert_eq!(stage.notices()[0].0, "genesys.message_not_delivered");
}

#[tokio::test]
async fn a_chat_asked_for_twice_rings_once() {
    let mut stage = guest_only().await;
    stage.control.fault(genesys_sim::Fault::LoseReplies {
        path: "/api/v2/webchat/guest/conversations".to_owned(),
        times: 1,
    });
    stage.open(request()).await;
    stage.pass(Millis::from_secs(10)).await;
    assert_eq!(stage.control.conversations().len(), 2);
    let desk = stage.desk("kim");
    assert_eq!(desk.alerting.len() + desk.connected.len(), 1);
    stage.agent("kim", Accept).await;
    stage.agent("kim", Close).await;
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
}
