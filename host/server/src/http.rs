//! HTTP: Genesys' webhooks, and a sign of life.

use crate::host::Host;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use handoff_engine::name::AccountName;
use tokio::net::TcpListener;

/// A body larger than this is refused before it is read. The transport's own limit is lower.
const MAX_BODY: usize = 2 << 20;

impl Host {
    /// The routes of this host, for an embedder's own server.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/v1/genesys/{account}/webhook", post(webhook))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(self.clone())
    }

    /// Serves the routes until the host stops.
    pub fn serve(&self, listener: TcpListener) {
        let router = self.router();
        let stopping = self.0.stopping.clone();
        self.spawn(async move {
            // Connections outlive the listener; this closes them too.
            let serving =
                axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "the HTTP server stopped");
            }
        });
    }

    /// The path under which an account's webhook is served.
    #[must_use]
    pub fn webhook_path(account: &AccountName) -> String {
        format!("/v1/genesys/{account}/webhook")
    }
}

async fn webhook(
    State(host): State<Host>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if host.is_stopping() {
        // Taken here it would be lost; Genesys brings it again, to the host that takes over.
        return (StatusCode::SERVICE_UNAVAILABLE, "this host is stopping\n").into_response();
    }
    let account = AccountName::new(account);
    match host.webhook(&account, &headers, &body) {
        Some(reply) => (reply.status, reply.body).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            format!("this host has no account '{account}'\n"),
        )
            .into_response(),
    }
}
