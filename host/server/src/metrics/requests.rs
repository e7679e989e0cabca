//! Counting the HTTP requests that this host answers.

use super::Metrics;
use super::labels::{Request, Route};
use crate::host::Host;
use axum::extract::{MatchedPath, Request as Asked, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use std::time::{Duration, Instant};

/// Layer of a router: `middleware::from_fn_with_state(host, count_request)`. Counts by the route as
/// it was registered, never by the path, which holds ids.
pub(crate) async fn count_request(State(host): State<Host>, asked: Asked, next: Next) -> Response {
    let method = method(asked.method());
    let route = asked.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(asked).await;
    let status = response.status().as_u16();
    host.0
        .metrics
        .answered(method, route, status, begun.elapsed());
    response
}

/// Methods that anybody may make up are one.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

impl Metrics {
    fn answered(&self, method: &'static str, route: String, status: u16, took: Duration) {
        let timed = Route {
            method,
            route: route.clone(),
        };
        self.request_times
            .get_or_create(&timed)
            .observe(took.as_secs_f64());
        let counted = Request {
            method,
            route,
            status,
        };
        self.requests.get_or_create(&counted).inc();
    }
}
