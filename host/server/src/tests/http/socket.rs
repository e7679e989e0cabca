//! Sessions over WebSockets.

use super::client::{ADMIN, Client, Guest};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a socket brought.
#[derive(Debug, PartialEq)]
enum Got {
    Frame(Value),
    Closed(u16),
}

impl Socket {
    async fn open(address: SocketAddr, guest: &Guest, after: &str) -> Self {
        let opened = connect_async(url(address, guest, after)).await;
        Self(opened.expect("is served").0)
    }

    async fn send(&mut self, frame: impl ToString) {
        let frame = Message::text(frame.to_string());
        self.0.send(frame).await.expect("is taken");
    }

    async fn next(&mut self) -> Got {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Got::Frame(serde_json::from_str(&text).expect("is JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Got::Closed(frame.expect("has a reason").code.into());
                }
                Some(Ok(_)) => {}
                other => panic!("the socket broke: {other:?}"),
            }
        }
    }

    async fn frame(&mut self) -> Value {
        match self.next().await {
            Got::Frame(frame) => frame,
            Got::Closed(code) => panic!("closed with {code}"),
        }
    }
}

fn url(address: SocketAddr, guest: &Guest, after: &str) -> String {
    let path = guest.path("socket");
    format!("ws://{address}{path}?access_token={}{after}", guest.token)
}

#[tokio::test]
async fn a_whole_conversation_goes_over_one_socket() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let mut socket = Socket::open(client.serve().await, &ana, "").await;
    assert_eq!(socket.frame().await["text"], "What is it about?");
    for frame in [
        json!({"type": "typing", "id": "t", "on": true}),
        json!({"type": "message", "id": "m", "text": "an order"}),
        json!({"type": "message", "id": "m", "text": "an order"}),
        json!({"type": "leave", "id": "l-1"}),
    ] {
        socket.send(&frame).await;
        let id = &frame["id"];
        assert_eq!(socket.frame().await, json!({"type": "accepted", "id": id}));
    }
    assert_eq!(socket.frame().await["text"], "Anything else?");
    socket.send(json!({"type": "leave", "id": "l-2"})).await;
    let taken = json!({"type": "accepted", "id": "l-2"});
    assert_eq!(socket.frame().await, taken);
    assert_eq!(socket.frame().await["type"], "closed");
    assert_eq!(socket.next().await, Got::Closed(1000));
    let inputs = client.desk.inputs(&ana.id).await;
    assert_eq!(inputs[..3], ["started", "user:t", "user:m"]);
}

#[tokio::test]
async fn a_socket_takes_up_behind_a_position() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    client.say(&ana, "an order").await;
    client.act(&ana, "leave", json!({"id": "l-1"})).await;
    let mut socket = Socket::open(address, &ana, "&after=1.1").await;
    assert_eq!(socket.frame().await["text"], "Anything else?");
}

#[tokio::test]
async fn a_frame_that_cannot_be_taken_is_told_and_the_socket_goes_on() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let mut socket = Socket::open(client.serve().await, &ana, "&after=1.1").await;
    for (frame, id, code) in [
        (
            json!({"type": "shout", "id": "1"}),
            Value::Null,
            "request.malformed",
        ),
        (
            json!({"type": "message", "id": "1"}),
            json!("1"),
            "message.empty",
        ),
        (
            json!({"type": "message", "id": "", "text": "x"}),
            json!(""),
            "request.bad_id",
        ),
        (
            json!({"type": "message", "id": "1", "text": "x".repeat(16_385)}),
            json!("1"),
            "message.too_long",
        ),
        (json!("hello"), Value::Null, "request.malformed"),
    ] {
        socket.send(frame).await;
        let refused = socket.frame().await;
        assert_eq!(refused["type"], "refused");
        assert_eq!((&refused["id"], &refused["code"]), (&id, &json!(code)));
    }
    socket
        .send(json!({"type": "message", "id": "1", "text": "an order"}))
        .await;
    assert_eq!(socket.frame().await, json!({"type": "accepted", "id": "1"}));
}

#[tokio::test]
async fn a_socket_opens_to_its_sessions_token_only() {
    let client = Client::new().await;
    let (ana, rui) = (client.guest().await, client.guest().await);
    let address = client.serve().await;
    let thief = Guest {
        id: ana.id.clone(),
        token: rui.token,
    };
    let nobody = Guest {
        id: "nobody".to_owned(),
        token: ADMIN.to_owned(),
    };
    // An admin token in an address is none.
    for (guest, status) in [(&thief, 403), (&nobody, 403)] {
        match connect_async(url(address, guest, "")).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_socket_and_nothing_else() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    let mut socket = Socket::open(address, &ana, "&after=1.1").await;
    // It may break before all of it is taken.
    drop(socket.0.send(Message::text("x".repeat(1 << 20))).await);
    let broken = socket.0.next().await;
    assert!(!matches!(broken, Some(Ok(Message::Text(_)))), "{broken:?}");
    let mut socket = Socket::open(address, &ana, "").await;
    assert_eq!(socket.frame().await["text"], "What is it about?");
}

#[tokio::test]
async fn a_host_that_is_about_to_stop_asks_its_sockets_to_connect_again() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let mut socket = Socket::open(client.serve().await, &ana, "&after=1.1").await;
    client.api.drain();
    assert_eq!(socket.next().await, Got::Closed(1012));
}
