//! Versions of a project: which there are, who still runs on them, and which one new sessions take.

use super::access::Operator;
use super::api::Api;
use super::problem::{ApiError, Problem};
use crate::releases::{Deployments, Reload};
use crate::versions::VersionState;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(versions))
        .routes(routes!(reload))
        .routes(routes!(activate))
}

/// Versions, the one that new sessions take first.
#[derive(Serialize, ToSchema)]
struct VersionList {
    versions: Vec<VersionJson>,
}

/// A version of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = Version)]
#[serde(rename_all = "camelCase")]
struct VersionJson {
    /// SHA-256 over its files and node components. Sessions are pinned to it.
    digest: String,
    /// Whether new sessions take it.
    current: bool,
    /// Whether the host has it. Sessions of one that it has not stand still.
    loaded: bool,
    /// Open sessions that run on it: what is left to drain.
    open_sessions: u64,
}

/// What became of a look at the project's directory.
#[derive(Serialize, ToSchema)]
struct Reloaded {
    /// The version that new sessions take now.
    digest: String,
    /// Whether it is another one than before.
    changed: bool,
}

impl From<VersionState> for VersionJson {
    fn from(from: VersionState) -> Self {
        let VersionState {
            digest,
            current,
            loaded,
            open_sessions,
        } = from;
        Self {
            digest,
            current,
            loaded,
            open_sessions,
        }
    }
}

/// The versions of a project, and how many open sessions run on each.
#[utoipa::path(
    get,
    path = "/v1/projects/{name}/versions",
    tag = "operation",
    params(("name" = String, Path, description = "The project.")),
    security(("admin" = [])),
    responses(
        (status = 200, description = "Versions.", body = VersionList),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such project.", body = Problem),
    ),
)]
async fn versions(
    State(api): State<Api>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<VersionList>, ApiError> {
    known(&api, name)?;
    let versions = api.host().versions().await?;
    let versions = versions.into_iter().map(VersionJson::from).collect();
    Ok(Json(VersionList { versions }))
}

/// New sessions take what is in the project's directory now. Open ones stay as they are.
#[utoipa::path(
    post,
    path = "/v1/projects/{name}/reload",
    tag = "operation",
    params(("name" = String, Path, description = "The project.")),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The version that new sessions take.", body = Reloaded),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such project.", body = Problem),
        (status = 422, description = "The version has mistakes. Nothing has changed.", body = Problem),
    ),
)]
async fn reload(
    State(api): State<Api>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<Reloaded>, ApiError> {
    known(&api, name)?;
    let (digest, changed) = match deployments(&api)?.reload().await? {
        Reload::Deployed(digest) => (digest, true),
        Reload::Unchanged(digest) => (digest, false),
    };
    Ok(Json(Reloaded { digest, changed }))
}

/// New sessions take this version, an earlier one usually, until the project's directory changes.
#[utoipa::path(
    post,
    path = "/v1/projects/{name}/versions/{digest}/activate",
    tag = "operation",
    params(
        ("name" = String, Path, description = "The project."),
        ("digest" = String, Path, description = "The version, as the list of versions names it."),
    ),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The version that new sessions take.", body = Reloaded),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such project.", body = Problem),
        (status = 422, description = "No such version, or it cannot be used. Nothing has changed.", body = Problem),
    ),
)]
async fn activate(
    State(api): State<Api>,
    _: Operator,
    Path((name, digest)): Path<(String, String)>,
) -> Result<Json<Reloaded>, ApiError> {
    known(&api, name)?;
    let before = api.host().project();
    deployments(&api)?.go_back_to(&digest).await?;
    let changed = before.digest() != digest;
    Ok(Json(Reloaded { digest, changed }))
}

fn known(api: &Api, name: String) -> Result<(), ApiError> {
    if api.host().project().name() == name {
        Ok(())
    } else {
        Err(ApiError::UnknownProject(name))
    }
}

fn deployments(api: &Api) -> Result<&Deployments, ApiError> {
    api.deployments().ok_or(ApiError::NoDeployments)
}
