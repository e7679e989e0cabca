//! Tokens of a session after its first: renewed before they expire, and revoked.

use crate::http::access::{Operator, Visit};
use crate::http::api::Api;
use crate::http::limits::InWork;
use crate::http::problem::{ApiError, Problem};
use crate::http::words::TokenJson;
use crate::sessions::InputError;
use axum::Json;
use axum::extract::{Path, State};
use handoff_engine::name::SessionId;

/// Issues a new token of a session, to whoever has one that is still valid, or an admin token. The ones
/// before stay valid until they expire.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/token",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The new token.", body = TokenJson),
        (status = 401, description = "No token, or one that expired or was revoked.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 429, description = "Too much at once; wait for as long as Retry-After says.", body = Problem),
    ),
)]
pub(super) async fn renew(
    State(api): State<Api>,
    Visit { session, .. }: Visit,
    _: InWork,
) -> Result<Json<TokenJson>, ApiError> {
    known(&api, &session).await?;
    let token = api.gate().token(&session, api.host().now());
    Ok(Json((&token).into()))
}

/// Revokes every token of a session, as when one got into the wrong hands, and issues a new one to pass
/// on. Streams and sockets that were opened with a revoked token end.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/revoke",
    tag = "operation",
    params(("id" = String, Path, description = "The session.")),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The one token that opens the session now.", body = TokenJson),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 503, description = "It is revoked until the next start only, since it cannot be written.", body = Problem),
    ),
)]
pub(super) async fn revoke(
    State(api): State<Api>,
    _: Operator,
    Path(session): Path<String>,
    _: InWork,
) -> Result<Json<TokenJson>, ApiError> {
    let session = SessionId::new(session);
    known(&api, &session).await?;
    let now = api.host().now();
    let (revocations, revoked) = (api.gate().sessions().revocations().clone(), session.clone());
    let written = tokio::task::spawn_blocking(move || revocations.revoke(&revoked, now)).await;
    let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    written.map_err(ApiError::NotRevoked)?;
    let token = api.gate().token(&session, api.host().now());
    Ok(Json((&token).into()))
}

async fn known(api: &Api, session: &SessionId) -> Result<(), ApiError> {
    let stored = api.host().session(session).await?;
    match stored {
        Some(_) => Ok(()),
        None => Err(InputError::UnknownSession(session.clone()).into()),
    }
}
