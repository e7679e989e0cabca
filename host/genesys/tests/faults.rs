//! Lost answers, refusals, expired tokens and closed sockets cost time, never texts.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say};
use genesys_sim::Fault;
use handoff_engine::account::{Account, SecretRef};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::SessionEndReason;
use handoff_engine::time::Millis;
use support::{Over, Stage, request};

fn paths(over: Over) -> &'static str {
    match over {
        Over::Engage => "/genesys/2/chat",
        Over::WebChat => "/api/v2/webchat/guest/conversations/",
        Over::WebMessaging => "/api/v2/webmessaging/messages",
        Over::OpenMessaging => "/api/v2/conversations/messages",
    }
}

#[tokio::test]
async fn a_lost_answer_doubles_no_text() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.control.fault(Fault::LoseReplies {
            path: paths(over).to_owned(),
            times: 1,
        });
        let id = stage.say("Hi Kim").await;
        let next = stage.say("Hi Kim").await;
        stage.pass(Millis::from_mins(1)).await;
        assert_eq!(
            stage.customer_said(),
            ["Where is my order?", "Hi Kim", "Hi Kim"],
            "{over:?}"
        );
        assert_eq!(stage.settled(), [id, next], "{over:?}");
    }
}

#[tokio::test]
async fn refusals_that_pass_are_waited_out() {
    for over in Over::ALL {
        for (status, retry_after) in [(503, None), (429, Some(7))] {
            let mut stage = Stage::set(over).await;
            stage.open(request()).await;
            stage.breathe().await;
            stage.agent("kim", Accept).await;
            stage.control.fault(Fault::RefuseRequests {
                path: paths(over).to_owned(),
                times: 3,
                status,
                code: None,
                retry_after,
            });
            let id = stage.say("Hi Kim").await;
            stage.pass(Millis::from_mins(1)).await;
            assert_eq!(
                stage.customer_said(),
                ["Where is my order?", "Hi Kim"],
                "{over:?} {status}"
            );
            assert_eq!(stage.settled(), [id]);
            assert_eq!(stage.end(), None);
        }
    }
}

#[tokio::test]
async fn expired_tokens_and_closed_sockets_are_replaced() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.control.fault(Fault::ExpireTokens);
    stage.control.fault(Fault::CloseSockets);
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    assert_eq!(stage.joined(), ["Kim"]);
    stage.pass(Millis::from_mins(30)).await;
    stage.agent("kim", Say("Still here".to_owned())).await;
    stage.agent("kim", Close).await;
    assert_eq!(stage.heard(), ["Kim: Still here"]);
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
}

#[tokio::test]
async fn lost_frames_are_made_up_for_by_looking() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.control.fault(Fault::DropFrames { times: 100 });
    stage.agent("kim", Accept).await;
    assert_eq!(stage.joined(), ["Kim"]);
    stage.at_once("kim", Close);
    stage.pass(Millis::from_mins(5)).await;
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
}

#[tokio::test]
async fn without_the_permission_for_events_the_conversation_is_looked_at_instead() {
    let deaf = |account: &mut Account| {
        if let Account::CloudOpenMessaging(account) = account {
            account.client_id = "deaf".to_owned();
            account.client_secret = SecretRef::Named("deaf-secret".to_owned());
        }
    };
    let mut stage = Stage::with(Over::OpenMessaging, deaf).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Close).await;
    assert_eq!(stage.joined(), ["Kim"]);
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
    let notices = stage.notices();
    assert_eq!(notices.len(), 1, "{notices:#?}");
    assert_eq!(notices[0].0, "genesys.events_unavailable");
    assert!(
        notices[0].1.contains("analytics:conversationDetail:view"),
        "{notices:#?}"
    );
}

#[tokio::test]
async fn a_lost_answer_to_the_opening_opens_no_second_conversation() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.control.fault(Fault::LoseReplies {
        path: "/api/v2/conversations/messages/".to_owned(),
        times: 2,
    });
    stage.open(request()).await;
    stage.pass(Millis::from_secs(10)).await;
    assert_eq!(stage.customer_said(), ["Where is my order?"]);
    stage.agent("kim", Accept).await;
    assert_eq!(stage.joined(), ["Kim"]);
}

#[tokio::test]
async fn frames_doubled_and_out_of_order_tell_nothing_twice() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.control.fault(Fault::DuplicateFrames { times: 3 });
    stage.control.fault(Fault::ReorderFrames { times: 20 });
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Close).await;
    assert_eq!(stage.joined(), ["Kim"]);
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
    support::no_repeats(&stage.told());
}

#[tokio::test]
async fn webhooks_that_overtake_each_other_and_come_twice_are_told_once_in_order_and_counted() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.control.fault(Fault::ReorderWebhooks { times: 1 });
    stage.at_once("kim", Say("one".to_owned()));
    stage.clock.set(stage.clock.now() + Millis(1));
    stage.control.set_now(stage.clock.now().0);
    stage.at_once("kim", Say("two".to_owned()));
    stage.breathe().await;
    stage.control.fault(Fault::DuplicateWebhooks { times: 1 });
    stage.agent("kim", Say("three".to_owned())).await;
    assert_eq!(stage.heard(), ["Kim: one", "Kim: two", "Kim: three"]);
    let tally = stage.tally();
    assert_eq!((tally.reorders, tally.repeats), (1, 1));
    stage.restart().await;
    stage.agent("kim", Say("four".to_owned())).await;
    assert_eq!(stage.tally().repeats, 1);
    stage.agent("kim", Close).await;
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
}

#[tokio::test]
async fn a_socket_lost_for_five_seconds_or_five_minutes_costs_no_news() {
    for millis in [Millis::from_secs(5), Millis::from_mins(5)] {
        let mut stage = Stage::set(Over::OpenMessaging).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.control.fault(Fault::LoseSockets { ms: millis.0 });
        stage.agent("kim", Accept).await;
        let id = stage.say("Hi Kim").await;
        stage.agent("kim", Say("Hello".to_owned())).await;
        stage.pass(millis).await;
        stage.pass(Millis::from_mins(2)).await;
        assert_eq!(stage.joined(), ["Kim"]);
        assert_eq!(stage.heard(), ["Kim: Hello"]);
        assert_eq!(stage.settled(), [id]);
        stage.agent("kim", Close).await;
        assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
    }
}
