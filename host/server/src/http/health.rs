//! Signs of life.

use super::api::Api;
use super::problem::ApiError;
use crate::host::Host;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use handoff_store::StoreError;
use std::time::Duration;

/// A store that takes longer may be busy; only one that says that it stopped has.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process lives, and nothing has happened that only a start mends. Whoever watches this starts the
/// process anew when it fails.
pub(super) async fn alive(State(host): State<Host>) -> Response {
    match tokio::time::timeout(PATIENCE, host.store_answers()).await {
        Ok(Err(error @ (StoreError::Stopped(_) | StoreError::Closed))) if !host.is_stopping() => {
            not_ready(&error.to_string())
        }
        _ => "ok".into_response(),
    }
}

/// What is answered before the host works: that the process lives, and that it takes no work yet.
pub(crate) fn while_starting() -> Router {
    let loading = || async { not_ready("the host is starting") };
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(loading))
        .fallback(|| async { ApiError::Starting.into_response() })
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
    if api.is_leaving() {
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
