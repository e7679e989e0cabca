//! Sessions: start one, say something in it, give it a file, look at it, tell what happened in it, renew
//! and revoke its tokens.

mod attach;
mod create;
mod look;
pub(super) mod say;
mod timeline;
mod token;

use super::api::Api;
use super::body::MAX_JSON;
use super::limits::{Limits, within};
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What is answered at once.
pub(super) fn routes(limits: &Limits) -> OpenApiRouter<Api> {
    let time = limits.request_time;
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(look::look))
        .routes(routes!(timeline::timeline))
        .routes(routes!(say::post_message))
        .routes(routes!(say::post_typing))
        .routes(routes!(say::post_receipt))
        .routes(routes!(say::post_leave))
        .routes(routes!(token::renew))
        .routes(routes!(token::revoke))
        .layer(DefaultBodyLimit::max(MAX_JSON))
        .layer(from_fn(move |request, next| within(time, request, next)))
}

/// What takes as long as the client's line does.
pub(super) fn uploads(limits: &Limits) -> OpenApiRouter<Api> {
    attach::routes(limits)
}
