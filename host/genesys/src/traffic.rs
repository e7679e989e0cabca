//! What passes over the wire on behalf of one handoff, noted for its next report.
//!
//! Hands note, protocols never see it. A note is a route or a name and an outcome: nothing of what is
//! said, no query, no key, no id that opens anything. The log and the traces tell the same of requests
//! (`asking`) as they happen; this is what the journal keeps. A handoff's traffic is a handle that can be cloned into every client and task that
//! works for it; what serves many handoffs at once (tokens fetched ahead, notification channels) is
//! noted with the handoff that waited for it, or not at all.

use crate::asking::{self, Weight, route};
use handoff_engine::clock::Clock;
use handoff_engine::session::{Exchange, Exchanges, Way};
use handoff_engine::time::Timestamp;
use reqwest::{RequestBuilder, Response};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the exchanges of one handoff are noted. The default notes nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Option<Arc<Noted>>);

#[derive(Debug)]
struct Noted {
    clock: Arc<dyn Clock>,
    exchanges: Mutex<Exchanges>,
}

impl Traffic {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let exchanges = Mutex::default();
        Self(Some(Arc::new(Noted { clock, exchanges })))
    }

    /// What passed since this was last asked.
    pub(crate) fn take(&self) -> Exchanges {
        self.0
            .as_ref()
            .map(|noted| std::mem::take(&mut *noted.lock()))
            .unwrap_or_default()
    }

    /// The platform sent something unasked.
    pub(crate) fn came(&self, what: impl Into<String>) {
        self.note(|now| Exchange::new(now, Way::In, what));
    }

    /// As [`Self::came`], with the platform's correlation id.
    pub(crate) fn came_with(&self, what: impl Into<String>, correlation: Option<String>) {
        self.note(|now| Exchange::new(now, Way::In, what).correlated(correlation));
    }

    /// Something ended, or failed, on the platform's side.
    pub(crate) fn ended(&self, what: impl Into<String>, outcome: &str) {
        self.note(|now| Exchange::new(now, Way::In, what).came_to(outcome));
    }

    /// Something was sent that has no answer of its own.
    pub(crate) fn went(&self, what: impl Into<String>) {
        self.note(|now| Exchange::new(now, Way::Out, what));
    }

    /// Sends a request and notes it by its method and route.
    pub(crate) async fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        self.weighed(request, Weight::Single).await
    }

    /// As [`Self::send`], for a request of any weight.
    pub(crate) async fn weighed(
        &self,
        request: RequestBuilder,
        weight: Weight,
    ) -> reqwest::Result<Response> {
        let (client, request) = request.build_split();
        let request = request?;
        let what = format!("{} {}", request.method(), route(request.url().path()));
        let request = RequestBuilder::from_parts(client, request);
        self.asked(what, asking::weighed(request, weight), outcome)
            .await
    }

    /// Sends a request to an address that nobody else may know, and notes it by another name.
    pub(crate) async fn send_as(
        &self,
        what: &str,
        request: RequestBuilder,
    ) -> reqwest::Result<Response> {
        self.asked(what.to_owned(), asking::send(request), outcome)
            .await
    }

    /// Awaits the opening of a socket and notes it.
    pub(crate) async fn opening<T, E>(
        &self,
        what: &str,
        opening: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let came_to = |result: &Result<T, E>| match result {
            Ok(_) => ("open".to_owned(), None),
            Err(_) => ("not-open".to_owned(), None),
        };
        self.asked(what.to_owned(), opening, came_to).await
    }

    async fn asked<T>(
        &self,
        what: String,
        answer: impl Future<Output = T>,
        came_to: impl FnOnce(&T) -> (String, Option<String>),
    ) -> T {
        let began = self.now();
        let answer = answer.await;
        if let Some(began) = began {
            let (outcome, correlation) = came_to(&answer);
            self.note(|now| {
                Exchange::new(began, Way::Out, what)
                    .came_to(outcome)
                    .correlated(correlation)
                    .took(now.since(began))
            });
        }
        answer
    }

    fn now(&self) -> Option<Timestamp> {
        self.0.as_ref().map(|noted| noted.clock.now())
    }

    fn note(&self, exchange: impl FnOnce(Timestamp) -> Exchange) {
        if let Some(noted) = &self.0 {
            let exchange = exchange(noted.clock.now());
            noted.lock().add(exchange);
        }
    }
}

impl Noted {
    fn lock(&self) -> std::sync::MutexGuard<'_, Exchanges> {
        self.exchanges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request came to.
fn outcome(answer: &reqwest::Result<Response>) -> (String, Option<String>) {
    match answer {
        Ok(response) => {
            let correlation = crate::platform::correlation(response.headers());
            (response.status().as_u16().to_string(), correlation.0)
        }
        Err(error) if error.is_timeout() => ("timed-out".to_owned(), None),
        Err(error) if error.is_connect() => ("not-connected".to_owned(), None),
        Err(_) => ("broken".to_owned(), None),
    }
}
