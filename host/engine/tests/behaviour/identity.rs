//! Who the user is, as an agent will see them, and what is refused before any network call.

use crate::support::{Sample, Talk, told};
use handoff_engine::handoff::TransferRequest;
use handoff_engine::session::EffectKind;
use serde_json::{Value, json};

/// A flow that sets the context and hands over to Genesys Engage.
async fn to_engage(context: Value, config: Value) -> Talk {
    let mut redirect = json!({"account": "site"});
    for (key, value) in config.as_object().expect("an object") {
        redirect[key] = value.clone();
    }
    let nodes = json!({
        "set": {"type": "setContext", "config": {"values": context}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": redirect, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }}: {{ error.message }}"}},
    });
    Sample::main("set", nodes).talk().await
}

async fn request(talk: &mut Talk) -> TransferRequest {
    let turn = talk.start().await;
    turn.effects
        .into_iter()
        .find_map(|effect| match effect.kind {
            EffectKind::OpenHandoff { request, .. } => Some(request),
            _ => None,
        })
        .expect("a handoff is opened")
}

#[tokio::test]
async fn what_engage_requires_is_asked_for_by_name_and_nothing_is_opened() {
    let mut talk = to_engage(json!({"nickname": "ana"}), json!({})).await;
    insta::assert_snapshot!(told(&talk.start().await).join("\n"));
    assert_eq!(talk.stack(), ["main"]);
}

#[tokio::test]
async fn a_single_missing_field_is_asked_for_in_the_singular() {
    let context = json!({"nickname": "ana", "firstName": "Ana"});
    let mut talk = to_engage(context, json!({})).await;
    insta::assert_snapshot!(told(&talk.start().await).join("\n"));
}

#[tokio::test]
async fn a_blank_field_is_a_missing_one() {
    let context = json!({"nickname": "ana", "firstName": "Ana", "lastName": "  "});
    let mut talk = to_engage(context, json!({})).await;
    let turn = talk.start().await;
    assert!(
        told(&turn)[0].contains("transfer.missing_field"),
        "{:?}",
        told(&turn)
    );
}

#[tokio::test]
async fn identity_comes_from_the_node_first_and_from_the_context_else() {
    let context = json!({"nickname": "ana", "firstName": "Ana", "lastName": "Lima", "mobile": 4915, "subject": "Bill"});
    let config = json!({"identity": {"nickname": "{{ context.nickname }}!"}});
    let mut talk = to_engage(context, config).await;
    let request = request(&mut talk).await;
    let identity = serde_json::to_value(&request.options.identity).expect("is JSON");
    assert_eq!(
        identity,
        json!({"nickname": "ana!", "firstName": "Ana", "lastName": "Lima", "mobile": "4915"})
    );
    assert_eq!(request.options.subject.as_deref(), Some("Bill"));
}

#[tokio::test]
async fn attributes_of_the_node_go_over_those_of_the_session() {
    let nodes = json!({
        "set": {
            "type": "setExternalSessionAttributes",
            "config": {"attributes": {"Plan": "basic", "Since": "2019"}},
            "to": {"next": "agent"},
        },
        "agent": {"type": "redirect", "config": {"attributes": {"Plan": "gold"}}},
    });
    let mut talk = Sample::main("set", nodes).talk().await;
    let request = request(&mut talk).await;
    assert_eq!(
        json!(request.options.attributes),
        json!({"Plan": "gold", "Since": "2019"})
    );
    assert_eq!(talk.session.attributes["Plan"], "basic");
}

#[tokio::test]
async fn the_opening_text_is_what_the_user_wrote_last() {
    let nodes = json!({
        "ask": {"type": "ask", "to": {"next": "agent"}},
        "agent": {"type": "redirect"},
    });
    let mut talk = Sample::main("ask", nodes).talk().await;
    talk.start().await;
    let turn = talk.user("My bill is wrong").await;
    let EffectKind::OpenHandoff { request, .. } = &turn.effects[0].kind else {
        panic!("{:?}", turn.effects);
    };
    assert_eq!(request.opening_text.as_deref(), Some("My bill is wrong"));
}

#[tokio::test]
async fn the_agent_reads_as_much_of_the_conversation_as_the_node_says_but_the_last_message_once() {
    let reads = async |transcript: serde_json::Value| {
        let nodes = json!({
            "hello": {"type": "say", "config": {"text": "Hello."}, "to": {"next": "name"}},
            "name": {"type": "ask", "config": {"text": "Your name?"}, "to": {"next": "why"}},
            "why": {"type": "ask", "config": {"text": "And your concern?"}, "to": {"next": "agent"}},
            "agent": {"type": "redirect", "config": {
                "transcript": transcript,
                "identity": {"nickname": "Ana L"},
                "messages": {"requested": "One moment."},
            }},
        });
        let mut talk = Sample::main("hello", nodes).talk().await;
        talk.start().await;
        talk.user("Ana").await;
        let turn = talk.user("My bill is wrong").await;
        let opening = turn.effects.iter().find_map(|effect| match &effect.kind {
            EffectKind::OpenHandoff { request, .. } => Some(request.clone()),
            _ => None,
        });
        let request = opening.expect("a handoff opens");
        assert_eq!(request.opening_text.as_deref(), Some("My bill is wrong"));
        request.transcript
    };
    let bot = |text: &str| format!("main: {text}");
    let all = [
        bot("Hello."),
        bot("Your name?"),
        "Ana L: Ana".to_owned(),
        bot("And your concern?"),
    ];
    assert_eq!(reads(json!("none")).await, Vec::<String>::new());
    assert_eq!(reads(json!("full")).await, all);
    assert_eq!(reads(json!({"last": 2})).await, all[2..]);
    let summary = json!({"text": "Name: Ana\nUnhappy with her bill"});
    assert_eq!(reads(summary).await, ["Name: Ana", "Unhappy with her bill"]);
}

#[tokio::test]
async fn the_channel_chooses_the_account_unless_the_node_does() {
    use handoff_engine::session::InputKind;
    let nodes = json!({"agent": {"type": "redirect"}});
    let mut talk = Sample::main("agent", nodes)
        .top("[channels]\nkiosk = 'site'")
        .talk()
        .await;
    let started = |channel: &str| InputKind::Started {
        bot: None,
        channel: Some(channel.to_owned()),
    };
    let turn = talk.input(started("kiosk")).await;
    assert_eq!(
        told(&turn),
        ["close Error"],
        "the site requires an identity"
    );
    assert_eq!(talk.error().0, "transfer.missing_field");
    let mut talk = Talk::new(std::sync::Arc::clone(&talk.project));
    assert_eq!(
        told(&talk.input(started("web")).await),
        ["open any agent at cloud"]
    );
}

#[tokio::test]
async fn an_account_nobody_configured_is_refused_with_the_nearest_one() {
    let mut talk = to_engage(
        json!({"which": "clod"}),
        json!({"account": "{{ context.which }}"}),
    )
    .await;
    insta::assert_snapshot!(told(&talk.start().await).join("\n"));
}
