//! Things to choose from, what was chosen, receipts, and what agents read first.

mod support;

use genesys_sim::AgentAction::{Accept, SendContent};
use genesys_sim::{Line, StructuredContent};
use handoff_engine::content::{Choice, ChoiceKind, Content, Receipt, UserMessage};
use handoff_engine::handoff::Signal;
use handoff_genesys::Command;
use serde_json::json;
use support::{Over, Stage, request};

async fn talking(over: Over) -> Stage {
    let mut stage = Stage::set(over).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage
}

fn quick_replies() -> StructuredContent {
    let reply = |text: &str, payload: &str| json!({"contentType": "QuickReply", "quickReply": {"text": text, "payload": payload}});
    StructuredContent {
        text: Some("Cancel it?".to_owned()),
        items: vec![reply("Yes", "YES"), reply("No", "NO")],
    }
}

#[tokio::test]
async fn the_user_picks_one_of_the_agents_quick_replies() {
    let mut stage = talking(Over::OpenMessaging).await;
    stage.agent("kim", SendContent(quick_replies())).await;
    let asked = stage.signals().into_iter().find_map(|signal| match signal {
        Signal::Message {
            message_id,
            text,
            content,
            ..
        } => Some((message_id, text, content)),
        _ => None,
    });
    let (message, text, content) = asked.expect("a question");
    assert_eq!(text, "Cancel it?");
    let (label, kind, payload) = content[0].choices().next().expect("a choice");
    assert_eq!((label, kind), ("Yes", ChoiceKind::QuickReply));
    let picked = UserMessage {
        text: label.to_owned(),
        choice: Some(Choice {
            kind,
            payload: payload.to_owned(),
            message,
        }),
        ..UserMessage::default()
    };
    let id = stage.say_all(picked).await;
    stage.breathe().await;
    let Line { content, .. } = stage.customer_lines().pop().expect("a line");
    assert_eq!(content[0]["buttonResponse"]["payload"], "YES");
    assert_eq!(stage.settled(), [id]);
    assert_eq!(stage.notices(), []);
}

#[tokio::test]
async fn cards_stay_cards_and_what_no_channel_has_a_form_for_is_text_and_said_to_be() {
    let stage = talking(Over::OpenMessaging).await;
    let items = vec![
        json!({"contentType": "Card", "card": {"title": "Small", "actions": [
            {"type": "Postback", "text": "Take it", "payload": "s"}]}}),
    ];
    let card = StructuredContent { text: None, items };
    stage.agent("kim", SendContent(card)).await;
    let items = vec![
        json!({"contentType": "ListPicker", "listPicker": {"sections": [
        {"title": "Plans", "items": [{"title": "Small"}]}]}}),
    ];
    let list = StructuredContent { text: None, items };
    stage.agent("kim", SendContent(list)).await;
    assert!(matches!(stage.contents().as_slice(), [Content::Card(_)]));
    assert_eq!(stage.heard(), ["Kim: ", "Kim: Plans\n- Small"]);
    let codes: Vec<_> = stage.notices().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["genesys.content_simplified"]);
}

#[tokio::test]
async fn the_agent_sees_that_a_message_arrived_and_the_user_that_one_did_not() {
    let mut stage = talking(Over::OpenMessaging).await;
    let hello = genesys_sim::AgentAction::Say("Hello".to_owned());
    stage.agent("kim", hello).await;
    let message = stage.signals().into_iter().find_map(|signal| match signal {
        Signal::Message { message_id, .. } => Some(message_id),
        _ => None,
    });
    let message = message.expect("a message");
    for receipt in [Receipt::Delivered, Receipt::Read] {
        let message = message.clone();
        stage.command(Command::Receipt { message, receipt }).await;
    }
    stage.breathe().await;
    let requests = stage.control.requests();
    let receipts = requests.iter().filter(|it| it.path.ends_with("/receipt"));
    assert_eq!(receipts.count(), 1);

    let mut file = stage.file("order.png", "image/png", b"\x89PNG\r\n\x1a\nx");
    file.url.push('9');
    let id = stage
        .say_all(UserMessage {
            attachments: vec![file],
            ..UserMessage::default()
        })
        .await;
    stage.breathe().await;
    assert_eq!(stage.receipts(), [(id.to_string(), Receipt::Failed)]);
}

#[tokio::test]
async fn engage_learns_how_far_the_user_has_read() {
    let stage = talking(Over::Engage).await;
    let hello = genesys_sim::AgentAction::Say("Hello".to_owned());
    stage.agent("kim", hello).await;
    let message = stage.signals().into_iter().find_map(|signal| match signal {
        Signal::Message { message_id, .. } => Some(message_id),
        _ => None,
    });
    let message = message.expect("a message");
    for receipt in [Receipt::Delivered, Receipt::Read, Receipt::Read] {
        let message = message.clone();
        stage.command(Command::Receipt { message, receipt }).await;
    }
    stage.breathe().await;
    let requests = stage.control.requests();
    let receipts = requests
        .iter()
        .filter(|it| it.path.ends_with("/readReceipt"));
    assert_eq!(receipts.count(), 1);
}

#[tokio::test]
async fn the_agent_reads_first_what_was_said_before() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        let mut request = request();
        request.transcript = vec!["Ana: hi".to_owned(), "Bot: hello".to_owned()];
        stage.open(request).await;
        stage.breathe().await;
        assert_eq!(
            stage.customer_said(),
            ["Ana: hi\nBot: hello", "Where is my order?"],
            "{over:?}"
        );
        assert_eq!(stage.notices(), [], "{over:?}");
    }
}
