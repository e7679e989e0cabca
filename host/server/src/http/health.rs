//! Signs of life.

use super::api::Api;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The process lives.
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// Whether the host takes work.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "The store answers and the host takes work.", body = String, content_type = "text/plain"),
        (status = 503, description = "Send work elsewhere; the text says why.", body = String, content_type = "text/plain"),
    ),
)]
pub(super) async fn ready(State(api): State<Api>) -> Response {
    if api.is_draining() {
        return not_ready("the host is about to stop");
    }
    match api.host().store_answers().await {
        Ok(()) => "ok".into_response(),
        Err(error) => not_ready(&error.to_string()),
    }
}

fn not_ready(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response()
}
