//! What Genesys calls: webhooks, and the workflows of process-automation triggers.

use super::limits::within;
use crate::host::Host;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use handoff_engine::name::AccountName;
use handoff_genesys::WebhookReply;
use std::time::Duration;

/// A body larger than this is refused before it is read. The transport's own limit is lower.
const MAX_BODY: usize = 2 << 20;

/// How long a call may take to send its body.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn routes() -> Router<Host> {
    Router::new()
        .route("/v1/genesys/{account}/webhook", post(webhook))
        .route("/v1/genesys/{account}/events", post(event))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(|request, next| within(PATIENCE, request, next)))
}

impl Host {
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
