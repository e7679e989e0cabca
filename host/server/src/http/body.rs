//! Reading bodies and queries, with errors in the shape of all others.

use super::api::Api;
use super::problem::ApiError;
use axum::Json;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
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
    match Json::from_request(request, &()).await {
        Ok(Json(value)) => Ok(value),
        Err(JsonRejection::MissingJsonContentType(_)) => {
            Err(ApiError::WrongMediaType("application/json"))
        }
        Err(JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(
            FailedToBufferBody::LengthLimitError(_),
        ))) => Err(ApiError::TooLarge {
            limit: MAX_JSON as u64,
        }),
        Err(rejection) => Err(ApiError::Malformed(rejection.body_text())),
    }
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

/// Reads JSON text.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(text).map_err(|error| ApiError::Malformed(error.to_string()))
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
