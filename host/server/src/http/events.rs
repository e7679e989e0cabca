//! What a user is shown, as a list and as server-sent events.

use super::access::{Visit, Watch};
use super::api::Api;
use super::body::Asked;
use super::feed::Feed;
use super::limits::{InWork, StreamPlace};
use super::problem::{ApiError, Problem};
use super::words::{EventJson, EventList, read_position, write_position};
use crate::sessions::InputError;
use crate::user::Position;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use handoff_engine::name::SessionId;
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use utoipa::IntoParams;

/// Events in one list, if nothing is said, and at most.
const PAGE: usize = 100;
const LARGEST_PAGE: usize = 500;

/// How long a stream is silent at most, so that whoever stands between sees that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// After how long a browser connects again when the host has stopped.
const RECONNECT: Duration = Duration::from_secs(1);

/// From where on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    /// The position after which to begin; from the beginning if nothing is said.
    pub(super) after: Option<String>,
    /// How many a list holds at most; 100 if nothing is said, and never more than 500.
    limit: Option<usize>,
}

impl From {
    pub(super) fn position(&self) -> Result<Position, ApiError> {
        let after = self.after.as_deref().map(read_position);
        Ok(after.transpose()?.unwrap_or_default())
    }
}

/// What the user is shown, in order.
///
/// As a list, or with `Accept: text/event-stream` as a stream that goes on as long as the session.
/// A stream takes up after the header `Last-Event-ID`, which browsers send by themselves, or after
/// `after`. When nothing is left of a session that is over, it is 204, on which browsers stop.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/events",
    tag = "sessions",
    params(
        ("id" = String, Path, description = "The session."),
        ("last-event-id" = Option<String>, Header, description = "As `after`, and comes before it."),
        From,
    ),
    security(("session" = []), ("sessionInAddress" = [])),
    responses(
        (status = 200, description = "Events. In a stream each is one event with its position as its id.", content(
            (EventList = "application/json"),
            (EventJson = "text/event-stream"),
        )),
        (status = 204, description = "The session is over and everything was shown; only of streams."),
        (status = 400, description = "No position.", body = Problem),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 429, description = "The session has as many streams as it may have.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
    ),
)]
pub(super) async fn events(
    State(api): State<Api>,
    Watch(Visit { session, .. }): Watch,
    _: InWork,
    Asked(from): Asked<From>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if !wants_stream(&headers) {
        let limit = from.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
        let after = from.position()?;
        let known = api.host().session(&session).await?;
        known.ok_or_else(|| InputError::UnknownSession(session.clone()))?;
        check_position(&api, &session, after).await?;
        let mut events = api.host().user_events(&session, after, limit + 1).await?;
        let more = events.len() > limit;
        events.truncate(limit);
        let last = events.last().map(|event| event.position);
        let next = last.map(write_position).or(from.after);
        let events = events.into_iter().map(EventJson::from).collect();
        return Ok(Json(EventList { events, next, more }).into_response());
    }
    let after = match headers.get("last-event-id") {
        Some(id) => read_position(id.to_str().unwrap_or_default())?,
        None => from.position()?,
    };
    let place = api.limiter().stream(&session)?;
    let feed = Feed::open(api.host(), session.clone(), after).await?;
    let mut feed = feed.ok_or_else(|| InputError::UnknownSession(session.clone()))?;
    check_position(&api, &session, after).await?;
    if feed.is_over().await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let stream = Sse::new(stream(api, feed, place)).keep_alive(keep_alive);
    // Proxies that gather an answer before they pass it on would hold it for ever.
    let headers = [
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, stream).into_response())
}

/// Refuses a position that no event of the session has.
pub(super) async fn check_position(
    api: &Api,
    session: &SessionId,
    position: Position,
) -> Result<(), ApiError> {
    if api.host().is_position(session, position).await? {
        return Ok(());
    }
    Err(ApiError::BadPosition(write_position(position)))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}

fn stream(
    api: Api,
    feed: Feed,
    place: StreamPlace,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(Some((api, feed, place)), |at| async move {
        let (api, mut feed, place) = at?;
        let next = tokio::select! {
            biased;
            () = api.draining() => None,
            next = feed.next() => Some(next),
        };
        match next {
            Some(Ok(Some(event))) => Some((Ok(written(event)), Some((api, feed, place)))),
            Some(Ok(None)) if !api.host().is_stopping() => None,
            Some(Err(error)) => {
                tracing::error!(%error, "a stream of events breaks off");
                Some((Ok(reconnect()), None))
            }
            Some(Ok(None)) | None => Some((Ok(reconnect()), None)),
        }
    })
}

fn written(event: crate::user::UserEvent) -> Event {
    let id = write_position(event.position);
    let json = serde_json::to_string(&EventJson::from(event));
    // Its strings and numbers can all be written.
    Event::default().id(id).data(json.unwrap_or_default())
}

/// Says that the stream ends here and goes on elsewhere. Browsers connect again by themselves.
fn reconnect() -> Event {
    Event::default()
        .event("reconnect")
        .retry(RECONNECT)
        .data("{}")
}
