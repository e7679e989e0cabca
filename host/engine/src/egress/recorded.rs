//! Answers out of a journal.

use super::{Answer, Call, CallError, Egress, HttpRequest, HttpResponse};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Answers as the same turn was answered before, and sends nothing.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<VecDeque<Call>>);

impl Recorded {
    /// From the calls of a turn's journal, in order. Those that were refused before they left are
    /// refused again without being asked for here.
    pub fn new(calls: impl IntoIterator<Item = Call>) -> Self {
        let carried = |call: &Call| match &call.answer {
            Answer::Answered(_) => true,
            Answer::Failed(error) => !matches!(
                error,
                CallError::Denied { .. }
                    | CallError::SecretDenied { .. }
                    | CallError::SecretMisplaced { .. }
                    | CallError::TooMany { .. }
                    | CallError::RequestTooLong { .. }
                    | CallError::Malformed { .. }
            ),
        };
        Self(Mutex::new(calls.into_iter().filter(carried).collect()))
    }
}

#[async_trait]
impl Egress for Recorded {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let next = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        // A journal keeps addresses without the marks of placeholders.
        let mut asked = request.url.to_string();
        for secret in &request.secrets {
            asked = asked.replace(secret.mark(), "");
        }
        let same = next.filter(|call| {
            call.id == request.id
                && call.method == request.method
                && url::Url::parse(&call.url).is_ok_and(|url| url.as_str() == asked)
        });
        match same.map(|call| call.answer) {
            Some(Answer::Answered(response)) => Ok(response),
            Some(Answer::Failed(error)) => Err(error),
            None => Err(CallError::Unreachable {
                origin: request.origin(),
                reason:
                    "the journal has no answer to this request: the turn takes another course now"
                        .to_owned(),
            }),
        }
    }
}
