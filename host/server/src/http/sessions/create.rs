//! Starting a session.
//!
//! Whoever does not get the answer does not know whether there is a session now. An idempotency key
//! settles it: the session's id is made from it, so that creating the session again is the same input
//! once more, and the answer is the same but for the token's time. A key that anybody may use is as good as the token
//! it leads to; so it has to be long, and is good for a day.

use crate::http::access::{Caller, Newcomer};
use crate::http::api::Api;
use crate::http::body::Body;
use crate::http::problem::{ApiError, Problem};
use crate::http::words::{CreateSession, CreatedSession};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_engine::name::{BotName, SessionId};
use handoff_engine::time::Millis;
use uuid::{Builder, Uuid};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How long a key leads to the session that was created with it.
const REPEATABLE: Millis = Millis::from_secs(24 * 60 * 60);

/// Starts a session. Its first events are there when this returns.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    params(("idempotency-key" = Option<String>, Header, description = "A random text of 16 to 128 characters, such as a UUID. Repeated with the same key within a day, this returns the same session.")),
    request_body(content = Option<CreateSession>),
    security(("admin" = []), ()),
    responses(
        (status = 201, description = "The session, and the token that opens it.", body = CreatedSession),
        (status = 400, description = "The body or the key cannot be read.", body = Problem),
        (status = 401, description = "No token, and sessions are not for anybody to start.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 422, description = "No such bot, or the key was used for another session.", body = Problem),
        (status = 429, description = "Too many at once; wait for as long as Retry-After says.", body = Problem),
        (status = 503, description = "The host is about to stop, or its store does not work.", body = Problem),
    ),
)]
pub(super) async fn create(
    State(api): State<Api>,
    Newcomer(caller, origin): Newcomer,
    headers: HeaderMap,
    Body(wanted, _place): Body<CreateSession>,
) -> Result<Response, ApiError> {
    if api.is_draining() {
        return Err(ApiError::Draining);
    }
    if caller == Caller::User {
        api.limiter().new_session(origin.client)?;
    }
    let wanted = (wanted.bot.map(BotName::new), wanted.channel);
    let session = match headers.get(IDEMPOTENCY_KEY) {
        Some(key) => {
            let key = key.to_str().map_err(|_| ApiError::BadIdempotencyKey)?;
            let session = repeated(&api, caller, key).await?;
            check_same(&api, &session, &wanted).await?;
            session
        }
        None => SessionId::new(Uuid::new_v4().to_string()),
    };
    let (bot, channel) = wanted;
    api.host()
        .start_session(session.clone(), bot, channel)
        .await?;
    let created = CreatedSession {
        id: session.to_string(),
        token: (&api.gate().token(&session, api.host().now())).into(),
    };
    let location = [(header::LOCATION, format!("/v1/sessions/{session}"))];
    Ok((StatusCode::CREATED, location, Json(created)).into_response())
}

/// The session of an idempotency key: one that was created under an earlier key of the host's, or else
/// under the newest.
async fn repeated(api: &Api, caller: Caller, key: &str) -> Result<SessionId, ApiError> {
    let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable || !(16..=128).contains(&key.len()) {
        return Err(ApiError::BadIdempotencyKey);
    }
    let of_digest = |digest: &[u8; 32]| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        let id = Builder::from_random_bytes(bytes).into_uuid();
        SessionId::new(id.to_string())
    };
    let digests = api.gate().repeats(caller, key);
    let mut sessions = digests.iter().map(of_digest);
    let newest = sessions.next().ok_or(ApiError::BadIdempotencyKey)?;
    for earlier in sessions {
        if api.host().session(&earlier).await?.is_some() {
            return Ok(earlier);
        }
    }
    Ok(newest)
}

/// Whether a session that is there already is the one that is wanted, and young enough.
async fn check_same(
    api: &Api,
    session: &SessionId,
    wanted: &(Option<BotName>, Option<String>),
) -> Result<(), ApiError> {
    let Some(known) = api.host().session(session).await? else {
        return Ok(());
    };
    // A session from before this was kept is older than any key.
    let Some(started) = known.started else {
        return Err(ApiError::UsedIdempotencyKey);
    };
    let age = api.host().now().since(started.at);
    let same = (&started.bot, &known.channel) == (&wanted.0, &wanted.1);
    if same && age <= REPEATABLE {
        Ok(())
    } else {
        Err(ApiError::UsedIdempotencyKey)
    }
}
