//! What Genesys calls: webhooks, and the workflows of process-automation triggers.

use super::access::Operator;
use super::api::Api;
use super::limits::within;
use super::problem::Problem;
use crate::host::Host;
use crate::webhooks::{Missed, WebhookCounts};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use handoff_engine::name::AccountName;
use handoff_genesys::{WebhookOutcome, WebhookReply};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// A body larger than this is refused before it is read. The transport's own limit is lower.
const MAX_BODY: usize = 2 << 20;

/// How long a call may take to send its body.
const PATIENCE: Duration = Duration::from_secs(30);

/// For how long after a start a call may wait for its handoff to be taken up. Genesys is said to wait
/// for 10 seconds.
const TAKING_UP: Duration = Duration::from_secs(5);

/// How often it is looked whether a handoff has been taken up.
const LOOK: Duration = Duration::from_millis(200);

/// When Genesys may bring a call again that found no handoff, seconds.
const BRING_AGAIN: &str = "20";

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
    let account = AccountName::new(account);
    if host.is_stopping() {
        return stopping();
    }
    let mut reply = host.webhook(&account, &headers, &body);
    while let Some(WebhookOutcome::Unclaimed { .. }) = reply.as_ref().map(|it| &it.outcome)
        && host.0.metrics.webhooks().may_be_taken_up(TAKING_UP)
        && !host.is_stopping()
    {
        tokio::time::sleep(LOOK).await;
        reply = host.webhook(&account, &headers, &body);
    }
    if let Some(reply) = &reply {
        host.0.metrics.webhook(&account, &reply.outcome, host.now());
    }
    answer(&account, reply)
}

/// What became of webhook calls, and those of the last that users may miss.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookList {
    /// Since the host started, by account and outcome.
    counts: Vec<WebhookCounts>,
    /// The last calls with a valid signature that no handoff of this host knew or that could not be read,
    /// the latest first.
    missed: Vec<Missed>,
}

/// What became of webhook calls since the host started.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 200, description = "Counts, and the last calls that users may miss.", body = WebhookList),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
    ),
)]
pub(super) async fn webhooks(State(api): State<Api>, _: Operator) -> Json<WebhookList> {
    let (counts, missed) = api.host().0.metrics.webhooks().list();
    Json(WebhookList { counts, missed })
}

/// What the workflow of a trigger on a `v2.detail.events.conversation.{id}...` topic posts.
async fn event(
    State(host): State<Host>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let account = AccountName::new(account);
    if host.is_stopping() {
        return stopping();
    }
    let reply = host.event(&account, &headers, &body);
    answer(&account, reply)
}

/// Taken by a host that stops it would be lost; Genesys brings it again, to the host that takes over.
fn stopping() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "this host is stopping\n").into_response()
}

fn answer(account: &AccountName, reply: Option<WebhookReply>) -> Response {
    match reply {
        Some(reply) if reply.status == StatusCode::SERVICE_UNAVAILABLE => {
            let again = [(header::RETRY_AFTER, BRING_AGAIN)];
            (reply.status, again, reply.body).into_response()
        }
        Some(reply) => (reply.status, reply.body).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            format!("this host has no account '{account}'\n"),
        )
            .into_response(),
    }
}
