//! The webhook's door: who may come in, and what is done with what they bring.

mod support;

use genesys_sim::AgentAction::{Accept, Say, Typing};
use genesys_sim::Fault;
use handoff_engine::handoff::Signal;
use http::{HeaderMap, StatusCode};
use support::{Over, Stage, request};

#[tokio::test]
async fn a_bad_signature_is_refused_and_nothing_is_told() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    let mut headers = HeaderMap::new();
    let forged = br#"{"id":"m","type":"Text","text":"pay here","channel":{"to":{"id":"x"}}}"#;
    let unsigned = stage.transport.webhook(&headers, forged);
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    headers.insert(
        "x-hub-signature-256",
        http::HeaderValue::from_static("sha256=AAAA"),
    );
    let reply = stage.transport.webhook(&headers, forged);
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.body.contains("webhook-secret"), "{}", reply.body);
    assert_eq!(stage.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused() {
    let stage = Stage::set(Over::OpenMessaging).await;
    let body = vec![b' '; 1024 * 1024 + 1];
    let reply = stage.transport.webhook(&HeaderMap::new(), &body);
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_message_delivered_twice_is_told_once() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.control.fault(Fault::DuplicateWebhooks { times: 1 });
    stage.agent("kim", Say("Hello".to_owned())).await;
    assert_eq!(stage.heard(), ["Kim: Hello"]);
}

#[tokio::test]
async fn a_call_that_is_played_back_is_told_once_at_any_time_and_in_any_handoff() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.agent("kim", Say("Hello".to_owned())).await;
    assert_eq!(stage.heard(), ["Kim: Hello"]);
    let calls = stage.calls.lock().expect("no test panics here").clone();
    let hello =
        |(_, body): &&(HeaderMap, bytes::Bytes)| String::from_utf8_lossy(body).contains("Hello");
    let (headers, body) = calls.iter().find(hello).expect("it came by webhook");
    // At once its id is known.
    let reply = stage.transport.webhook(headers, body);
    assert_eq!(reply.status, StatusCode::OK, "refusing could fail the chat");
    // So many messages later the id is not known any more, and by then the message is too old.
    for number in 0..260 {
        let text = format!("Line {number}");
        stage.agent("kim", Say(text)).await;
    }
    stage
        .pass(handoff_engine::time::Millis::from_mins(16))
        .await;
    let heard = stage.heard().len();
    let reply = stage.transport.webhook(headers, body);
    assert_eq!(reply.status, StatusCode::OK);
    stage.pass(handoff_engine::time::Millis::from_secs(5)).await;
    assert_eq!(stage.heard().len(), heard);
    let hellos = stage.heard();
    let hellos = hellos.iter().filter(|it| *it == "Kim: Hello").count();
    assert_eq!(hellos, 1);
}

#[tokio::test]
async fn a_message_no_webhook_brought_is_fetched() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.control.fault(Fault::DropWebhooks { times: 1 });
    stage.agent("kim", Say("Hello".to_owned())).await;
    assert_eq!(stage.heard(), Vec::<String>::new());
    stage.pass(handoff_engine::time::Millis::from_mins(3)).await;
    assert_eq!(stage.heard(), ["Kim: Hello"]);
}

#[tokio::test]
async fn the_first_words_of_an_agent_come_after_the_joining() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    stage.open(request()).await;
    stage.settle().await;
    stage.control.fault(Fault::DropFrames { times: 100 });
    stage.at_once("kim", Accept);
    stage.at_once("kim", Say("Hello".to_owned()));
    stage.pass(handoff_engine::time::Millis::from_secs(1)).await;
    let told: Vec<_> = stage
        .signals()
        .into_iter()
        .filter(|signal| matches!(signal, Signal::AgentJoined { .. } | Signal::Message { .. }))
        .collect();
    let [Signal::AgentJoined { agent }, Signal::Message { from, .. }] = told.as_slice() else {
        panic!("{told:#?}")
    };
    assert_eq!(from.as_ref(), Some(agent));
}

#[tokio::test]
async fn an_agents_typing_shows_and_stops_showing() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.agent("kim", Typing(true)).await;
        if over == Over::Engage {
            stage.agent("kim", Typing(false)).await;
        }
        let typing: Vec<_> = stage
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::Typing { on } => Some(on),
                _ => None,
            })
            .collect();
        assert_eq!(typing, [true, false], "{over:?}");
    }
}
