//! Reading bodies and queries, with errors in the shape of all others.

use super::api::Api;
use super::problem::ApiError;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use handoff_genesys::replace_lone_surrogates;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

/// The longest JSON body and the longest frame, bytes: the longest message with every character
/// escaped, and room for the rest.
pub(super) const MAX_JSON: usize = 128 << 10;

/// A JSON body, and the request's place among those that are worked on, which it gets when the body is
/// read. No body at all is read as an empty object.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T, pub(super) OwnedSemaphorePermit);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        let value = body(request).await?;
        Ok(Self(value, api.limiter().request()?))
    }
}

async fn body<T: DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    check_length(request.headers(), MAX_JSON as u64)?;
    if axum::body::HttpBody::is_end_stream(request.body()) {
        return read(b"{}");
    }
    if !is_json(request.headers()) {
        return Err(ApiError::WrongMediaType("application/json"));
    }
    match Bytes::from_request(request, &()).await {
        Ok(bytes) => read(&bytes),
        Err(BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_))) => {
            Err(ApiError::TooLarge {
                limit: MAX_JSON as u64,
            })
        }
        Err(rejection) => Err(ApiError::Malformed(rejection.body_text())),
    }
}

/// Whether a body is JSON, as far as its media type says.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let suffixed = essence.starts_with("application/") && essence.ends_with("+json");
    essence == "application/json" || suffixed
}

/// Refuses a body that says itself that it is too long, before any of it is read.
pub(super) fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), ApiError> {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > limit => Err(ApiError::TooLarge { limit }),
        _ => Ok(()),
    }
}

/// Reads JSON text. A lone surrogate, as clients send that cut a text within an emoji, is read as U+FFFD.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let text = replace_lone_surrogates(text);
    serde_json::from_slice(&text).map_err(|error| ApiError::Malformed(error.to_string()))
}

/// The part of an address after the question mark.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        let Query(value) = query.map_err(|it| ApiError::Malformed(it.body_text()))?;
        Ok(Self(value))
    }
}
