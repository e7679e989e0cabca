//! The event stream: one socket per chat, opened again whenever it closes, for as long as it is kept.
//!
//! The client sends nothing. Heartbeats come every 30 s; a socket without any is dead even if the
//! network has not noticed. Nothing is replayed, so each opening is told, and reading what was missed
//! is the protocol's business.

use super::protocol::Event;
use super::wire::{Frames, named_frame};
use crate::driving::Events;
use crate::retry::Backoff;
use crate::traffic::Traffic;
use crate::unreadable::unreadable;
use futures_util::StreamExt;
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::time::Millis;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tracing::Instrument;

/// After three heartbeats that did not come the socket is dead.
const SILENCE: Millis = Millis::from_secs(90);

/// How long a socket may take to open.
const CONNECT_WITHIN: Millis = Millis::from_secs(30);

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(30),
};

/// Listens until dropped.
#[derive(Debug)]
pub(super) struct Stream(JoinHandle<()>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Stream {
    /// Has `events` told of what an event stream brings. Must be called within a tokio runtime.
    pub(super) fn open(
        uri: &str,
        seed: &str,
        clock: Arc<dyn Clock>,
        events: Events<Event>,
        traffic: Traffic,
    ) -> Self {
        crate::client::install_tls();
        let listener = Listener {
            uri: uri.to_owned(),
            seed: seed.to_owned(),
            clock,
            events,
            traffic,
        };
        let busy = listener.clock.busy();
        Self(tokio::spawn(listener.run(busy).in_current_span()))
    }
}

struct Listener {
    uri: String,
    /// Spreads the openings of many chats that lost the same server.
    seed: String,
    clock: Arc<dyn Clock>,
    events: Events<Event>,
    traffic: Traffic,
}

impl Listener {
    /// `busy` is held but for the waits.
    async fn run(self, mut busy: Busy) {
        let mut failures = 0;
        loop {
            let opening = self.traffic.opening("event stream", self.connect());
            let why = match opening.await {
                Ok(socket) => {
                    failures = 0;
                    self.tell(Event::Listening, &busy);
                    let (why, again) = self.listen(socket, busy).await;
                    busy = again;
                    self.traffic.ended("event stream", "closed");
                    why
                }
                Err(why) => why,
            };
            failures += 1;
            tracing::warn!(failures, why, "the event stream of a chat is closed");
            self.tell(Event::Deaf { why }, &busy);
            let until = self.clock.now() + BACKOFF.after(failures, &self.seed);
            let sleep = self.clock.sleep_until(until);
            drop(busy);
            busy = sleep.await;
        }
    }

    async fn connect(&self) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>, String> {
        let deadline = self.clock.sleep_until(self.clock.now() + CONNECT_WITHIN);
        let connected = tokio::select! {
            connected = connect_async(self.uri.as_str()) => connected,
            _woken = deadline => return Err("it was not opened in time".to_owned()),
        };
        connected
            .map(|(socket, _)| socket)
            .map_err(|error| describe(&error))
    }

    /// Listens until the socket is of no more use, and says why that is.
    async fn listen(
        &self,
        mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
        mut busy: Busy,
    ) -> (String, Busy) {
        loop {
            let sleep = self.clock.sleep_until(self.clock.now() + SILENCE);
            // Only now: a simulated clock that finds nobody busy has to know of the sleeper.
            drop(busy);
            let received = tokio::select! {
                received = socket.next() => received,
                woken = sleep => return ("no heartbeat has come".to_owned(), woken),
            };
            busy = self.clock.busy();
            match received {
                Some(Ok(Message::Text(text))) => match named_frame(&text) {
                    Ok((Frames::Closing, ..)) => {
                        return ("Genesys is about to close it".to_owned(), busy);
                    }
                    Ok((Frames::Other, ..)) => {}
                    Ok((frame, name)) => {
                        let what = format!("frame {}", name.kind);
                        self.traffic.came_with(what, name.correlation());
                        self.tell(Event::Heard(frame), &busy);
                    }
                    Err(error) => {
                        let why = unreadable(&error);
                        tracing::warn!(why, "a frame cannot be read");
                    }
                },
                Some(Ok(Message::Close(_))) | None => {
                    return ("the other side closed it".to_owned(), busy);
                }
                Some(Err(error)) => return (describe(&error), busy),
                Some(Ok(_)) => {}
            }
        }
    }

    fn tell(&self, event: Event, busy: &Busy) {
        if self.events.send((event, busy.clone())).is_err() {
            tracing::debug!("nobody listens to this event stream any more");
        }
    }
}

/// What went wrong, without the address, which may hold secrets.
fn describe(error: &Error) -> String {
    match error {
        Error::Http(response) => format!("HTTP status {}", response.status().as_u16()),
        Error::Io(error) => format!("the connection broke ({error})"),
        Error::Url(error) => format!("its address cannot be used ({error})"),
        Error::Tls(error) => format!("no secure connection ({error})"),
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_) => {
            "the connection broke".to_owned()
        }
        other => other.to_string(),
    }
}
