//! Reading bodies and queries, with errors in the shape of all others.

use super::problem::ApiError;
use axum::Json;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// The longest JSON body and the longest frame, bytes: the longest message with every character
/// escaped, and room for the rest.
pub(super) const MAX_JSON: usize = 128 << 10;

/// A JSON body. None at all is read as an empty object.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if axum::body::HttpBody::is_end_stream(request.body()) {
            return read(b"{}").map(Self);
        }
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
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
