//! What is followed, and the notification topics that tell of it (PROTOCOLS 5).

use super::feeds::Happening;
use crate::unreadable::unreadable;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The events after which a conversation is looked at. Ringing, answering and leaving agents, queues
/// and the end all show in one of them.
const DETAIL_EVENTS: [&str; 5] = [
    "user.start",
    "user.end",
    "acd.start",
    "acd.end",
    "customer.end",
];

const DETAIL_PREFIX: &str = "v2.detail.events.conversation.";
const QUEUE_PREFIX: &str = "v2.routing.queues.";
const QUEUE_SUFFIX: &str = ".conversations.messages";

/// Something to follow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// What happens to one conversation, by its id.
    Conversation(String),
    /// Which messaging conversations come to a queue, by the queue's id.
    Queue(String),
}

impl Subject {
    /// The most topics a subject takes.
    pub(super) const TOPICS: usize = DETAIL_EVENTS.len();

    /// The topics to subscribe to.
    pub(super) fn topics(&self) -> Vec<String> {
        match self {
            Self::Conversation(id) => DETAIL_EVENTS
                .iter()
                .map(|event| format!("{DETAIL_PREFIX}{id}.{event}"))
                .collect(),
            Self::Queue(id) => vec![format!("{QUEUE_PREFIX}{id}{QUEUE_SUFFIX}")],
        }
    }

    /// The subject a topic tells of.
    pub(super) fn of(topic: &str) -> Option<Self> {
        if let Some(rest) = topic.strip_prefix(DETAIL_PREFIX) {
            let (id, _) = rest.split_once('.')?;
            return Some(Self::Conversation(id.to_owned()));
        }
        let id = topic.strip_prefix(QUEUE_PREFIX)?;
        let id = id.strip_suffix(QUEUE_SUFFIX)?;
        Some(Self::Queue(id.to_owned()))
    }
}

/// A frame of a notification socket. Of conversations' events only the topic counts: that something
/// happened is all they are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Frame {
    topic_name: String,
    event_body: serde_json::Value,
}

/// What a frame says.
#[derive(Debug)]
pub(crate) enum Tidings {
    /// Genesys is about to close the socket.
    Closing,
    /// Something happened to what can be followed.
    Of(Subject, Happening),
    /// A heartbeat, or nothing that can be read.
    Nothing,
}

/// Reads a frame.
pub(crate) fn tidings(text: &str) -> Tidings {
    let frame: Frame = serde_json::from_str(text).unwrap_or_default();
    if frame.topic_name == "v2.system.socket_closing" {
        return Tidings::Closing;
    }
    match Subject::of(&frame.topic_name) {
        Some(subject @ Subject::Conversation(_)) => Tidings::Of(subject, Happening::Changed),
        Some(subject @ Subject::Queue(_)) => {
            match serde_json::from_value::<Snapshot>(frame.event_body) {
                Ok(snapshot) => Tidings::Of(subject, Happening::Seen(Arc::new(snapshot))),
                Err(error) => {
                    let why = unreadable(&error);
                    tracing::warn!(why, "a queue's event cannot be read");
                    Tidings::Nothing
                }
            }
        }
        None => Tidings::Nothing,
    }
}

/// The body of a queue's frame: a conversation with everyone in it, of whom only the attributes are
/// read. What else there is to see a look shows.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    participants: Vec<Present>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Present {
    attributes: Option<BTreeMap<String, serde_json::Value>>,
}

impl Snapshot {
    /// Whether somebody in the conversation has an attribute of this value.
    pub(crate) fn has_attribute(&self, name: &str, value: &str) -> bool {
        let attributes = self
            .participants
            .iter()
            .filter_map(|it| it.attributes.as_ref());
        attributes
            .filter_map(|it| it.get(name)?.as_str())
            .any(|it| it == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_leads_back_to_its_subject() {
        let subjects = [
            Subject::Conversation("9a1b".to_owned()),
            Subject::Queue("q-1".to_owned()),
        ];
        for subject in subjects {
            for topic in subject.topics() {
                assert_eq!(Subject::of(&topic).as_ref(), Some(&subject));
            }
        }
        assert_eq!(Subject::of("channel.metadata"), None);
        assert_eq!(Subject::of("v2.routing.queues.q-1.users"), None);
    }
}
