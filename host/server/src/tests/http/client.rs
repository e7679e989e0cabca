//! A client of a host's routes.

use crate::http::{AdminToken, Api, ApiOptions};
use crate::key::HostKey;
use crate::tests::support::Desk;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tower::ServiceExt;

/// The operator's token.
pub(super) const ADMIN: &str = "an-admin-token-of-the-tests";

pub(super) struct Client {
    pub(super) desk: Desk,
    pub(super) api: Api,
    pub(super) router: Router,
}

/// A session that a client may talk to.
pub(super) struct Guest {
    pub(super) id: String,
    pub(super) token: String,
}

impl Client {
    pub(super) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut ApiOptions)) -> Self {
        let desk = Desk::new().await;
        let mut options = ApiOptions::new(HostKey::random().expect("random"));
        options.admin_token = Some(AdminToken::new(ADMIN).expect("is long enough"));
        change(&mut options);
        let api = Api::new(&desk.host, options);
        let router = api.router();
        Self { desk, api, router }
    }

    /// Sends a request while others are under way.
    pub(super) async fn router_call(&self, request: Request<Body>) -> Response {
        let router = self.router.clone();
        router.oneshot(request).await.expect("never fails")
    }

    /// Sends a request and waits until nothing is under way.
    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        let response = self.router_call(request).await;
        self.desk.clock.idle().await;
        response
    }

    pub(super) async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let response = self.send(request(method, path, token, body)).await;
        let status = response.status();
        (status, json_of(response).await)
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        self.call("GET", path, Some(token), None).await
    }

    /// A new session.
    pub(super) async fn guest(&self) -> Guest {
        let (status, body) = self
            .call("POST", "/v1/sessions", Some(ADMIN), Some(json!({})))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        let text = |key: &str| body[key].as_str().expect("is a text").to_owned();
        Guest {
            id: text("id"),
            token: text("token"),
        }
    }

    /// Does something in a session: `messages`, `typing`, `receipts` or `leave`.
    pub(super) async fn act(&self, guest: &Guest, what: &str, body: Value) -> (StatusCode, Value) {
        let path = guest.path(what);
        self.call("POST", &path, Some(&guest.token), Some(body))
            .await
    }

    pub(super) async fn say(&self, guest: &Guest, text: &str) {
        let body = json!({"id": text, "text": text});
        let (status, body) = self.act(guest, "messages", body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// Serves the routes on a port.
    pub(super) async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("is bound");
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

impl Guest {
    pub(super) fn path(&self, what: &str) -> String {
        format!("/v1/sessions/{}/{what}", self.id)
    }
}

pub(super) fn request(
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    request
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .expect("is a request")
}

/// A request with one more header.
pub(super) fn with_header(
    mut request: Request<Body>,
    name: &'static str,
    value: &str,
) -> Request<Body> {
    let headers: &mut HeaderMap = request.headers_mut();
    headers.insert(name, value.parse().expect("is a header"));
    request
}

pub(super) async fn json_of(response: Response) -> Value {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    let body = body.expect("reads");
    serde_json::from_slice(&body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(&body).into_owned();
        Value::String(text)
    })
}

/// Code of a problem.
pub(super) fn code(body: &Value) -> &str {
    assert!(body["message"].is_string(), "{body}");
    body["code"].as_str().expect("has a code")
}
