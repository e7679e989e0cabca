//! What the guest is sent, but for messages (PROTOCOLS 3.4 and 3.7).

use super::lenient;
use crate::unreadable::unreadable;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// One text frame of theirs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Frame {
    /// What the body is, for example `StructuredMessage`; `string` for errors.
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) class: String,
    /// 200, or why not.
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) code: i64,
    pub(in super::super) body: Value,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) tracing_id: Option<String>,
}

impl Frame {
    pub(in super::super) fn is_ok(&self) -> bool {
        matches!(self.code, 0 | 200..=299)
    }

    /// The words of an error.
    pub(in super::super) fn words(&self) -> String {
        let body = &self.body;
        let words = body.as_str().or_else(|| body["errorMessage"].as_str());
        let words = words.unwrap_or_default().trim().trim_end_matches('.');
        if words.is_empty() {
            "it gave no reason".to_owned()
        } else {
            words.to_owned()
        }
    }

    /// Reads the body.
    pub(in super::super) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        match serde_json::from_value(self.body.clone()) {
            Ok(body) => Some(body),
            Err(error) => {
                let why = unreadable(&error);
                tracing::warn!(class = self.class, why, "a frame's body cannot be read");
                None
            }
        }
    }
}

/// Body of `SessionResponse`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct SessionResponse {
    pub(in super::super) connected: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) new_session: bool,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) read_only: bool,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) allowed_media: AllowedMedia,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) blocked_extensions: Vec<String>,
    /// Of keys and values together, UTF-8.
    pub(in super::super) max_custom_data_bytes: Option<usize>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in super::super) struct AllowedMedia {
    pub(in super::super) inbound: Option<InboundMedia>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct InboundMedia {
    pub(in super::super) file_types: Option<Vec<FileType>>,
    #[serde(rename = "maxFileSizeKB")]
    pub(in super::super) max_file_size_kb: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in super::super) struct FileType {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(in super::super) kind: String,
}

/// Body of `PresignedUrlResponse`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct PresignedUrl {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) attachment_id: String,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) url: String,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) headers: BTreeMap<String, String>,
}

/// Body of `UploadSuccessEvent`, `UploadFailureEvent` and `GenerateUrlError`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct UploadOutcome {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) attachment_id: String,
    pub(in super::super) error_code: Option<i64>,
    pub(in super::super) error_message: Option<String>,
}

/// Body of `JwtResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in super::super) struct Jwt {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) jwt: String,
    /// Seconds since the epoch.
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) exp: u64,
}

/// Body of `TooManyRequestsErrorMessage`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct TooMany {
    /// Seconds.
    pub(in super::super) retry_after: Option<u64>,
}
