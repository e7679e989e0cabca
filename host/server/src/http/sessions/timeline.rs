//! What happened in a session, for operators.

use crate::http::access::{Caller, Operator};
use crate::http::api::Api;
use crate::http::body::Asked;
use crate::http::limits::InWork;
use crate::http::problem::{ApiError, Problem};
use crate::http::roles::Role;
use crate::sessions::InputError;
use crate::timeline::Redaction;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use handoff_engine::name::SessionId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// How a timeline is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `json` if nothing is said.
    #[serde(default)]
    #[param(inline)]
    format: Format,
    /// Shows what people said and who they are, which needs the role `operate` as well. Keys are not shown
    /// even so.
    #[serde(default)]
    reveal: bool,
}

/// A form of a timeline.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    Json,
    Text,
    Html,
}

/// What happened in a session.
///
/// Every input, step, effect, exchange with Genesys and timer, from the journal alone. What people said
/// and who they are is hidden unless it is asked for.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/timeline",
    tag = "operation",
    params(("id" = String, Path, description = "The session."), Wanted),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The timeline, `timeline@1` if it is JSON.", content(
            (Object = "application/json"),
            (String = "text/plain"),
            (String = "text/html"),
        )),
        (status = 400, description = "A format that is none.", body = Problem),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
    ),
)]
pub(super) async fn timeline(
    State(api): State<Api>,
    operator: Operator,
    Path(session): Path<String>,
    _: InWork,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, ApiError> {
    let session = SessionId::new(session);
    api.limiter().read(&session, Caller::Admin)?;
    let redaction = if wanted.reveal {
        operator.has(Role::Operate)?;
        Redaction::Revealed
    } else {
        Redaction::Private
    };
    let timeline = api.host().timeline(&session, redaction).await?;
    let timeline = timeline.ok_or(InputError::UnknownSession(session))?;
    let told = match wanted.format {
        Format::Json => Json(timeline).into_response(),
        Format::Text => timeline.to_text().into_response(),
        Format::Html => Html(timeline.to_html()).into_response(),
    };
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The page says so itself; here it holds before the first byte of it is read.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    Ok((headers, told).into_response())
}
