//! What a user does: says something, types, has read something, leaves. Each is taken once, however
//! often it is sent, and answered when it cannot be lost any more.

use crate::http::access::{Caller, Visit};
use crate::http::api::Api;
use crate::http::body::Body;
use crate::http::problem::{ApiError, Problem};
use crate::http::words::{Accepted, AttachmentIn, Leave, MessageIn, ReceiptIn, TypingIn, check_id};
use axum::Json;
use axum::extract::State;
use handoff_engine::content::{Attachment, UserMessage};
use handoff_genesys::MediaError;

/// The user says something.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/messages",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    request_body = MessageIn,
    security(("session" = [])),
    responses(
        (status = 200, description = "It is taken.", body = Accepted),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 409, description = "The session is over.", body = Problem),
        (status = 429, description = "Too much at once; wait for as long as Retry-After says.", body = Problem),
        (status = 413, description = "The message is too long.", body = Problem),
        (status = 422, description = "The message is empty, its id is none, or it names a file that this host does not have.", body = Problem),
        (status = 503, description = "Send it again, with the same id.", body = Problem),
    ),
)]
pub(super) async fn post_message(
    State(api): State<Api>,
    visit: Visit,
    Body(body, _place): Body<MessageIn>,
) -> Result<Json<Accepted>, ApiError> {
    let id = body.id.clone();
    message(&api, &visit, body).await?;
    Ok(Json(Accepted { id }))
}

/// The user types, or stopped.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/typing",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    request_body = TypingIn,
    security(("session" = [])),
    responses(
        (status = 200, description = "It is taken.", body = Accepted),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 409, description = "The session is over.", body = Problem),
        (status = 429, description = "Too much at once; wait for as long as Retry-After says.", body = Problem),
    ),
)]
pub(super) async fn post_typing(
    State(api): State<Api>,
    visit: Visit,
    Body(body, _place): Body<TypingIn>,
) -> Result<Json<Accepted>, ApiError> {
    typing(&api, &visit, &body).await?;
    Ok(Json(Accepted { id: body.id }))
}

/// A message of the agent side's arrived at the user, was seen, or could not be shown.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/receipts",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    request_body = ReceiptIn,
    security(("session" = [])),
    responses(
        (status = 200, description = "It is taken.", body = Accepted),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 409, description = "The session is over.", body = Problem),
        (status = 429, description = "Too much at once; wait for as long as Retry-After says.", body = Problem),
    ),
)]
pub(super) async fn post_receipt(
    State(api): State<Api>,
    visit: Visit,
    Body(body, _place): Body<ReceiptIn>,
) -> Result<Json<Accepted>, ApiError> {
    receipt(&api, &visit, &body).await?;
    Ok(Json(Accepted { id: body.id }))
}

/// The user leaves: the agent if one is in charge, else the session.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/leave",
    tag = "sessions",
    params(("id" = String, Path, description = "The session.")),
    request_body = Leave,
    security(("session" = [])),
    responses(
        (status = 200, description = "It is taken.", body = Accepted),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
        (status = 409, description = "The session is over.", body = Problem),
        (status = 429, description = "Too much at once; wait for as long as Retry-After says.", body = Problem),
    ),
)]
pub(super) async fn post_leave(
    State(api): State<Api>,
    visit: Visit,
    Body(body, _place): Body<Leave>,
) -> Result<Json<Accepted>, ApiError> {
    leave(&api, &visit, &body).await?;
    Ok(Json(Accepted { id: body.id }))
}

pub(in crate::http) async fn message(
    api: &Api,
    visit: &Visit,
    body: MessageIn,
) -> Result<(), ApiError> {
    check_id(&body.id)?;
    api.limiter().input(&visit.session)?;
    let mut attachments = Vec::new();
    for attachment in body.attachments {
        attachments.push(find(api, visit.caller, attachment).await?);
    }
    let message = UserMessage {
        text: body.text,
        attachments,
        choice: body.choice.map(Into::into),
    };
    if message.is_blank() {
        return Err(ApiError::EmptyMessage);
    }
    let said = api.host().user_says(&visit.session, &body.id, message);
    Ok(said.await?)
}

pub(in crate::http) async fn typing(
    api: &Api,
    visit: &Visit,
    body: &TypingIn,
) -> Result<(), ApiError> {
    check_id(&body.id)?;
    api.limiter().input(&visit.session)?;
    let typed = api.host().user_typing(&visit.session, &body.id, body.on);
    Ok(typed.await?)
}

pub(in crate::http) async fn receipt(
    api: &Api,
    visit: &Visit,
    body: &ReceiptIn,
) -> Result<(), ApiError> {
    check_id(&body.id)?;
    api.limiter().input(&visit.session)?;
    let (id, receipt) = (&body.id, body.receipt.into());
    let taken = api
        .host()
        .user_receipt(&visit.session, id, &body.message, receipt);
    Ok(taken.await?)
}

pub(in crate::http) async fn leave(api: &Api, visit: &Visit, body: &Leave) -> Result<(), ApiError> {
    check_id(&body.id)?;
    api.limiter().input(&visit.session)?;
    Ok(api.host().user_leaves(&visit.session, &body.id).await?)
}

/// A file that a message names. Users name files of this host only, so that nobody can have agents
/// shown something else under a harmless name; the platform may name others.
async fn find(api: &Api, caller: Caller, attachment: AttachmentIn) -> Result<Attachment, ApiError> {
    let AttachmentIn { url, name, mime } = attachment;
    match api.host().file(&url).await {
        Ok(found) => Ok(found),
        Err(MediaError::Unknown { .. }) if caller == Caller::Admin && is_web(&url) => {
            Ok(Attachment {
                name,
                mime,
                url,
                size: None,
            })
        }
        Err(MediaError::Unknown { .. }) => Err(ApiError::ForeignAttachment { url }),
        Err(error) => Err(error.into()),
    }
}

fn is_web(url: &str) -> bool {
    let read = url::Url::parse(url);
    read.is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
