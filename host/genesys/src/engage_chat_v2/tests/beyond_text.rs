//! What goes beside short texts: files, choices, receipts, holes in the transcript and its hand-over.

use super::*;
use handoff_engine::content::{Choice, ChoiceKind, Content, Receipt};

fn file(name: &str) -> Attachment {
    Attachment {
        name: name.to_owned(),
        mime: "image/png".to_owned(),
        url: format!("https://files.example/{name}"),
        size: Some(3),
    }
}

#[test]
fn files_go_after_their_text_and_those_the_site_does_not_take_are_noted() {
    let mut bench = Bench::opened();
    bench.command(Command::Say {
        id: effect(2),
        message: UserMessage {
            text: "Look".to_owned(),
            attachments: vec![file("a.exe"), file("b.png")],
            choice: None,
        },
        input: None,
    });
    bench.settle();
    let kinds: Vec<_> = bench.server.transcript[1..]
        .iter()
        .map(|event| event["text"].as_str().expect("a text"))
        .collect();
    assert_eq!(kinds, ["Look", "b.png"]);
    assert_eq!(bench.notices(), ["genesys.file_type_refused"]);
    assert_eq!(bench.settled, [effect(2)]);
}

#[test]
fn what_the_user_picked_goes_as_text() {
    let mut bench = Bench::opened();
    bench.command(Command::Say {
        id: effect(2),
        message: UserMessage {
            text: "Yes".to_owned(),
            choice: Some(Choice {
                kind: ChoiceKind::QuickReply,
                payload: "YES".to_owned(),
                message: "C1:3".to_owned(),
            }),
            ..UserMessage::default()
        },
        input: None,
    });
    bench.settle();
    assert_eq!(bench.server.texts_of_the_user(), ["Yes"]);
    assert_eq!(bench.notices(), ["genesys.content_simplified"]);
}

#[test]
fn an_agents_file_is_told_in_its_place() {
    let mut bench = Bench::opened();
    bench.server.agent("ParticipantJoined", "Kim", 2);
    bench.server.says("Kim", 2, "before");
    bench
        .server
        .put("Agent", "FileUploaded", "Kim", 2, Some("a.png"));
    let last = bench.server.transcript.last_mut().expect("an event");
    last["userData"] = json!({"file-id": "f1", "file-name": "a.png"});
    bench.server.says("Kim", 2, "after");
    bench.server.closes("Kim", 2);
    bench.settle();
    let told: Vec<_> = bench
        .seen
        .iter()
        .filter_map(|signal| match signal {
            Signal::Message { text, content, .. } => Some(match content.first() {
                Some(Content::Attachment(file)) => file.name.as_str(),
                _ => text.as_str(),
            }),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["before", "a.png", "after"]);
    assert_eq!(bench.end(), Some(&HandoffEnd::agent_left()));
}

#[test]
fn what_the_user_has_read_is_said_once_and_never_backwards() {
    let mut bench = Bench::opened();
    bench.server.says("Kim", 2, "one");
    bench.server.says("Kim", 2, "two");
    bench.settle();
    for message in ["C1:3", "C1:2", "elsewhere:9"] {
        bench.command(Command::Receipt {
            message: message.to_owned(),
            receipt: Receipt::Read,
        });
        bench.settle();
    }
    assert_eq!(bench.server.read, 3);
}

#[test]
fn a_missing_index_is_asked_for_once_and_counted() {
    let mut bench = Bench::opened();
    bench.server.agent("ParticipantJoined", "Kim", 2);
    for text in ["one", "two", "three"] {
        bench.server.says("Kim", 2, text);
    }
    // The first answer leaves out "two"; nobody is ever shown what comes before "three".
    let event = |at: usize| bench.server.transcript[at].clone();
    let holed =
        json!({"statusCode": 0, "nextPosition": 6, "messages": [event(1), event(2), event(4)]});
    let holed: Envelope = serde_json::from_value(holed).expect("an envelope");
    let news = bench
        .protocol
        .answer(bench.now, Operation::Refresh, Ok(holed.into()));
    assert_eq!(news.tally.map(|tally| tally.gaps), Some(1));
    bench.take(news);
    assert_eq!(bench.texts_of_agents(), ["one"]);
    bench.settle();
    assert_eq!(bench.texts_of_agents(), ["one", "two", "three"]);
}

#[test]
fn what_was_said_before_is_handed_over_in_as_few_texts_as_hold_it() {
    let mut request = request(Some("now"));
    let long = format!("Ana: {}", "x".repeat(4000));
    request.transcript = vec!["Ana: hi".to_owned(), "Bot: hello".to_owned(), long.clone()];
    let mut bench = Bench::new(None);
    bench.protocol = Protocol::open(site(), handoff(), request, bench.now);
    bench.settle();
    let said = bench.server.texts_of_the_user();
    assert_eq!(said.concat(), format!("Ana: hi\nBot: hello\n{long}now"));
    assert_eq!(said.len(), 2);
}
