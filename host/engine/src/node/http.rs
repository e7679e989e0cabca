//! `wasi:http` for a step: requests are collected, checked, carried by the embedder's [`Egress`], and
//! recorded with their answers.
//!
//! [`Egress`]: crate::egress::Egress

use super::limits::Limits;
use crate::egress::{Access, Answer, Call, CallError, HttpRequest, HttpResponse, Placeholders};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// What stands between a step and the outside.
pub(super) struct Outgoing {
    access: Access,
    placeholders: Placeholders,
    limits: Arc<Limits>,
    sent: usize,
    calls: Arc<Mutex<Vec<Call>>>,
}

type Sent = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Outgoing {
    pub(super) fn new(access: Access, placeholders: Placeholders, limits: Arc<Limits>) -> Self {
        Self {
            access,
            placeholders,
            limits,
            sent: 0,
            calls: Arc::default(),
        }
    }

    /// What the step asked for, in the order of the answers.
    pub(super) fn into_calls(self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The placeholder of a secret, if the project lets it go anywhere.
    pub(super) fn placeholder(&self, name: &str) -> Option<String> {
        let grant = self.access.grants.0.get(name)?;
        (!grant.to.is_empty()).then(|| self.placeholders.of(name))
    }

    pub(super) fn knows_secret(&self, name: &str) -> bool {
        self.access.grants.0.contains_key(name)
    }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Sent,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Sent), Error>> + Send> {
        self.sent += 1;
        let id = format!("{}/call-{}", self.access.ids, self.sent);
        let within = self.sent <= self.limits.http_calls;
        let access = self.access.clone();
        let placeholders = self.placeholders.clone();
        let limits = Arc::clone(&self.limits);
        let calls = Arc::clone(&self.calls);
        Box::new(async move {
            let (parts, body) = request.into_parts();
            let method = parts.method.to_string();
            let url = placeholders.unmarked(parts.uri.to_string());
            let answer = async {
                if !within {
                    let limit = limits.http_calls;
                    return Err(CallError::TooMany { limit });
                }
                let body = collect(body, limits.http_request).await?;
                let request = checked(&access, &placeholders, &limits, &id, &parts, options, body)?;
                access.egress.send(request).await
            }
            .await;
            let back = match &answer {
                Ok(response) => to_wasi(response.clone()).map(|response| {
                    let done: Sent = Box::new(async { Ok(()) });
                    (response, done)
                }),
                Err(error) => Err(as_wasi(error)),
            };
            let answer = answer.map_or_else(Answer::Failed, Answer::Answered);
            calls
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Call {
                    id,
                    method,
                    url,
                    answer,
                });
            back
        })
    }
}

async fn collect(body: WasiBody, limit: usize) -> Result<Vec<u8>, CallError> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(CallError::RequestTooLong { limit }),
        Err(error) => Err(CallError::Malformed {
            reason: error.to_string(),
        }),
    }
}

/// The request as it may leave.
fn checked(
    access: &Access,
    placeholders: &Placeholders,
    limits: &Limits,
    id: &str,
    parts: &http::request::Parts,
    options: Option<RequestOptions>,
    body: Vec<u8>,
) -> Result<HttpRequest, CallError> {
    let malformed = |reason: String| CallError::Malformed { reason };
    let url = Url::parse(&parts.uri.to_string()).map_err(|error| malformed(error.to_string()))?;
    if !access.allowed.permits(&url) {
        return Err(CallError::Denied {
            origin: crate::egress::Origin::of(&url),
        });
    }
    let mut headers = Vec::new();
    for (name, value) in &parts.headers {
        if name == http::header::HOST {
            continue;
        }
        let value = value.to_str().map_err(|_| {
            malformed(format!(
                "the value of the header '{name}' is not printable ASCII"
            ))
        })?;
        headers.push((name.to_string(), value.to_owned()));
    }
    let secrets = placeholders.find(&access.grants, &url, &headers, &body)?;
    if !headers.iter().any(|(name, _)| name == "idempotency-key") {
        headers.push(("idempotency-key".to_owned(), id.to_owned()));
    }
    let asked = options.and_then(|options| options.first_byte_timeout);
    let deadline = asked.map_or(limits.http_deadline, |asked| {
        asked.min(limits.http_deadline)
    });
    Ok(HttpRequest {
        id: id.to_owned(),
        method: parts.method.to_string(),
        url,
        headers,
        body,
        secrets,
        deadline: crate::time::Millis(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)),
        most: limits.http_response,
    })
}

fn to_wasi(response: HttpResponse) -> Result<http::Response<WasiBody>, Error> {
    let mut builder = http::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(response.body.into_bytes()))
        .map_err(|never| match never {})
        .boxed_unsync();
    builder
        .body(body)
        .map_err(|error| Error::InternalError(Some(error.to_string())))
}

/// What WASI calls it. What it has no word for is told as a sentence.
fn as_wasi(error: &CallError) -> Error {
    let bytes = |limit: &usize| u64::try_from(*limit).ok();
    match error {
        CallError::Denied { .. } => Error::HttpRequestDenied,
        CallError::TimedOut { .. } => Error::HttpResponseTimeout,
        CallError::RequestTooLong { limit } => Error::HttpRequestBodySize(bytes(limit)),
        CallError::ResponseTooLong { limit } => Error::HttpResponseBodySize(bytes(limit)),
        CallError::SecretDenied { .. }
        | CallError::SecretMisplaced { .. }
        | CallError::AnswerDropped { .. }
        | CallError::BadSecret { .. }
        | CallError::PrivateAddress { .. }
        | CallError::Unreachable { .. }
        | CallError::Malformed { .. }
        | CallError::TooMany { .. } => Error::InternalError(Some(error.to_string())),
    }
}
