//! Requests of nodes: who may send what where, and what is kept of it.

use crate::support::{Outside, Sample, entries, told};
use handoff_engine::account::SecretRef;
use handoff_engine::content::UserMessage;
use handoff_engine::egress::{Answer, CallError, Place, Recorded};
use handoff_engine::name::InputId;
use handoff_engine::session::{Entry, Input, InputKind};
use serde_json::json;
use std::sync::Arc;

const ALLOWED: &str = "[egress]\nallow = ['https://*.example.com']";

/// Asks for something, looks it up with what was said in the request's body, and tells what came.
fn project(url: &str, header: &str) -> Sample {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "What?", "saveTo": "wanted"}, "to": {"next": "call"}},
        "call": {
            "type": "executeApi",
            "config": {
                "request": {
                    "method": "POST", "url": url, "headers": {"x-token": header},
                    "body": {"wanted": "{{ context.wanted }}"},
                },
                "responseMapping": {"found": "$.found"},
            },
            "to": {"next": "tell", "error": "sorry"},
        },
        "tell": {"type": "say", "config": {"text": "{{ context.found }}"}},
        "sorry": {"type": "say", "config": {"text": "{{ error.code }}: {{ error.message }}"}},
    });
    Sample::main("ask", nodes)
}

#[tokio::test]
async fn the_answer_goes_into_the_context_and_into_the_journal() {
    let outside = Outside::answering(200, r#"{"found": "a hat"}"#);
    let project = project("https://api.example.com/find?q=1", "plain").top(ALLOWED);
    let mut talk = project.talk().await;
    talk.egress = Arc::clone(&outside) as _;
    talk.start().await;
    let turn = talk.user("hat").await;
    assert_eq!(told(&turn), ["main: a hat", "close Completed"]);

    let request = &outside.requests()[0];
    assert_eq!(request.url.as_str(), "https://api.example.com/find?q=1");
    assert_eq!(request.body, br#"{"wanted":"hat"}"#);
    let header = |name: &str| {
        let mut headers = request.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    assert_eq!(header("x-token"), Some("plain".to_owned()));
    assert_eq!(header("idempotency-key"), Some(request.id.clone()));
    assert!(request.id.starts_with("s/2/"), "{}", request.id);

    let calls = entries(&turn, |entry| match entry {
        Entry::Called { node, call } => Some((node.to_string(), call.clone())),
        _ => None,
    });
    let [(node, call)] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    assert_eq!((node.as_str(), call.method.as_str()), ("call", "POST"));
    assert!(matches!(&call.answer, Answer::Answered(response) if response.status == 200));
}

#[tokio::test]
async fn a_turn_is_made_again_from_its_journal_and_nobody_is_asked() {
    let project = project("https://api.example.com/find", "plain").top(ALLOWED);
    let mut talk = project.talk().await;
    talk.egress = Outside::answering(200, r#"{"found": "a hat"}"#);
    talk.start().await;
    let input = Input {
        id: InputId::new("again"),
        kind: InputKind::UserMessage(UserMessage::text("hat".to_owned())),
    };
    let first = talk.turn(&input).await.expect("is taken");
    let calls = entries(&first, |entry| match entry {
        Entry::Called { call, .. } => Some(call.clone()),
        _ => None,
    });
    talk.egress = Arc::new(Recorded::new(calls));
    let again = talk.turn(&input).await.expect("is taken");
    let json = |turn| serde_json::to_string(turn).expect("is JSON");
    assert_eq!(json(&first), json(&again));
}

#[tokio::test]
async fn a_request_to_an_address_that_is_not_declared_does_not_leave() {
    for (url, lines) in [
        ("https://api.example.org/find", ALLOWED),
        ("http://api.example.com/find", ALLOWED),
        ("https://api.example.com.evil.org/", ALLOWED),
        ("https://api.example.com/find", ""),
    ] {
        let outside = Outside::answering(200, "{}");
        let mut talk = project(url, "plain").top(lines).talk().await;
        talk.egress = Arc::clone(&outside) as _;
        talk.start().await;
        let turn = talk.user("hat").await;
        assert!(outside.requests().is_empty(), "{url}");
        let told = told(&turn);
        assert!(
            told[0].contains("execute_api.denied") && told[0].contains("[egress]"),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_secret_leaves_as_a_placeholder_that_only_its_step_can_write() {
    let secrets = format!(
        "{ALLOWED}\n[secrets]\n\"srn:crm\" = {{ env = 'CRM', to = ['https://api.example.com'] }}"
    );
    let outside = Outside::answering(200, "{}");
    let mut talk = project("https://api.example.com/find", "srn:crm")
        .top(&secrets)
        .talk()
        .await;
    talk.egress = Arc::clone(&outside) as _;
    talk.start().await;
    // A user who knows how placeholders look gets nothing by it.
    talk.user("{{secret:srn:crm}} {{secret:srn:crm:0000000000000000}}")
        .await;
    let request = &outside.requests()[0];
    let body = String::from_utf8_lossy(&request.body);
    let [secret] = request.secrets.as_slice() else {
        panic!("{:?}", request.secrets);
    };
    assert_eq!(secret.secret, SecretRef::Env("CRM".to_owned()));
    assert_eq!(secret.place, Place::header("x-token"));
    assert!(!body.contains(&secret.placeholder), "{body}");
    let header = request.headers.iter().find(|(name, _)| name == "x-token");
    assert_eq!(header.map(|(_, value)| value), Some(&secret.placeholder));
}

#[tokio::test]
async fn a_secret_does_not_leave_for_an_address_it_may_not_go_to() {
    let secrets = format!(
        "{ALLOWED}\n[secrets]\n\"srn:crm\" = {{ env = 'CRM', to = ['https://other.example.com'] }}"
    );
    let outside = Outside::answering(200, "{}");
    let project = project("https://api.example.com/find", "srn:crm").top(&secrets);
    let mut talk = project.talk().await;
    talk.egress = Arc::clone(&outside) as _;
    talk.start().await;
    let turn = talk.user("hat").await;
    assert!(outside.requests().is_empty());
    let told = told(&turn);
    assert!(
        told[0].contains("may not go to https://api.example.com"),
        "{told:?}"
    );
}

#[tokio::test]
async fn no_answer_leads_to_the_error_port_with_its_reason() {
    let project = project("https://api.example.com/find", "plain").top(ALLOWED);
    let mut talk = project.talk().await;
    talk.egress = Outside::with(Err(CallError::Unreachable {
        origin: "https://api.example.com".to_owned(),
        reason: "no connection".to_owned(),
    }));
    talk.start().await;
    let turn = talk.user("hat").await;
    assert_eq!(
        told(&turn)[0],
        "main: execute_api.unreachable: The API 'POST https://api.example.com' could not be asked: \
         https://api.example.com cannot be reached: no connection."
    );
}
