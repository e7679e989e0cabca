//! Looking at a session.

use crate::http::access::Visit;
use crate::http::api::Api;
use crate::http::limits::InWork;
use crate::http::problem::{ApiError, Problem};
use crate::http::words::SessionJson;
use crate::sessions::InputError;
use axum::Json;
use axum::extract::State;

/// A session as of its last turn.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    security(("session" = [])),
    responses(
        (status = 200, description = "The session.", body = SessionJson),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
    ),
)]
pub(super) async fn look(
    State(api): State<Api>,
    Visit { session, .. }: Visit,
    _: InWork,
) -> Result<Json<SessionJson>, ApiError> {
    let stored = api.host().session(&session).await?;
    let stored = stored.ok_or(InputError::UnknownSession(session))?;
    Ok(Json((&stored).into()))
}
