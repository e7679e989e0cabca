//! HTTP: Genesys' webhooks and triggers, files, and a sign of life.

use crate::host::Host;
use crate::media;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use handoff_engine::name::AccountName;
use handoff_genesys::WebhookReply;
use tokio::net::TcpListener;

/// A body larger than this is refused before it is read. The transport's own limit is lower.
const MAX_BODY: usize = 2 << 20;

impl Host {
    /// The routes of this host, for an embedder's own server.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/v1/genesys/{account}/webhook", post(webhook))
            .route("/v1/genesys/{account}/events", post(event))
            .route("/v1/media/{id}/{name}", get(media::serve))
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

    /// The path under which an account's trigger events are served.
    #[must_use]
    pub fn events_path(account: &AccountName) -> String {
        format!("/v1/genesys/{account}/events")
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
    take(&host, &AccountName::new(account), |account| {
        host.webhook(account, &headers, &body)
    })
}

/// What the workflow of a trigger on a `v2.detail.events.conversation.{id}...` topic posts.
async fn event(
    State(host): State<Host>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    take(&host, &AccountName::new(account), |account| {
        host.event(account, &headers, &body)
    })
}

fn take(
    host: &Host,
    account: &AccountName,
    hand_over: impl FnOnce(&AccountName) -> Option<WebhookReply>,
) -> Response {
    if host.is_stopping() {
        // Taken here it would be lost; Genesys brings it again, to the host that takes over.
        return (StatusCode::SERVICE_UNAVAILABLE, "this host is stopping\n").into_response();
    }
    match hand_over(account) {
        Some(reply) => (reply.status, reply.body).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            format!("this host has no account '{account}'\n"),
        )
            .into_response(),
    }
}
