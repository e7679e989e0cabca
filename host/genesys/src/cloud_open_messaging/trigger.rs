//! Calls of a process-automation trigger's workflow (PROTOCOLS 4.7): who may make them, and which
//! conversation they are about.
//!
//! Their bodies are whatever the designer of the Web Services Data Action put there: the event's own
//! fields, or the whole event with its topic and body. Only the conversation is needed, because an
//! event is a hint to look; a forged one could do no more than cause a look.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use std::fmt;
use subtle::ConstantTimeEq;

/// The token by which workflows are known.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct EventsToken(String);

impl fmt::Debug for EventsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventsToken")
    }
}

impl EventsToken {
    pub(super) fn new(token: String) -> Self {
        Self(token)
    }

    /// Whether a call bears the token. Takes as long for a wrong token of its length as for it.
    pub(super) fn borne_by(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map_or("", |(_, token)| token.trim());
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(given.as_bytes()))
    }
}

/// What happened, and to which conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) conversation: String,
    /// Empty if it was not told.
    pub(super) topic: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    conversation_id: Option<String>,
    topic: Option<String>,
    topic_name: Option<String>,
    event_body: Option<Box<Body>>,
}

impl Trigger {
    /// Reads a call's body; none if it names no conversation.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body = crate::lenient_json::read(body)?;
        let body: Body = serde_json::from_value(body).ok()?;
        let inner = body.event_body.unwrap_or_default();
        let topic = body.topic.or(body.topic_name).or(inner.topic);
        let conversation = body.conversation_id.or(inner.conversation_id)?;
        let conversation = conversation.trim().to_owned();
        (!conversation.is_empty()).then_some(Self {
            conversation,
            topic: topic.unwrap_or_default(),
        })
    }

    /// Whether the customer's part has ended, and the conversation with it.
    pub(super) fn says_customer_ended(topic: &str) -> bool {
        topic.ends_with(".customer.end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_found_wherever_the_workflow_put_it() {
        let expected = Trigger {
            conversation: "9a1b".to_owned(),
            topic: "v2.detail.events.conversation.{id}.acw".to_owned(),
        };
        for body in [
            r#"{"id":"e","conversationId":"9a1b","topic":"v2.detail.events.conversation.{id}.acw","topicName":"acw","userId":"u"}"#,
            r#"{"topicName":"v2.detail.events.conversation.{id}.acw","eventBody":{"conversationId":"9a1b","wrapupCode":"w"}}"#,
        ] {
            assert_eq!(Trigger::read(body.as_bytes()).as_ref(), Some(&expected));
        }
        assert_eq!(Trigger::read(b"{}"), None);
        assert_eq!(Trigger::read(b"null"), None);
    }

    #[test]
    fn only_the_whole_token_passes() {
        let token = EventsToken::new("secret-token".to_owned());
        let borne = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().expect("a header"));
            token.borne_by(&headers)
        };
        assert!(borne("Bearer secret-token"));
        assert!(borne("bearer secret-token"));
        assert!(!borne("Bearer secret"));
        assert!(!borne("Basic secret-token"));
        assert!(!token.borne_by(&HeaderMap::new()));
        assert!(!EventsToken::new(String::new()).borne_by(&HeaderMap::new()));
    }
}
