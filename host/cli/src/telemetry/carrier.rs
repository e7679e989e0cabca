//! What carries traces to the collector: the client that talks to Genesys as well, so that there is
//! one HTTP stack and one TLS stack in the program.
//!
//! The exporter works in a thread of its own, without a runtime; the requests are made in ours.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use opentelemetry_http::{HttpClient, HttpError, Request, Response, ResponseBodyTooLarge};
use tokio::runtime::Handle;

/// No collector has more to say.
const LARGEST_ANSWER: usize = 1 << 20;

/// Makes requests in a runtime.
#[derive(Debug)]
pub(super) struct Carrier {
    http: reqwest::Client,
    runtime: Handle,
}

impl Carrier {
    pub(super) fn new(runtime: &Handle) -> Self {
        Self {
            http: handoff_genesys::http_client(),
            runtime: runtime.clone(),
        }
    }
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let http = self.http.clone();
        let sending = self
            .runtime
            .spawn(async move { whole(http.execute(request).await?).await });
        sending.await?
    }
}

/// An answer with its body, which is of bounded length.
async fn whole(mut answer: reqwest::Response) -> Result<Response<Bytes>, HttpError> {
    let mut response = Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(ResponseBodyTooLarge::new().into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(body.freeze())?)
}
