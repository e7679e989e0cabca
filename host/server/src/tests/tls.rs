//! A server reached by TLS.

use super::support::Desk;
use crate::http::{AdminToken, ApiOptions};
use crate::key::HostKey;
use crate::serve::{Door, ListenOptions, Server, TlsFiles};
use rcgen::CertifiedKey;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ADMIN: &str = "an-admin-token-of-the-tests";

/// A certificate for `localhost` and its key, in files; and the certificate as such.
fn files(folder: &Path) -> (TlsFiles, String) {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(names).expect("is made");
    let files = TlsFiles {
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&files.certificate, cert.pem()).expect("is written");
    std::fs::write(&files.key, signing_key.serialize_pem()).expect("is written");
    (files, cert.pem())
}

fn options(files: TlsFiles) -> ListenOptions {
    let mut options = ListenOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    options.tls = Some(files);
    options.header_time = Duration::from_millis(500);
    options
}

struct Served {
    _desk: Desk,
    server: Server,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Served {
    async fn new() -> Self {
        let desk = Desk::new().await;
        let folder = tempfile::tempdir().expect("a folder");
        let (files, certificate) = files(folder.path());
        let door = Door::open(options(files)).expect("opens");
        let mut options = ApiOptions::new(HostKey::random().expect("random"));
        options.admin_token = Some(AdminToken::new(ADMIN).expect("is long enough"));
        let server = Server::start(door, &desk.host, options).expect("is served");
        let root = reqwest::Certificate::from_pem(certificate.as_bytes());
        let client = reqwest::Client::builder()
            .tls_certs_only([root.expect("is one")])
            .build();
        Self {
            _desk: desk,
            server,
            client: client.expect("is made"),
            _folder: folder,
        }
    }

    fn port(&self) -> u16 {
        let url = url::Url::parse(self.server.url()).expect("is one");
        assert_eq!(url.scheme(), "https");
        url.port().expect("has one")
    }

    async fn starts_a_session(&self) {
        let url = format!("https://localhost:{}/v1/sessions", self.port());
        let sent = self.client.post(url).bearer_auth(ADMIN).json(&json!({}));
        let answer = sent.send().await.expect("is answered");
        assert_eq!(answer.status(), 201);
    }
}

#[tokio::test]
async fn sessions_go_over_tls_for_who_trusts_the_certificate() {
    let served = Served::new().await;
    served.starts_a_session().await;
    let url = format!("https://localhost:{}/healthz", served.port());
    let stranger = reqwest::Client::builder().tls_certs_only([]).build();
    let refused = stranger.expect("is made").get(url).send().await;
    refused.expect_err("nobody vouches for the certificate");
}

#[tokio::test]
async fn who_speaks_plain_http_or_nothing_at_all_is_put_out() {
    let served = Served::new().await;
    let mut plain = TcpStream::connect(("127.0.0.1", served.port()))
        .await
        .expect("is let in");
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("is taken");
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    let mut silent = TcpStream::connect(("127.0.0.1", served.port()))
        .await
        .expect("is let in");
    drop(silent.read_to_end(&mut answer).await);
    served.starts_a_session().await;
}

#[tokio::test]
async fn a_key_of_another_certificate_is_told() {
    let (one, other) = (tempfile::tempdir(), tempfile::tempdir());
    let (one, other) = (one.expect("a folder"), other.expect("a folder"));
    let (mut mixed, _) = files(one.path());
    mixed.key = files(other.path()).0.key;
    let refused = Door::open(options(mixed)).expect_err("do not go together");
    assert_eq!(refused.code(), "listen.tls");
}
