//! A session over one WebSocket: what the user is shown goes out, what the user does comes in.
//!
//! One loop reads, takes and writes, so that a client that sends without reading is not read either.

use super::access::{Visit, Watch};
use super::api::Api;
use super::body::{Asked, MAX_JSON};
use super::events::{From, check_position};
use super::feed::Feed;
use super::limits::{InWork, StreamPlace};
use super::problem::{ApiError, Problem};
use super::sessions::say;
use super::words::{EventJson, Leave, MessageIn, ReceiptIn, TypingIn};
use crate::sessions::InputError;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// How often a client is asked for a sign of life.
const PING: Duration = Duration::from_secs(20);

/// A client that gives none for as long is gone.
const SILENCE: Duration = Duration::from_secs(50);

/// A client that does not take what is sent for as long is gone.
const STALLED: Duration = Duration::from_secs(30);

/// What a client sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum FrameIn {
    Message(MessageIn),
    Typing(TypingIn),
    Receipt(ReceiptIn),
    Leave(Leave),
}

/// What a client gets besides events.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum FrameOut {
    /// It is taken, and will not be lost.
    Accepted { id: String },
    /// It is not taken.
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(flatten)]
        problem: Problem,
    },
}

/// A session over a WebSocket.
///
/// Events come as text frames, as in the list of events. The client sends `{"type": "message", ...}`,
/// `typing`, `receipt` or `leave` with the members that the routes of these names take, and gets
/// `{"type": "accepted", "id"}` or `{"type": "refused", "id", "code", "message"}` for each, in order.
/// The host closes with 1000 when the session is over, 1012 when it stops (connect again, after the
/// last position), and 1008 when the client does not read or gives no sign of life.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/socket",
    tag = "sessions",
    params(("id" = String, Path, description = "The session."), From),
    security(("session" = []), ("sessionInAddress" = [])),
    responses(
        (status = 101, description = "The protocol is now WebSocket."),
        (status = 400, description = "No position, or no WebSocket.", body = Problem),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 429, description = "The session has as many sockets as it may have.", body = Problem),
        (status = 404, description = "No such session.", body = Problem),
    ),
)]
pub(super) async fn socket(
    State(api): State<Api>,
    Watch(visit): Watch,
    _: InWork,
    Asked(from): Asked<From>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|error| ApiError::Malformed(error.body_text()))?;
    let session = &visit.session;
    let after = from.position()?;
    let place = api.limiter().stream(session)?;
    let feed = Feed::open(api.host(), session.clone(), after).await?;
    let feed = feed.ok_or_else(|| InputError::UnknownSession(session.clone()))?;
    check_position(&api, session, after).await?;
    let talk = Talk {
        api,
        visit,
        _place: place,
    };
    Ok(upgrade
        .max_message_size(MAX_JSON)
        .max_frame_size(MAX_JSON)
        .on_upgrade(|socket| talk.run(socket, feed)))
}

struct Talk {
    api: Api,
    visit: Visit,
    _place: StreamPlace,
}

/// Why a talk ends.
enum Over {
    /// The client closed, or the connection broke.
    Gone,
    /// With a word to the client.
    Bye(u16, &'static str),
}

const RESTART: Over = Over::Bye(close_code::RESTART, "connect again");

impl Talk {
    async fn run(self, mut socket: WebSocket, feed: Feed) {
        let over = self.converse(&mut socket, feed).await;
        if let Over::Bye(code, reason) = over {
            let reason = reason.into();
            let close = Message::Close(Some(CloseFrame { code, reason }));
            // A client that is gone needs no word.
            drop(timeout(STALLED, socket.send(close)).await);
        }
    }

    async fn converse(&self, socket: &mut WebSocket, mut feed: Feed) -> Over {
        let mut pings = interval_at(Instant::now() + PING, PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut over = std::pin::pin!(self.visit.over(&self.api));
        loop {
            let answer = tokio::select! {
                biased;
                () = self.api.draining() => return RESTART,
                () = &mut over => return Over::Bye(close_code::POLICY, "the token has expired"),
                frame = socket.recv() => {
                    heard = Instant::now();
                    match frame {
                        Some(Ok(Message::Text(text))) => self.take(text.as_bytes()).await,
                        Some(Ok(Message::Binary(bytes))) => self.take(&bytes).await,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Over::Gone,
                    }
                }
                event = feed.next() => match event {
                    Ok(Some(event)) => text(&EventJson::from(event)),
                    Ok(None) if self.api.host().is_stopping() => return RESTART,
                    Ok(None) => return Over::Bye(close_code::NORMAL, "the session is over"),
                    Err(error) => {
                        tracing::error!(session = %self.visit.session, %error, "a socket breaks off");
                        return RESTART;
                    }
                },
                _ = pings.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Over::Bye(close_code::POLICY, "no sign of life");
                    }
                    Message::Ping(Vec::new().into())
                }
            };
            match timeout(STALLED, socket.send(answer)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Over::Gone,
                Err(_) => return Over::Bye(close_code::POLICY, "nothing is read"),
            }
        }
    }

    /// Takes a frame and says what became of it.
    async fn take(&self, frame: &[u8]) -> Message {
        let (id, taken) = match super::body::read(frame) {
            Ok(frame) => self.carry_out(frame).await,
            Err(error) => (None, Err(error)),
        };
        text(&match (taken, id) {
            (Ok(()), Some(id)) => FrameOut::Accepted { id },
            (Ok(()), None) => return Message::Pong(Vec::new().into()),
            (Err(error), id) => FrameOut::Refused {
                id,
                problem: error.problem(),
            },
        })
    }

    async fn carry_out(&self, frame: FrameIn) -> (Option<String>, Result<(), ApiError>) {
        let visit = &self.visit;
        let (id, taken) = match frame {
            FrameIn::Message(it) => (it.id.clone(), say::message(&self.api, visit, it).await),
            FrameIn::Typing(it) => (it.id.clone(), say::typing(&self.api, visit, &it).await),
            FrameIn::Receipt(it) => (it.id.clone(), say::receipt(&self.api, visit, &it).await),
            FrameIn::Leave(it) => (it.id.clone(), say::leave(&self.api, visit, &it).await),
        };
        (Some(id), taken)
    }
}

fn text(frame: &impl Serialize) -> Message {
    // Its strings and numbers can all be written.
    let json = serde_json::to_string(frame).unwrap_or_default();
    Message::Text(json.into())
}
