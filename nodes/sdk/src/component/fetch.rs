//! Requests over `wasi:http`, by `waki`.

#[cfg(target_arch = "wasm32")]
use waki::{Client, ErrorCode, Method, header::HeaderName};

use crate::{HttpError, HttpRequest, HttpResponse};

/// Sends a request and waits for the whole answer.
#[cfg(target_arch = "wasm32")]
pub(super) fn fetch(request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut sending = Client::new()
        .request(method(&request.method), &request.url)
        .body(request.body.clone());
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| HttpError::Failed(format!("'{name}' is no name of a header")))?;
        sending = sending.header(name, value.as_str());
    }
    let response = sending.send().map_err(|error| failed(&error))?;
    let status = response.status_code();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = response.body().map_err(|error| failed(&error))?;
    Ok(HttpResponse {
        status,
        headers,
        body,
    })
}

#[cfg(target_arch = "wasm32")]
fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

#[cfg(target_arch = "wasm32")]
fn failed(error: &anyhow::Error) -> HttpError {
    match error.downcast_ref::<ErrorCode>() {
        Some(ErrorCode::HttpRequestDenied) => HttpError::Denied,
        Some(
            ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionReadTimeout
            | ErrorCode::HttpResponseTimeout,
        ) => HttpError::TimedOut,
        Some(ErrorCode::InternalError(Some(why))) => HttpError::Failed(why.clone()),
        Some(other) => {
            let name = format!("{other:?}");
            let name = name.strip_prefix("ErrorCode::").unwrap_or(&name);
            HttpError::Failed(format!("the host says {name}"))
        }
        None => HttpError::Failed(error.to_string()),
    }
}

/// A native library is no component and has nobody to ask.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn fetch(_: &HttpRequest) -> Result<HttpResponse, HttpError> {
    Err(HttpError::Denied)
}
