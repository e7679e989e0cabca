//! Web Messaging as a deployment is configured: with and without an OAuth client, domains, limits,
//! sessions that expire, and what a guest is not told.

mod support;

use genesys_sim::AgentAction::{Accept, Close, FinishAfterCallWork, Say, TransferToQueue};
use genesys_sim::{Fault, Org};
use handoff_engine::account::{Account, SecondHandoff, SecretRef, WebMessagingAccount};
use handoff_engine::handoff::{HandoffEnd, SessionEndReason, Signal};
use handoff_engine::time::Millis;
use handoff_genesys::Command;
use support::{Over, Stage, no_repeats, request, request_for};

async fn stage(change: impl FnOnce(&mut WebMessagingAccount)) -> Stage {
    Stage::with(Over::WebMessaging, |account| {
        if let Account::CloudWebMessaging(account) = account {
            change(account);
        }
    })
    .await
}

fn deployment(name: &str) -> String {
    let org = Org::from_toml(include_str!("support/org.toml"), "org.toml").expect("an org");
    org.deployment_id(name).expect("a deployment").to_owned()
}

fn codes(stage: &Stage) -> Vec<String> {
    stage.notices().into_iter().map(|(code, _)| code).collect()
}

#[tokio::test]
async fn without_an_oauth_client_agents_show_when_they_write_and_the_end_when_it_is_told() {
    let mut stage = stage(|account| account.oauth_client = None).await;
    stage.open(request_for("Billing")).await;
    stage.breathe().await;
    stage.agent("max", Accept).await;
    assert_eq!(stage.joined(), Vec::<String>::new());
    stage.agent("max", Say("Hello".to_owned())).await;
    stage
        .agent("max", TransferToQueue("Support".to_owned()))
        .await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Kim here".to_owned())).await;
    assert_eq!(stage.joined(), ["Max", "Kim"]);
    assert_eq!(stage.heard(), ["Max: Hello", "Kim: Kim here"]);
    stage.agent("kim", Close).await;
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
    assert_eq!(stage.notices(), []);
    no_repeats(&stage.told());
}

#[tokio::test]
async fn a_user_without_an_oauth_client_leaves_by_clearing_the_conversation() {
    let mut stage = stage(|account| account.oauth_client = None).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.command(Command::Leave).await;
    stage.breathe().await;
    assert_eq!(stage.end(), Some(HandoffEnd::user_left()));
    assert_eq!(
        stage.customer_said(),
        ["Where is my order?", "The user has left the conversation."]
    );
    assert!(stage.desk("kim").connected.is_empty());
    assert_eq!(stage.notices(), []);
}

#[tokio::test]
async fn where_guests_may_not_clear_the_customer_is_disconnected_through_the_platform_api() {
    let mut stage = stage(|account| account.deployment_id = deployment("Narrow")).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.command(Command::Leave).await;
    stage.breathe().await;
    assert_eq!(stage.end(), Some(HandoffEnd::user_left()));
    assert!(stage.desk("kim").connected.is_empty());
    assert_eq!(codes(&stage), ["genesys.attributes_too_large"; 0]);
}

#[tokio::test]
async fn where_neither_is_possible_that_is_said() {
    let narrow = |account: &mut WebMessagingAccount| {
        account.deployment_id = deployment("Narrow");
        account.oauth_client = None;
    };
    let mut stage = stage(narrow).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.command(Command::Leave).await;
    stage.breathe().await;
    assert_eq!(stage.end(), Some(HandoffEnd::user_left()));
    assert_eq!(codes(&stage), ["genesys.customer_not_disconnected"]);
    let (_, sentence) = stage.notices().remove(0);
    assert!(sentence.contains("oauth-client"), "{sentence}");
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_is_said_with_the_fix() {
    let restricted = |account: &mut WebMessagingAccount| {
        account.deployment_id = deployment("Restricted");
        account.origin = Some("https://www.example.org".to_owned());
    };
    let mut refused = stage(restricted).await;
    refused.open(request()).await;
    let (code, sentence) = refused.error();
    assert_eq!(code, "genesys.origin_refused");
    assert!(sentence.contains("https://www.example.org"), "{sentence}");

    let allowed = |account: &mut WebMessagingAccount| {
        account.deployment_id = deployment("Restricted");
        account.origin = Some("https://shop.example".to_owned());
    };
    let mut stage = stage(allowed).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    assert_eq!(stage.joined(), ["Kim"]);
}

#[tokio::test]
async fn a_deployment_that_is_not_there_or_not_active_is_said() {
    let mut missing = stage(|account| account.deployment_id = "no-such".to_owned()).await;
    missing.open(request()).await;
    let (code, sentence) = missing.error();
    assert_eq!(code, "genesys.deployment_unknown");
    assert!(sentence.contains("'no-such'"), "{sentence}");

    let mut asleep = stage(|account| account.deployment_id = deployment("Asleep")).await;
    asleep.open(request()).await;
    assert_eq!(asleep.error().0, "genesys.deployment_inactive");
}

#[tokio::test]
async fn a_queue_that_cannot_be_seen_is_said_before_anyone_is_bothered() {
    let mut stage = stage(|_| ()).await;
    stage.open(request_for("support")).await;
    let (code, sentence) = stage.error();
    assert_eq!(code, "genesys.queue_name_mismatch");
    assert!(sentence.contains("'Support'"), "{sentence}");
    assert!(stage.control.conversations().is_empty());
}

#[tokio::test]
async fn a_client_that_may_not_see_queues_costs_the_view_of_agents_and_nothing_else() {
    let blind = |account: &mut WebMessagingAccount| {
        if let Some(client) = &mut account.oauth_client {
            client.id = "blind".to_owned();
            client.secret = SecretRef::Named("blind-secret".to_owned());
        }
    };
    let mut stage = stage(blind).await;
    stage.open(request_for("Support")).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Hello".to_owned())).await;
    stage.agent("kim", Close).await;
    assert_eq!(stage.joined(), ["Kim"]);
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
    let notices = stage.notices();
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert_eq!(notices[0].0, "genesys.queue_not_checked");
    assert!(notices[0].1.contains("routing:queue:view"), "{notices:#?}");
}

#[tokio::test]
async fn texts_and_attributes_over_the_limits_are_split_and_left_out_by_name() {
    let mut stage = stage(|account| account.deployment_id = deployment("Narrow")).await;
    let mut request = request_for("Billing");
    let long = ("story".to_owned(), "x".repeat(120));
    request.options.attributes.extend([long]);
    stage.open(request).await;
    stage.breathe().await;
    assert_eq!(stage.conversation().queue.as_deref(), Some("Billing"));
    assert_eq!(codes(&stage), ["genesys.attributes_too_large"]);
    assert!(stage.notices()[0].1.contains("'story'"));
    let id = stage.say(&"long ".repeat(50)).await;
    stage.breathe().await;
    assert_eq!(stage.settled(), [id]);
    let said: String = stage.customer_said().split_off(1).join(" ");
    assert_eq!(said.split_whitespace().count(), 50);
    // Typing is not taken here, and does no harm.
    stage.command(Command::Typing { on: true }).await;
    stage.breathe().await;
    assert_eq!(codes(&stage), ["genesys.attributes_too_large"]);
}

#[tokio::test]
async fn agents_answers_are_in_order_though_frames_overtake_each_other() {
    let mut stage = stage(|account| account.deployment_id = deployment("Shuffled")).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    for text in ["one", "two", "three", "four"] {
        stage.at_once("kim", Say(text.to_owned()));
        stage.pass(Millis(50)).await;
    }
    stage.breathe().await;
    assert_eq!(
        stage.heard(),
        ["Kim: one", "Kim: two", "Kim: three", "Kim: four"]
    );
    assert!(stage.tally().reorders > 0);
}

#[tokio::test]
async fn sockets_lost_for_seconds_or_minutes_lose_nothing() {
    for outage in [Millis::from_secs(5), Millis::from_mins(5)] {
        let mut stage = stage(|_| ()).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.control.fault(Fault::LoseSockets { ms: outage.0 });
        stage.at_once("kim", Say("Are you there?".to_owned()));
        let id = stage.say("Yes").await;
        stage.pass(outage).await;
        stage.pass(Millis::from_mins(1)).await;
        assert_eq!(stage.heard(), ["Kim: Are you there?"], "{outage}");
        assert_eq!(stage.settled(), [id], "{outage}");
        assert_eq!(stage.customer_said(), ["Where is my order?", "Yes"]);
        stage.agent("kim", Close).await;
        assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
        no_repeats(&stage.told());
    }
}

#[tokio::test]
async fn frames_that_are_lost_are_found_in_the_history() {
    let mut stage = stage(|_| ()).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.control.fault(Fault::DropFrames { times: 4 });
    let id = stage.say("Hi Kim").await;
    stage.at_once("kim", Say("Hello".to_owned()));
    stage.pass(Millis::from_mins(6)).await;
    assert_eq!(stage.heard(), ["Kim: Hello"]);
    assert_eq!(stage.customer_said(), ["Where is my order?", "Hi Kim"]);
    assert_eq!(stage.settled(), [id]);
    stage.control.fault(Fault::DropFrames { times: 20 });
    stage.at_once("kim", Close);
    stage.pass(Millis::from_mins(6)).await;
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
}

#[tokio::test]
async fn a_session_that_expires_ends_in_words() {
    let short = |account: &mut WebMessagingAccount| {
        account.deployment_id = deployment("Short");
        account.oauth_client = None;
    };
    let mut stage = stage(short).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.pass(Millis::from_mins(3)).await;
    assert_eq!(stage.error().0, "genesys.session_expired");
}

/// KO2, KO3 and C10: the session goes on, with its history; the user is told what was missed.
#[tokio::test]
async fn a_second_handoff_resumes_the_session_and_tells_what_was_said_in_between() {
    let resume = |account: &mut WebMessagingAccount| {
        account.second_handoff = SecondHandoff::Resume;
        account.token_secret = Some(SecretRef::Named("pepper-of-16-or-more".to_owned()));
        account.oauth_client = None;
    };
    let mut stage = stage(resume).await;
    let mut again = request();
    again.options.identity.external_id = Some("user-77".to_owned());
    stage.open_as("s/1/0", again.clone()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Let me look".to_owned())).await;
    stage.command(Command::Leave).await;
    stage.breathe().await;
    assert_eq!(stage.reason(), Some(SessionEndReason::UserLeft));
    stage.agent("kim", Say("It has arrived".to_owned())).await;
    stage.agent("kim", Close).await;
    stage.agent("kim", FinishAfterCallWork).await;

    // Another session of the same user.
    let before = stage.signals().len();
    stage.open_as("t/1/0", again).await;
    stage.breathe().await;
    let signals = stage.signals().split_off(before);
    let texts: Vec<_> = signals
        .iter()
        .filter_map(|signal| match signal {
            Signal::Message { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["It has arrived"]);
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Good".to_owned())).await;
    assert_eq!(
        stage.heard(),
        ["Kim: Let me look", "Kim: It has arrived", "Kim: Good"]
    );
    stage.agent("kim", Close).await;
}
