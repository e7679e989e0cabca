//! New keys and secrets while the host runs.

use super::access::Operator;
use super::api::Api;
use super::problem::{ApiError, Problem};
use crate::key::KeyError;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(rotate_key))
        .routes(routes!(reload_secrets))
}

/// What became of reading secrets again.
#[derive(Serialize, ToSchema)]
struct SecretsReloaded {
    /// Accounts that have another secret than before.
    changed: usize,
}

/// Makes a new key of the host's: it signs sessions' tokens and seals handles from now on, and the ones
/// before still open what they signed and sealed.
#[utoipa::path(
    post,
    path = "/v1/keys/rotate",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 204, description = "There is a new key."),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 503, description = "The key cannot be written. Nothing has changed.", body = Problem),
    ),
)]
async fn rotate_key(State(api): State<Api>, _: Operator) -> Result<StatusCode, ApiError> {
    let key = api.gate().key().clone();
    let rotated = tokio::task::spawn_blocking(move || key.rotate()).await;
    rotated.map_err(|_| KeyError::NoRandomness)??;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads the secrets again with which calls of Genesys' are checked. Those before are accepted for an
/// hour longer.
#[utoipa::path(
    post,
    path = "/v1/secrets/reload",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 200, description = "They were read.", body = SecretsReloaded),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 422, description = "One cannot be read. Its account goes on with the one before.", body = Problem),
    ),
)]
async fn reload_secrets(
    State(api): State<Api>,
    _: Operator,
) -> Result<Json<SecretsReloaded>, ApiError> {
    let deployments = api.deployments().ok_or(ApiError::NoDeployments)?;
    let changed = deployments.renew_secrets().map_err(ApiError::Secrets)?;
    Ok(Json(SecretsReloaded { changed }))
}
