//! Answers and notifications of the Platform API, and what is concluded from them.
//!
//! A conversation looked at twice tells what it shows once; a refusal becomes a sentence whatever its
//! body; a frame finds no subject that its topic does not name.

use super::webhooks::halves;
use crate::end::EndOfHandoff;
use crate::following::{Beginning, Happening, Picture, Subject, Tidings, look, tidings};
use crate::platform::conversations::{Conversation, MessageData};
use crate::platform::inbound::Posted;
use crate::platform::{Correlation, PlatformError};
use handoff_engine::handoff::Signal;
use handoff_engine::time::Timestamp;
use std::collections::BTreeMap;

/// An answer: a line with its HTTP status, and its body.
pub(super) fn answer(input: &[u8]) {
    let (head, body) = halves(input);
    let status = std::str::from_utf8(head).ok();
    match status.and_then(|status| status.trim().parse().ok()) {
        Some(200) | None => success(body),
        Some(status) => refusal(status, body),
    }
}

/// A frame of the notification socket.
pub(super) fn frame(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Tidings::Of(subject, happening) = tidings(&text) else {
        return;
    };
    let (Subject::Conversation(id) | Subject::Queue(id)) = &subject;
    let value: serde_json::Value = serde_json::from_str(&text).expect("what was read is JSON");
    let topic = value["topicName"].as_str().unwrap_or_default();
    assert!(topic.contains(id.as_str()), "{subject:?} of {topic}");
    if let Happening::Seen(snapshot) = happening {
        let named = snapshot.has_attribute("handoff", "session/1/0");
        assert!(!named || text.contains("session/1/0"), "{snapshot:?}");
    }
}

fn success(body: &[u8]) {
    if let Ok(conversation) = serde_json::from_slice::<Conversation>(body) {
        see(&conversation);
    }
    // Read, and nothing more: what follows from them is for the scripts of the transports.
    drop(serde_json::from_slice::<MessageData>(body));
    drop(serde_json::from_slice::<Posted>(body));
}

fn see(conversation: &Conversation) {
    let beginning = Beginning {
        message: Some("m0"),
        time: Timestamp(1_767_607_200_000),
    };
    let mut names = BTreeMap::new();
    let unnamed: Picture = look(conversation, beginning, &names);
    for user in unnamed.nameless {
        names.insert(user, "Kim".to_owned());
    }
    let picture = look(conversation, beginning, &names);
    assert!(
        picture.nameless.is_empty(),
        "named, and still without a name: {:?}",
        picture.nameless
    );
    let mut end = EndOfHandoff::default();
    let told = end.observe(picture.observations.clone());
    let ends = |signal: &Signal| matches!(signal, Signal::Ended(_));
    assert!(
        !told.iter().any(ends),
        "a look alone ends nothing: {told:?}"
    );
    let again = end.observe(picture.observations);
    assert!(again.is_empty(), "seen twice, told twice: {again:?}");
}

fn refusal(status: u16, body: &[u8]) {
    let error = PlatformError::refusal(
        "list queues",
        "routing:queue:view",
        status,
        None,
        Correlation::default(),
        body,
    );
    let sentence = error.to_string();
    assert!(sentence.ends_with('.'), "{sentence}");
    assert!(error.code().starts_with("genesys."), "{}", error.code());
}
