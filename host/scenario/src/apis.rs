//! A stand-in for every API that a project calls.
//!
//! Requests of nodes leave the host as they would, over a socket, but all of them end here, with the
//! address that they were meant for. Each is kept, and answered as the scenario says: with 200 and an
//! empty object if it says nothing.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use url::Url;

/// A stand-in that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Apis {
    url: Url,
    known: Arc<Mutex<Known>>,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Known {
    answers: HashMap<String, Answer>,
    calls: Vec<ApiCall>,
}

#[derive(Clone, Debug)]
struct Answer {
    status: StatusCode,
    body: Value,
}

/// A request that an API got.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiCall {
    /// Method and address.
    pub(crate) what: String,
    /// Headers by their lower-case names.
    pub(crate) headers: Map<String, Value>,
    /// JSON as it is, the fields of a form, or the text.
    pub(crate) body: Value,
}

impl Apis {
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let known = Arc::new(Mutex::new(Known::default()));
        let router = Router::new().fallback(take).with_state(Arc::clone(&known));
        let serving = tokio::spawn(async move {
            // It ends with its task.
            let _ = axum::serve(listener, router).await;
        });
        let url = Url::parse(&format!("http://{address}/"))
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self {
            url,
            known,
            serving,
        })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// From now on an origin answers so.
    pub(crate) fn answers(&self, origin: &str, status: u16, body: Value) -> Result<(), String> {
        let url = Url::parse(origin).map_err(|_| {
            format!("'{origin}' is no address; write for example \"https://api.example.com\"")
        })?;
        let status = StatusCode::from_u16(status)
            .map_err(|_| format!("{status} is no status; write for example 503"))?;
        lock(&self.known)
            .answers
            .insert(url.origin().ascii_serialization(), Answer { status, body });
        Ok(())
    }

    pub(crate) fn calls(&self) -> Vec<ApiCall> {
        lock(&self.known).calls.clone()
    }
}

impl Drop for Apis {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    State(known): State<Arc<Mutex<Known>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = text("x-forwarded-proto").unwrap_or("http");
    let origin = format!("{scheme}://{}", text("host").unwrap_or_default());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let call = ApiCall {
        what: format!("{method} {origin}{path}"),
        headers: headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))))
            .collect(),
        body: read(text("content-type").unwrap_or_default(), &body),
    };
    let mut known = lock(&known);
    known.calls.push(call);
    match known.answers.get(&origin).cloned() {
        Some(Answer {
            status,
            body: Value::String(text),
        }) => (status, text).into_response(),
        Some(Answer { status, body }) => json_answer(status, &body),
        None => json_answer(StatusCode::OK, &json!({})),
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, body.to_string()).into_response()
}

fn read(content_type: &str, body: &[u8]) -> Value {
    if content_type.starts_with("application/x-www-form-urlencoded") {
        return url::form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Value::from(value.into_owned())))
            .collect::<Map<String, Value>>()
            .into();
    }
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}
