//! Trigger events (YE15, YE16): who may report them, and what they lead to.

mod support;

use genesys_sim::AgentAction::{Accept, Close};
use genesys_sim::Fault;
use handoff_engine::handoff::{HandoffEnd, Signal};
use http::{HeaderMap, HeaderValue, StatusCode};
use support::{Over, Stage, request};

#[tokio::test]
async fn an_event_is_a_hint_to_look_and_ringing_is_not_answered() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.breathe().await;
    let conversation = stage.conversation().id;
    stage.control.fault(Fault::DropFrames { times: 100 });
    let started = "v2.detail.events.conversation.{id}.user.start";
    assert_eq!(stage.trigger(&conversation, started).await, StatusCode::OK);
    assert_eq!(stage.joined(), Vec::<String>::new());
    stage.at_once("kim", Accept);
    stage.trigger(&conversation, started).await;
    assert_eq!(stage.joined(), ["Kim"]);
    stage.at_once("kim", Close);
    let wrapping_up = "v2.detail.events.conversation.{id}.acw";
    stage.trigger(&conversation, wrapping_up).await;
    stage.trigger(&conversation, wrapping_up).await;
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
}

#[tokio::test]
async fn only_who_bears_the_token_may_report_and_only_of_a_conversation() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    let before = stage.signals();
    let reply = stage.transport.event(&HeaderMap::new(), b"{}");
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.body.contains("events-token"), "{}", reply.body);
    let mut headers = HeaderMap::new();
    headers.insert(
        "authorization",
        HeaderValue::from_static("Bearer events-token-of-16-or-more"),
    );
    let reply = stage.transport.event(&headers, b"{}");
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("conversationId"), "{}", reply.body);
    let elsewhere = stage.trigger("another", "acw").await;
    assert_eq!(elsewhere, StatusCode::OK);
    stage.settle().await;
    assert_eq!(stage.signals(), before);
}

#[tokio::test]
async fn how_long_it_may_take_is_told_while_the_user_waits() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.breathe().await;
    let estimates = |stage: &Stage| {
        let signals = stage.signals().into_iter();
        let told = signals.filter(|signal| matches!(signal, Signal::QueuePosition { .. }));
        told.count()
    };
    assert_eq!(estimates(&stage), 1);
    stage.agent("kim", Accept).await;
    stage.pass(handoff_engine::time::Millis::from_mins(5)).await;
    assert_eq!(estimates(&stage), 1);
}
