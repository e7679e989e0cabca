//! AWS Signature Version 4, by AWS' own library. The key signs: it is never part of what is sent.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use handoff_engine::egress::{CallError, SigningRequest};
use handoff_engine::time::Timestamp;
use serde::Deserialize;
use std::time::{Duration, UNIX_EPOCH};

/// The secret of an AWS account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Keys {
    access_key_id: String,
    pub(super) secret_access_key: String,
    #[serde(default)]
    pub(super) session_token: Option<String>,
}

impl Keys {
    pub(super) fn parse(secret: &str) -> Result<Self, CallError> {
        // What serde says could quote the secret.
        let keys: Option<Self> = serde_json::from_str(secret).ok();
        let whole = |keys: &Self| {
            let token = keys.session_token.as_deref();
            let parts = [&*keys.access_key_id, &*keys.secret_access_key];
            parts.into_iter().chain(token).all(|part| {
                !part.is_empty() && !part.contains(|letter: char| !letter.is_ascii_graphic())
            })
        };
        keys.filter(whole).ok_or_else(|| CallError::BadSecret {
            message: "the secret that a request to AWS is signed with is not a JSON object with \
                      accessKeyId and secretAccessKey, or one of them is empty or holds white space"
                .to_owned(),
        })
    }
}

/// The headers that sign a request.
pub(super) fn signed(
    keys: &Keys,
    wanted: &SigningRequest<'_>,
    now: Timestamp,
    (method, url): (&str, &str),
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Vec<(String, String)>, CallError> {
    let bad = |error: &dyn std::fmt::Display| CallError::BadSecret {
        message: format!("the request to AWS cannot be signed: {error}"),
    };
    let identity = Credentials::new(
        keys.access_key_id.clone(),
        keys.secret_access_key.clone(),
        keys.session_token.clone(),
        None,
        "handoff",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(wanted.region)
        .name(wanted.service)
        .time(UNIX_EPOCH + Duration::from_millis(now.0))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| bad(&error))?
        .into();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(method, url, headers, SignableBody::Bytes(body))
        .map_err(|error| bad(&error))?;
    let (instructions, _) = sign(request, &parameters)
        .map_err(|error| bad(&error))?
        .into_parts();
    Ok(instructions
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}
