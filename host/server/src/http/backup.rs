//! A copy of the store, made while the host goes on.

use super::access::Operator;
use super::api::Api;
use super::problem::{ApiError, Problem};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use tokio_util::io::ReaderStream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(backup))
}

/// A copy of all sessions as of one moment.
///
/// The file is a store that a host can be started on. Secrets in it stay sealed under the host's key, which is
/// not part of it. One copy is made at a time.
#[utoipa::path(
    get,
    path = "/v1/backup",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 200, description = "The file.", body = [u8], content_type = "application/octet-stream"),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 503, description = "A copy is being made already, there is no room for one, or the store does not work.", body = Problem),
    ),
)]
pub(super) async fn backup(State(api): State<Api>, _: Operator) -> Result<Response, ApiError> {
    let _only = api.backup_place().ok_or(ApiError::Busy)?;
    let path = api.scratch().join(format!("backup-{}", Uuid::new_v4()));
    api.host().backup(&path).await?;
    let opened = tokio::fs::File::open(&path).await;
    // Whoever has it open reads on.
    let removed = tokio::fs::remove_file(&path).await;
    let broken = |error: std::io::Error| handoff_store::StoreError::from(error);
    let file = opened.map_err(broken)?;
    removed.map_err(broken)?;
    let bytes = file.metadata().await.map_err(broken)?.len();
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"sessions.handoff\"".to_owned(),
        ),
    ];
    let body = Body::from_stream(ReaderStream::new(file));
    Ok((headers, body).into_response())
}
