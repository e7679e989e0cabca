//! Clients that mean harm, and an honest one that goes on unharmed.

use super::support::Desk;
use crate::http::{AdminToken, ApiOptions};
use crate::key::HostKey;
use crate::serve::{Door, ListenOptions, Server};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ADMIN: &str = "an-admin-token-of-the-tests";

struct Served {
    desk: Desk,
    server: Server,
    client: reqwest::Client,
}

impl Served {
    async fn with(change: impl FnOnce(&mut ListenOptions)) -> Self {
        let desk = Desk::new().await;
        let mut listen = ListenOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        change(&mut listen);
        let door = Door::open(listen).expect("opens");
        let mut options = ApiOptions::new(HostKey::random().expect("random"));
        options.admin_token = Some(AdminToken::new(ADMIN).expect("is long enough"));
        let server = Server::start(door, &desk.host, options).expect("is served");
        Self {
            desk,
            server,
            client: handoff_genesys::http_client(),
        }
    }

    async fn connect(&self) -> TcpStream {
        let address = self.server.url().strip_prefix("http://").expect("is plain");
        TcpStream::connect(address).await.expect("is let in")
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let sent = self
            .client
            .post(format!("{}{path}", self.server.url()))
            .bearer_auth(ADMIN)
            .json(&body)
            .send();
        let answer = sent.await.expect("is answered");
        let status = answer.status();
        let body = answer.json().await.expect("is JSON");
        assert!(status.is_success(), "{status} {body}");
        body
    }

    /// An honest client starts a session and says something in it.
    async fn honest_client_is_served(&self) {
        let created = self.post("/v1/sessions", json!({})).await;
        let id = created["id"].as_str().expect("an id");
        let path = format!("/v1/sessions/{id}/messages");
        let said = self.post(&path, json!({"id": "1", "text": "hello"})).await;
        assert_eq!(said, json!({"id": "1"}));
    }

    /// Waits until the server has no more than so many connections.
    async fn connections(&self, most: usize) {
        let fewer = async {
            while self.server.connections() > most {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), fewer).await;
        waited.expect("they are closed");
    }
}

/// Waits until the other side closes; whatever it says first does not matter.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // Closed in order or broken: it is closed.
    drop(stream.read_to_end(&mut rest).await);
}

#[tokio::test]
async fn who_never_finishes_a_head_is_put_out() {
    let served = Served::with(|listen| listen.header_time = Duration::from_millis(300)).await;
    let mut drips = served.connect().await;
    drips
        .write_all(b"GET /v1/sessions/s HTTP/1.1\r\nHost: x\r\nX-Drip: ")
        .await
        .expect("is taken");
    served.honest_client_is_served().await;
    closed(&mut drips).await;
    let mut says_nothing = served.connect().await;
    closed(&mut says_nothing).await;
    served.honest_client_is_served().await;
}

#[tokio::test]
async fn who_asks_once_and_then_says_nothing_is_put_out() {
    let served = Served::with(|listen| listen.header_time = Duration::from_millis(300)).await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("is taken");
    closed(&mut idle).await;
}

const VICTIM: &str = "HANDOFF_TEST_VICTIM";

/// Connections that say nothing. Their two ends are files of two processes, since neither may have so
/// many.
const SILENT: usize = 10_000;

/// The other process of the next test.
#[test]
fn a_process_of_silent_connections() {
    let Ok(address) = std::env::var(VICTIM) else {
        return;
    };
    let connect = |_| std::net::TcpStream::connect(&address);
    let silent: Vec<_> = (0..SILENT).map_while(|it| connect(it).ok()).collect();
    let mut out = std::io::stdout();
    writeln!(out, "\nholds {}", silent.len()).expect("writes");
    out.flush().expect("writes");
    // Until the pipe closes.
    let _ = std::io::stdin().lines().count();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_connections_harm_nobody_and_are_put_out() {
    let served = Served::with(|listen| listen.header_time = Duration::from_secs(60)).await;
    let address = served.server.url().strip_prefix("http://");
    let mut other = Command::new(std::env::current_exe().expect("is a file"))
        .args(["--exact", "tests::hostile::a_process_of_silent_connections"])
        .arg("--nocapture")
        .env(VICTIM, address.expect("is plain"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let out = BufReader::new(other.stdout.take().expect("is piped"));
    let first_line = tokio::task::spawn_blocking(move || {
        let mut lines = out.lines().map_while(Result::ok);
        let holds = lines.find_map(|line| line.strip_prefix("holds ")?.parse::<usize>().ok());
        (holds.expect("says how many"), lines)
    });
    let (holds, rest) = first_line.await.expect("runs");
    // A system that allows fewer files has fewer.
    assert!(
        holds == SILENT || holds > 400,
        "{holds}: too few to tell anything"
    );
    served.honest_client_is_served().await;
    drop(other.stdin.take());
    other.wait().expect("ends");
    drop(rest);
    served.connections(2).await;
}

#[tokio::test]
async fn so_many_connections_are_let_in_and_places_are_free_again() {
    let served = Served::with(|listen| {
        listen.connections = 3;
        listen.header_time = Duration::from_millis(500);
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(served.connect().await);
    }
    let mut turned_away = served.connect().await;
    closed(&mut turned_away).await;
    for stream in &mut held {
        closed(stream).await;
    }
    served.honest_client_is_served().await;
}

#[tokio::test]
async fn who_does_not_read_is_put_out_and_holds_no_memory() {
    let served = Served::with(|listen| listen.stall = Duration::from_millis(300)).await;
    let created = served.post("/v1/sessions", json!({})).await;
    let id = created["id"].as_str().expect("an id");
    let part = reqwest::multipart::Part::bytes(vec![7; 25 << 20]).file_name("large.bin");
    let form = reqwest::multipart::Form::new().part("file", part);
    let url = format!("{}/v1/sessions/{id}/attachments", served.server.url());
    let sent = served.client.post(url).bearer_auth(ADMIN).multipart(form);
    let answer = sent.send().await.expect("is answered");
    assert_eq!(answer.status(), 201);
    let file: Value = answer.json().await.expect("is JSON");
    let url = file["url"].as_str().expect("an address");
    let path = url.strip_prefix("http://host.example").expect("is ours");
    let before = served.server.connections();
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut stream = served.connect().await;
        let asks = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(asks.as_bytes()).await.expect("is taken");
        readers.push(stream);
    }
    served.honest_client_is_served().await;
    served.connections(before).await;
    let mut got = Vec::new();
    // It breaks off before all of it has come.
    drop(readers[0].read_to_end(&mut got).await);
    assert!(got.len() < 25 << 20, "{}", got.len());
}

#[tokio::test]
async fn a_huge_body_is_refused_before_it_is_sent() {
    let served = Served::with(|_| ()).await;
    let created = served.post("/v1/sessions", json!({})).await;
    let id = created["id"].as_str().expect("an id");
    for path in ["messages", "attachments"] {
        let mut stream = served.connect().await;
        let head = format!(
            "POST /v1/sessions/{id}/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\
             Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000000\r\n\r\n"
        );
        let head = match path {
            "messages" => head.replace("multipart/form-data; boundary=b", "application/json"),
            _ => head,
        };
        stream.write_all(head.as_bytes()).await.expect("is taken");
        stream.write_all(&[b' '; 1024]).await.expect("is taken");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.expect("is answered");
        assert_eq!(&answer, b"HTTP/1.1 413", "{path}");
    }
    served.honest_client_is_served().await;
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_what_is_under_way() {
    let served = Served::with(|_| ()).await;
    let created = served.post("/v1/sessions", json!({})).await;
    let id = created["id"].as_str().expect("an id").to_owned();
    let (release, released) = tokio::sync::oneshot::channel();
    served
        .desk
        .store
        .play(&id, super::support::Trick::Hold(released));
    let url = format!("{}/v1/sessions/{id}/messages", served.server.url());
    let sent = served.client.post(&url).bearer_auth(ADMIN);
    let sent = sent.json(&json!({"id": "1", "text": "hello"})).send();
    let sent = tokio::spawn(sent);
    while served.desk.store.held() == 0 {
        tokio::task::yield_now().await;
    }
    let Served {
        desk,
        server,
        client,
    } = served;
    let stopping = tokio::spawn(server.shut_down(Duration::from_secs(30)));
    // Nobody new is let in from some point on, and what is held is not given up for it.
    while client.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    release.send(()).expect("is held");
    let answer = sent.await.expect("runs").expect("is answered");
    assert_eq!(answer.status(), 200);
    stopping.await.expect("stops");
    assert!(desk.host.is_stopping());
    assert_eq!(desk.inputs(&id).await, ["started", "user:1"]);
}
