//! What Genesys refuses is told in words for whoever can fix it.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say};
use genesys_sim::Fault;
use handoff_engine::account::{Account, OpenMessagingAccount, SecretRef};
use handoff_engine::handoff::HandoffEnd;
use handoff_engine::time::Millis;
use support::{Over, Stage, request, request_for};

fn cloud(change: impl FnOnce(&mut OpenMessagingAccount)) -> impl FnOnce(&mut Account) {
    |account| {
        if let Account::CloudOpenMessaging(account) = account {
            change(account);
        }
    }
}

fn client(id: &'static str, secret: &'static str) -> impl FnOnce(&mut Account) {
    cloud(move |account| {
        account.client_id = id.to_owned();
        account.client_secret = SecretRef::Named(secret.to_owned());
    })
}

#[tokio::test]
async fn bad_credentials_end_the_handoff_at_once() {
    let wrong = client("bridge", "wrong");
    let mut stage = Stage::with(Over::OpenMessaging, wrong).await;
    stage.open(request()).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.bad_credentials");
    assert!(sentence.contains("bridge"), "{sentence}");
    assert!(!sentence.contains("wrong"), "{sentence}");
}

#[tokio::test]
async fn a_queue_in_another_division_is_said_to_be_not_visible() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request_for("Hidden")).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.queue_not_visible");
    assert!(sentence.contains("division"), "{sentence}");
}

#[tokio::test]
async fn a_misspelt_queue_gets_a_suggestion_and_no_conversation() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request_for("support")).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.queue_name_mismatch");
    assert!(sentence.contains("'Support'"), "{sentence}");
    assert!(stage.control.conversations().is_empty());
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let mut stage = Stage::with(Over::OpenMessaging, client("blind", "blind-secret")).await;
    stage.open(request_for("Support")).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.missing_permission");
    assert!(sentence.contains("routing:queue:view"), "{sentence}");
}

#[tokio::test]
async fn an_integration_that_does_not_exist_is_said_with_what_is_near() {
    let renamed = cloud(|account| account.integration = "handof bridge".to_owned());
    let mut stage = Stage::with(Over::OpenMessaging, renamed).await;
    stage.open(request()).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.integration_unknown");
    assert!(sentence.contains("'handoff bridge'"), "{sentence}");
}

#[tokio::test]
async fn engage_names_the_field_it_wants_and_the_service_it_does_not_know() {
    let mut stage = Stage::set(Over::Engage).await;
    let mut nobody = request();
    nobody.options.identity.nickname = None;
    nobody.options.identity.last_name = None;
    stage.open(nobody).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.field_missing");
    assert!(sentence.contains("lastName"), "{sentence}");

    let other = |account: &mut Account| {
        if let Account::EngageChatV2(account) = account {
            account.service = "no-such-service".to_owned();
        }
    };
    let mut stage = Stage::with(Over::Engage, other).await;
    stage.open(request()).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.service_unknown", "{sentence}");
    assert!(sentence.contains("no-such-service"), "{sentence}");
}

#[tokio::test]
async fn a_text_engage_finds_too_long_arrives_in_pieces() {
    let mut stage = Stage::set(Over::Engage).await;
    stage.open(request()).await;
    let text = "long ".repeat(30);
    let id = stage.say(&text).await;
    stage.breathe().await;
    assert_eq!(stage.settled(), [id]);
    assert_eq!(stage.notices(), []);
    let pieces = stage.customer_said().split_off(1);
    assert_eq!(pieces.len(), 2);
    assert_eq!(pieces.join(" "), text.trim());
}

#[tokio::test]
async fn who_may_not_look_at_conversations_still_talks_and_learns_the_end_from_a_trigger() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.breathe().await;
    let conversation = stage.conversation().id;
    stage.control.fault(Fault::RefuseRequests {
        path: format!("/api/v2/conversations/messages/{conversation}"),
        times: 1000,
        status: 403,
        code: None,
        retry_after: None,
    });
    stage.pass(Millis::from_secs(20)).await;
    let notices = stage.notices();
    let (_, sentence) = notices
        .iter()
        .find(|(code, _)| code == "genesys.conversation_not_visible")
        .unwrap_or_else(|| panic!("{notices:#?}"));
    assert!(sentence.contains("conversation:message:view"), "{sentence}");
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Hello".to_owned())).await;
    let id = stage.say("Hi").await;
    assert_eq!(stage.heard(), ["Agent: Hello"]);
    assert!(stage.settled().contains(&id));
    stage.agent("kim", Close).await;
    assert_eq!(stage.end(), None);
    let topic = "v2.detail.events.conversation.{id}.customer.end";
    let reply = stage.trigger(&conversation, topic).await;
    assert_eq!(reply, http::StatusCode::OK);
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
}

#[tokio::test]
async fn an_opening_that_genesys_knows_already_opens_no_second_conversation() {
    let other = cloud(|account| {
        account.integration = "strict bridge".to_owned();
    });
    let mut stage = Stage::with(Over::OpenMessaging, other).await;
    stage.control.fault(Fault::LoseReplies {
        path: "/api/v2/conversations/messages/".to_owned(),
        times: 1,
    });
    stage.open(request()).await;
    stage.pass(Millis::from_secs(10)).await;
    let first = stage.customer_said().remove(0);
    assert_eq!(first, "Where is my order?");
    assert_eq!(stage.customer_said().len(), 2);
    stage.agent("kim", Accept).await;
    assert_eq!(stage.joined(), ["Kim"]);
    let id = stage.say("Hello?").await;
    stage.breathe().await;
    assert_eq!(stage.customer_said().len(), 3);
    assert_eq!(stage.settled(), [id]);
}
