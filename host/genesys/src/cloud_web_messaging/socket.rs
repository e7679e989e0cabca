//! The guest's socket as it is on the network.
//!
//! Every frame of ours is followed by a ping. The socket keeps order, so the pong tells that the frame
//! was taken in; until then it counts as work under way, which is all a simulated clock has to go by.

use super::trouble::Trouble;
use futures_util::{SinkExt, StreamExt};
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::time::Millis;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a socket may take to open.
const CONNECT_WITHIN: Millis = Millis::from_secs(30);

/// What a socket brings.
#[derive(Debug)]
pub(super) enum Heard {
    Text(String),
    /// The other side is there.
    Alive,
    Lost {
        why: String,
    },
}

/// An open socket.
pub(super) struct Socket {
    peer: WebSocketStream<MaybeTlsStream<TcpStream>>,
    clock: Arc<dyn Clock>,
    pinged: u64,
    /// One for each ping that was not answered yet.
    unanswered: VecDeque<(u64, Busy)>,
}

impl Socket {
    /// Opens a socket.
    pub(super) async fn open(
        url: &str,
        deployment: &str,
        origin: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        crate::client::install_tls();
        let address = format!("{url}/v1?deploymentId={deployment}&application=handoff");
        let unreachable = |why: String| Trouble::Unreachable { why };
        let mut request = address
            .into_client_request()
            .map_err(|error| unreachable(error.to_string()))?;
        if let Some(origin) = origin {
            let value = origin
                .parse()
                .map_err(|_| unreachable(format!("'{origin}' is no origin")))?;
            request.headers_mut().insert(http::header::ORIGIN, value);
        }
        let deadline = clock.sleep_until(clock.now() + CONNECT_WITHIN);
        let connected = tokio::select! {
            connected = connect_async(request) => connected,
            _woken = deadline => return Err(unreachable("the socket did not open in time".to_owned())),
        };
        match connected {
            Ok((peer, _)) => Ok(Self {
                peer,
                clock,
                pinged: 0,
                unanswered: VecDeque::new(),
            }),
            Err(Error::Http(response)) => {
                Err(refused(response.status().as_u16(), deployment, origin))
            }
            Err(error) => Err(unreachable(error.to_string())),
        }
    }

    pub(super) async fn send(&mut self, text: String) -> Result<(), Trouble> {
        self.write(Message::Text(text.into())).await?;
        self.ping().await
    }

    pub(super) async fn ping(&mut self) -> Result<(), Trouble> {
        self.pinged += 1;
        self.unanswered.push_back((self.pinged, self.clock.busy()));
        let payload = Bytes::copy_from_slice(&self.pinged.to_be_bytes());
        self.write(Message::Ping(payload)).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Trouble> {
        let sent = self.peer.send(message).await;
        sent.map_err(|error| Trouble::Unreachable {
            why: format!("the socket broke ({error})"),
        })
    }

    /// The next thing the socket brings, and the work it is part of. Can be dropped at any time.
    pub(super) async fn next(&mut self) -> (Heard, Busy) {
        loop {
            let received = self.peer.next().await;
            let busy = self.clock.busy();
            let heard = match received {
                Some(Ok(Message::Text(text))) => Heard::Text(text.to_string()),
                Some(Ok(Message::Pong(payload))) => {
                    self.answered(&payload);
                    Heard::Alive
                }
                Some(Ok(Message::Ping(_))) => Heard::Alive,
                Some(Ok(Message::Close(frame))) => Heard::Lost {
                    why: frame.map_or_else(
                        || "Genesys closed the socket".to_owned(),
                        |frame| format!("Genesys closed the socket ({frame})"),
                    ),
                },
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => Heard::Lost {
                    why: format!("the socket broke ({error})"),
                },
                None => Heard::Lost {
                    why: "Genesys closed the socket".to_owned(),
                },
            };
            return (heard, busy);
        }
    }

    fn answered(&mut self, payload: &[u8]) {
        let Ok(number) = payload.try_into().map(u64::from_be_bytes) else {
            return;
        };
        self.unanswered.retain(|(pinged, _)| *pinged > number);
    }

    /// Says goodbye. Whether the other side hears it does not matter.
    pub(super) async fn close(mut self) {
        let frame = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        if let Err(error) = self.peer.close(Some(frame)).await {
            tracing::debug!(%error, "the guest's socket was gone already");
        }
    }
}

/// What it means that the socket is not opened.
fn refused(status: u16, deployment: &str, origin: Option<&str>) -> Trouble {
    match status {
        401 | 403 => Trouble::OriginRefused {
            origin: origin.map_or_else(
                || "a host that names no origin".to_owned(),
                |origin| format!("'{origin}'"),
            ),
        },
        400 | 404 | 410 => Trouble::DeploymentUnknown {
            deployment: deployment.to_owned(),
        },
        _ => {
            let words = "the socket was not opened".to_owned();
            Trouble::of_status("open the socket", status, None, words)
        }
    }
}
