//! One HTTP request to Genesys, with what support needs in order to find it: a span with method,
//! route, status, Genesys' correlation id and the attempt.
//!
//! Everything that is asked of Genesys goes through here, and nothing of what it says: no query, no
//! header but the correlation id, no body. Of the path only the fixed words are told, because ids of
//! chats and guests open doors.

use crate::platform::correlation;
use http::Method;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use tracing::field::Empty;
use tracing::{Instrument, Span};

/// Longer parts of a path are no words.
const LONGEST_WORD: usize = 32;

/// How much a request matters to whoever reads traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// One of its own.
    Single,
    /// One of the many that ask whether there is news. Told at the level `DEBUG` only.
    Poll,
}

/// Sends a request and waits for the head of its answer.
pub(crate) async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
    weighed(request, Weight::Single).await
}

/// As [`send`], for a request of any weight.
pub(crate) async fn weighed(
    request: reqwest::RequestBuilder,
    weight: Weight,
) -> reqwest::Result<reqwest::Response> {
    let (client, request) = request.build_split();
    let request = request?;
    let route = route(request.url().path());
    let attempt = ATTEMPTS
        .try_with(|attempts| attempts.borrow().number(request.method(), &route))
        .unwrap_or(1);
    let span = span(weight, request.method(), &route, attempt);
    let method = request.method().clone();
    let sending = async {
        let answer = client.execute(request).await;
        note(&Span::current(), &answer);
        answer
    };
    let answer = sending.instrument(span).await;
    let went_well = matches!(&answer, Ok(answer) if answer.status().is_success());
    // Outside the task of a handoff nobody counts.
    let _uncounted = ATTEMPTS.try_with(|attempts| {
        attempts.borrow_mut().came(method, route, went_well);
    });
    answer
}

fn span(weight: Weight, method: &Method, route: &str, attempt: u32) -> Span {
    macro_rules! request_span {
        ($make:ident) => {
            tracing::$make!(
                "genesys request",
                otel.name = format!("{method} {route}"),
                otel.kind = "client",
                otel.status_code = Empty,
                http.request.method = %method,
                http.route = route,
                http.response.status_code = Empty,
                genesys.correlation_id = Empty,
                error.type = Empty,
                attempt,
            )
        };
    }
    match weight {
        Weight::Single => request_span!(info_span),
        Weight::Poll => request_span!(debug_span),
    }
}

/// Writes down what came back, in the span and as a line of the log.
fn note(span: &Span, answer: &reqwest::Result<reqwest::Response>) {
    match answer {
        Ok(answer) => {
            let status = answer.status();
            span.record("http.response.status_code", status.as_u16());
            let correlation = correlation(answer.headers()).0;
            if let Some(id) = &correlation {
                span.record("genesys.correlation_id", id.as_str());
            }
            if !status.is_success() {
                span.record("otel.status_code", "ERROR");
                span.record("error.type", status.as_str());
            }
            tracing::debug!("Genesys answered");
        }
        Err(error) => {
            let why = if error.is_timeout() {
                "timeout"
            } else if error.is_connect() {
                "connection"
            } else {
                "broken"
            };
            span.record("otel.status_code", "ERROR");
            span.record("error.type", why);
            tracing::debug!("Genesys did not answer");
        }
    }
}

/// A path with its ids left out. A word is short and of small letters, or a version.
pub(crate) fn route(path: &str) -> String {
    let part = |part: &str| {
        let may_stand = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.');
        let is_word = part.len() <= LONGEST_WORD && part.chars().all(may_stand);
        let is_version = part.len() <= 2 && part.ends_with(|c: char| c.is_ascii_digit());
        if is_word || is_version {
            part.to_owned()
        } else {
            "{id}".to_owned()
        }
    };
    let parts: Vec<String> = path.split('/').map(part).collect();
    parts.join("/")
}

/// How often in a row a handoff has asked for the same thing in vain.
#[derive(Debug, Default)]
struct Attempts(HashMap<(Method, String), u32>);

impl Attempts {
    fn number(&self, method: &Method, route: &str) -> u32 {
        let asked = (method.clone(), route.to_owned());
        self.0.get(&asked).copied().unwrap_or_default() + 1
    }

    fn came(&mut self, method: Method, route: String, went_well: bool) {
        let asked = (method, route);
        if went_well {
            self.0.remove(&asked);
        } else {
            *self.0.entry(asked).or_default() += 1;
        }
    }
}

tokio::task_local! {
    static ATTEMPTS: RefCell<Attempts>;
}

/// Runs the task of a handoff, whose attempts are numbered.
pub(crate) fn numbering<F: Future>(task: F) -> impl Future<Output = F::Output> {
    ATTEMPTS.scope(RefCell::default(), task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_the_words_of_its_path_and_none_of_its_ids() {
        for (path, expected) in [
            (
                "/api/v2/conversations/messages/0c1d7b9c-1111-4222-8333-444455556666/participants",
                "/api/v2/conversations/messages/{id}/participants",
            ),
            (
                "/genesys/2/chat/customer-support",
                "/genesys/2/chat/customer-support",
            ),
            (
                "/genesys/2/chat/customer-support/0001HaBQQ16E009Y/send",
                "/genesys/2/chat/customer-support/{id}/send",
            ),
            (
                "/api/v2/notifications/channels/streaming-5-abc/subscriptions",
                "/api/v2/notifications/channels/{id}/subscriptions",
            ),
            (
                "/webdeployments/v1/deployments/D1-x/config.json",
                "/webdeployments/v1/deployments/{id}/config.json",
            ),
            ("/thissecretisonlysmalllettersandlong", "/{id}"),
            ("/Ana%20Lima", "/{id}"),
            ("", ""),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }

    #[test]
    fn attempts_are_numbered_until_one_goes_well() {
        let mut attempts = Attempts::default();
        let number = |attempts: &Attempts| attempts.number(&Method::POST, "/chat");
        assert_eq!(number(&attempts), 1);
        attempts.came(Method::POST, "/chat".to_owned(), false);
        attempts.came(Method::POST, "/chat".to_owned(), false);
        assert_eq!(number(&attempts), 3);
        assert_eq!(attempts.number(&Method::GET, "/chat"), 1, "another request");
        attempts.came(Method::POST, "/chat".to_owned(), true);
        assert_eq!(number(&attempts), 1);
    }
}
