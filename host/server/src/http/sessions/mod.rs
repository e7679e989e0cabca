//! Sessions: start one, say something in it, give it a file, look at it.

mod attach;
mod create;
mod look;
pub(super) mod say;

use super::api::Api;
use super::body::MAX_JSON;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What is answered at once.
pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(look::look))
        .routes(routes!(say::post_message))
        .routes(routes!(say::post_typing))
        .routes(routes!(say::post_receipt))
        .routes(routes!(say::post_leave))
        .layer(DefaultBodyLimit::max(MAX_JSON))
}

/// What takes as long as the client's line does.
pub(super) fn uploads() -> OpenApiRouter<Api> {
    attach::routes()
}
