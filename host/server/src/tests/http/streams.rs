//! Server-sent events.

use super::client::{Client, Guest};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// Reads server-sent events off a response.
struct Events {
    response: reqwest::Response,
    text: String,
}

/// One of them: its id, its name and its data.
#[derive(Debug, PartialEq)]
struct Sent {
    id: String,
    name: String,
    data: Value,
}

impl Events {
    async fn open(address: SocketAddr, guest: &Guest, last: Option<&str>) -> Self {
        let response = ask(address, guest, last).await;
        assert_eq!(response.status(), 200);
        let mime = &response.headers()["content-type"];
        assert_eq!(mime, "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = block.lines();
                    let mut values = lines.filter_map(|line| line.strip_prefix(name));
                    values.next().unwrap_or_default().trim().to_owned()
                };
                let sent = Sent {
                    id: field("id:"),
                    name: field("event:"),
                    data: serde_json::from_str(&field("data:")).unwrap_or_default(),
                };
                self.text = rest.to_owned();
                return Some(sent);
            }
            let chunk = self.response.chunk().await.expect("reads")?;
            self.text += std::str::from_utf8(&chunk).expect("is text");
        }
    }
}

async fn ask(address: SocketAddr, guest: &Guest, last: Option<&str>) -> reqwest::Response {
    let url = format!("http://{address}{}", guest.path("events"));
    let client = handoff_genesys::http_client();
    let mut request = client
        .get(format!("{url}?access_token={}", guest.token))
        .header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    request.send().await.expect("is served")
}

#[tokio::test]
async fn a_stream_brings_what_was_and_what_comes_until_the_session_is_over() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    let mut events = Events::open(address, &ana, None).await;
    let first = events.next().await.expect("the bot has asked");
    assert_eq!(first.data["text"], "What is it about?");
    assert_eq!((first.id.as_str(), first.name.as_str()), ("1.1", ""));
    client.say(&ana, "an order").await;
    client.act(&ana, "leave", json!({"id": "l-1"})).await;
    let second = events.next().await.expect("the bot asks again");
    assert_eq!(second.data["text"], "Anything else?");
    client.act(&ana, "leave", json!({"id": "l-2"})).await;
    let last = events.next().await.expect("the session is over");
    assert_eq!(last.data["type"], "closed");
    assert_eq!(events.next().await, None);
    let over = ask(address, &ana, Some(&last.id)).await;
    assert_eq!(over.status(), 204, "a browser stops asking");
}

#[tokio::test]
async fn a_stream_takes_up_behind_the_last_event_that_was_seen() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    client.say(&ana, "an order").await;
    client.act(&ana, "leave", json!({"id": "l-1"})).await;
    let mut events = Events::open(address, &ana, Some("1.1")).await;
    let next = events.next().await.expect("there is more");
    assert_eq!(next.data["text"], "Anything else?");
}

#[tokio::test]
async fn a_host_that_is_about_to_stop_sends_its_readers_elsewhere() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    let mut events = Events::open(address, &ana, None).await;
    events.next().await.expect("the bot has asked");
    client.api.drain();
    let hint = events.next().await.expect("a hint");
    assert_eq!(hint.name, "reconnect");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_host_that_stops_ends_its_streams() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    let mut events = Events::open(address, &ana, Some("1.1")).await;
    client.desk.host.stop();
    let hint = events.next().await.expect("a hint");
    assert_eq!(hint.name, "reconnect");
}

#[tokio::test]
async fn a_reader_who_goes_away_holds_nobody_up() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let address = client.serve().await;
    let mut response = ask(address, &ana, None).await;
    let first = response.chunk().await.expect("reads");
    assert!(first.is_some(), "the bot has asked");
    drop(response);
    client.say(&ana, "an order").await;
    let mut events = Events::open(address, &ana, None).await;
    assert!(events.next().await.is_some());
}

#[tokio::test]
async fn a_position_that_no_event_ever_had_is_refused_wherever_it_is_given() {
    let client = Client::new().await;
    let ana = client.guest().await;
    client.say(&ana, "an order").await;
    let address = client.serve().await;
    let positions = [
        "999.9",
        "1.0",
        "1.2",
        "2.99",
        "0.1",
        "18446744073709551615.1",
        "1.18446744073709551615",
        "1",
        "1.",
        ".1",
        "-1.1",
        "1.1.1",
        "1.1 ",
        "x",
        "NaN.1",
        "\u{661}.1",
    ];
    for position in positions {
        let encoded: String = url::form_urlencoded::byte_serialize(position.as_bytes()).collect();
        let path = format!("{}?after={encoded}", ana.path("events"));
        let (status, problem) = client.get(&path, &ana.token).await;
        assert_eq!(status, 400, "{position}: {problem}");
        assert_eq!(problem["code"], "events.bad_position");
        // A header is trimmed on its way.
        if position.is_ascii() && position.trim() == position {
            let streamed = ask(address, &ana, Some(position)).await;
            assert_eq!(streamed.status(), 400, "{position}");
        }
    }
    // The beginning is one, and so is what an event had.
    for position in ["0.0", "1.1"] {
        let path = format!("{}?after={position}", ana.path("events"));
        let (status, _) = client.get(&path, &ana.token).await;
        assert_eq!(status, 200, "{position}");
    }
}
