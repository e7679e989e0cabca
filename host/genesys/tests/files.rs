//! Files go both ways, within what each platform takes; those it does not take are said to be lost.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say, SendFile};
use genesys_sim::Fault;
use handoff_engine::account::Account;
use handoff_engine::content::{Content, UserMessage};
use handoff_engine::handoff::{HandoffEnd, Signal};
use support::{Over, Stage, no_repeats, request};

/// The transports that carry files as what they are.
const CARRYING: [Over; 3] = [Over::Engage, Over::WebMessaging, Over::OpenMessaging];

async fn talking(over: Over) -> Stage {
    let mut stage = Stage::set(over).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage
}

#[tokio::test]
async fn an_image_of_the_users_reaches_the_agent_after_its_text() {
    for over in CARRYING {
        let mut stage = talking(over).await;
        let file = stage.file("order.png", "image/png", b"\x89PNG\r\n\x1a\nx");
        let message = UserMessage {
            attachments: vec![file],
            ..UserMessage::text("Here it is")
        };
        let id = stage.say_all(message).await;
        stage.breathe().await;
        let lines = stage.customer_lines().split_off(1);
        let [text, file] = lines.as_slice() else {
            panic!("{over:?}: {lines:#?}")
        };
        assert_eq!(text.text, "Here it is");
        assert_eq!(file.attachments[0].name, "order.png", "{over:?}");
        assert_eq!(stage.settled(), [id], "{over:?}");
        assert_eq!(stage.notices(), [], "{over:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_doubles_no_file() {
    for (over, path) in [
        (Over::Engage, "/genesys/2/chat/customer-support"),
        (Over::OpenMessaging, "/api/v2/conversations/messages/"),
    ] {
        let mut stage = talking(over).await;
        let first = stage.file("a.png", "image/png", b"\x89PNG\r\n\x1a\nx");
        let second = stage.file("b.png", "image/png", b"\x89PNG\r\n\x1a\ny");
        let message = |file| UserMessage {
            attachments: vec![file],
            ..UserMessage::default()
        };
        stage.say_all(message(first)).await;
        stage.breathe().await;
        stage.control.fault(Fault::LoseReplies {
            path: path.to_owned(),
            times: 1,
        });
        stage.say_all(message(second)).await;
        stage.pass(handoff_engine::time::Millis::from_mins(1)).await;
        let names: Vec<_> = stage
            .customer_lines()
            .into_iter()
            .flat_map(|line| line.attachments)
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["a.png", "b.png"], "{over:?}");
        assert_eq!(stage.settled().len(), 2, "{over:?}");
    }
}

#[tokio::test]
async fn a_file_the_platform_does_not_take_is_noted_and_the_next_one_goes() {
    for over in CARRYING {
        let mut stage = Stage::with(over, |account| {
            if let Account::CloudOpenMessaging(account) = account {
                account.integration = "images only".to_owned();
            }
        })
        .await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        let file = stage.file("tool.exe", "application/x-msdownload", b"MZ");
        let next = stage.file("order.png", "image/png", b"\x89PNG\r\n\x1a\nx");
        let id = stage
            .say_all(UserMessage {
                attachments: vec![file, next],
                ..UserMessage::default()
            })
            .await;
        stage.breathe().await;
        assert_eq!(stage.settled(), [id], "{over:?}");
        let notices = stage.notices();
        assert_eq!(notices.len(), 1, "{over:?}: {notices:#?}");
        assert_eq!(notices[0].0, "genesys.file_type_refused");
        assert!(notices[0].1.contains("tool.exe"), "{notices:#?}");
        let last = stage.customer_lines().pop();
        let last = last.map(|line| line.attachments[0].name.clone());
        assert_eq!(last.as_deref(), Some("order.png"), "{over:?}");
    }
}

#[tokio::test]
async fn a_file_nobody_keeps_any_more_is_noted() {
    let mut stage = talking(Over::Engage).await;
    let mut file = stage.file("order.png", "image/png", b"\x89PNG\r\n\x1a\nx");
    file.url.push('9');
    stage
        .say_all(UserMessage {
            attachments: vec![file],
            ..UserMessage::default()
        })
        .await;
    stage.breathe().await;
    assert_eq!(stage.notices()[0].0, "genesys.file_unreadable");
    assert_eq!(stage.end(), None);
}

#[tokio::test]
async fn a_file_of_the_agents_reaches_the_user_between_the_texts_around_it() {
    for over in CARRYING {
        let stage = talking(over).await;
        stage.agent("kim", Say("before".to_owned())).await;
        stage.agent("kim", SendFile("label.png".to_owned())).await;
        stage.agent("kim", Say("after".to_owned())).await;
        let contents = stage.contents();
        let [Content::Attachment(file)] = contents.as_slice() else {
            panic!("{over:?}: {:#?}", stage.signals())
        };
        assert_eq!(file.name, "label.png", "{over:?}");
        assert!(file.is_image(), "{file:?}");
        if over == Over::Engage {
            let kept = stage.shelf.at(&file.url).expect("it is kept");
            assert_eq!(Some(kept.bytes.len() as u64), file.size);
        }
        let order: Vec<_> = stage
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::Message { text, content, .. } => Some((text, content.len())),
                _ => None,
            })
            .collect();
        let [before, with_file, after] = order.as_slice() else {
            panic!("{order:?}")
        };
        assert_eq!(before, &("before".to_owned(), 0));
        assert_eq!(with_file.1, 1);
        assert_eq!(after, &("after".to_owned(), 0));
        stage.agent("kim", Close).await;
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{over:?}");
        no_repeats(&stage.told());
    }
}

#[tokio::test]
async fn an_agents_file_that_cannot_be_fetched_is_noted_by_name() {
    let stage = talking(Over::Engage).await;
    stage.at_once("kim", SendFile("label.png".to_owned()));
    let chat = stage.conversation().id;
    stage.control.fault(Fault::RefuseRequests {
        path: format!("/genesys/2/chat/customer-support/{chat}/file"),
        times: 10,
        status: 404,
        code: None,
        retry_after: None,
    });
    stage.at_once("kim", Say("Did you get it?".to_owned()));
    stage.breathe().await;
    let notices = stage.notices();
    assert_eq!(notices[0].0, "genesys.file_not_received");
    assert!(notices[0].1.contains("label.png"), "{notices:#?}");
    assert_eq!(stage.heard(), ["Kim: Did you get it?"]);
}
