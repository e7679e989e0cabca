//! What the Platform API refuses with, and what each refusal means for whoever can fix it.

use handoff_engine::time::Millis;
use serde::Deserialize;
use std::fmt;

/// The body of a refusal (PROTOCOLS 0.5). Every field is optional on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorBody {
    /// A sentence.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    /// Stable, for example `missing.permissions`.
    #[serde(deserialize_with = "or_default")]
    pub code: String,
    /// Genesys' id of the failure, where it differs from the correlation id.
    pub context_id: Option<String>,
}

fn or_default<'de, D: serde::Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(value)?.unwrap_or_default())
}

/// The `inin-correlation-id` of an answer, as a clause for support tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correlation(pub Option<String>);

impl fmt::Display for Correlation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(id) => write!(f, " (correlation id {id})"),
            None => Ok(()),
        }
    }
}

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// The OAuth client is refused.
    #[error(
        "Genesys refuses OAuth client {client_id}: {why}{correlation}. Check client-id and client-secret, and that the client uses the Client Credentials grant and is active."
    )]
    BadCredentials {
        /// The client.
        client_id: String,
        /// The server's own words.
        why: String,
        /// For support.
        correlation: Correlation,
    },
    /// 403 for want of a permission.
    #[error(
        "The OAuth client may not {doing}: it lacks {permissions}{correlation}. Add it to the client's role, in the division concerned."
    )]
    MissingPermission {
        /// What was tried.
        doing: &'static str,
        /// The permissions, as Genesys names them.
        permissions: String,
        /// For support.
        correlation: Correlation,
    },
    /// What was asked for does not exist, or not for this client.
    #[error("Genesys could not {doing}: {message}{correlation}.")]
    NotFound {
        /// What was tried.
        doing: &'static str,
        /// The server's own words.
        message: String,
        /// For support.
        correlation: Correlation,
    },
    /// Any other refusal that repeating would not change.
    #[error("Genesys refused to {doing}: {message} ({code}, HTTP status {status}){correlation}.")]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// HTTP status.
        status: u16,
        /// Genesys' code.
        code: String,
        /// The server's own words.
        message: String,
        /// For support.
        correlation: Correlation,
    },
    /// 429.
    #[error(
        "Genesys limits the rate of requests; the next one may go in {retry_after}{correlation}."
    )]
    RateLimited {
        /// How long to wait.
        retry_after: Millis,
        /// For support.
        correlation: Correlation,
    },
    /// 5xx and the like. It may or may not have been carried out.
    #[error("Genesys is unavailable (HTTP status {status}){correlation}.")]
    Unavailable {
        /// HTTP status.
        status: u16,
        /// For support.
        correlation: Correlation,
    },
    /// The server cannot have seen the request.
    #[error("Genesys could not be reached: {why}. Check region, hosts and the network.")]
    NotSent {
        /// What the network said.
        why: String,
    },
    /// The request may or may not have been carried out.
    #[error("The connection to Genesys broke: {why}.")]
    Broken {
        /// What the network said.
        why: String,
    },
    /// A success that cannot be read.
    #[error("Genesys' answer to the attempt to {doing} cannot be read: {why}{correlation}.")]
    Unreadable {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        why: String,
        /// For support.
        correlation: Correlation,
    },
}

impl PlatformError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadCredentials { .. } => "genesys.bad_credentials",
            Self::MissingPermission { .. } => "genesys.missing_permission",
            Self::NotFound { .. } => "genesys.not_found",
            Self::Refused { .. } => "genesys.refused",
            Self::RateLimited { .. } => "genesys.rate_limited",
            Self::Unavailable { .. } => "genesys.unavailable",
            Self::NotSent { .. } | Self::Broken { .. } => "genesys.unreachable",
            Self::Unreadable { .. } => "genesys.unreadable_answer",
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Unavailable { .. }
                | Self::NotSent { .. }
                | Self::Broken { .. }
        )
    }

    /// Whether the call may have been carried out all the same.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Broken { .. } | Self::Unreadable { .. }
        )
    }

    /// Reads a refusal. `permission` is what the call needs, for refusals that do not say.
    pub(crate) fn refusal(
        doing: &'static str,
        permission: &'static str,
        status: u16,
        retry_after: Option<Millis>,
        correlation: Correlation,
        body: &[u8],
    ) -> Self {
        // Proxies in front of Genesys answer in HTML; then the status is all there is.
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let message = body.message.trim().trim_end_matches('.').to_owned();
        match status {
            403 => Self::MissingPermission {
                doing,
                permissions: permissions_in(&body).unwrap_or_else(|| permission.to_owned()),
                correlation,
            },
            404 | 410 => Self::NotFound {
                doing,
                message: or_unsaid(message),
                correlation,
            },
            429 => Self::RateLimited {
                retry_after: retry_after.unwrap_or(Millis::from_secs(5)),
                correlation,
            },
            408 | 500..=599 => Self::Unavailable {
                status,
                correlation,
            },
            _ => Self::Refused {
                doing,
                status,
                code: if body.code.is_empty() {
                    "no code".to_owned()
                } else {
                    body.code
                },
                message: or_unsaid(message),
                correlation,
            },
        }
    }
}

fn or_unsaid(message: String) -> String {
    if message.is_empty() {
        "it gave no reason".to_owned()
    } else {
        message
    }
}

/// The permissions listed in "You are missing the following permission(s): a, b".
fn permissions_in(body: &ErrorBody) -> Option<String> {
    if !body.code.starts_with("missing.") {
        return None;
    }
    let (_, listed) = body.message.split_once(": ")?;
    let listed = listed
        .trim()
        .trim_matches(|c: char| c == '[' || c == ']' || c == '.');
    listed.contains(':').then(|| listed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> PlatformError {
        let correlation = Correlation(Some("c-1".to_owned()));
        let body = body.as_bytes();
        PlatformError::refusal(
            "list queues",
            "routing:queue:view",
            status,
            None,
            correlation,
            body,
        )
    }

    #[test]
    fn a_missing_permission_is_named_as_the_server_names_it() {
        let error = refusal(
            403,
            r#"{"code":"missing.any.permissions","message":"You must have at least one of the following permissions assigned: routing:queue:view, routing:queue:search"}"#,
        );
        assert_eq!(error.code(), "genesys.missing_permission");
        assert!(
            error
                .to_string()
                .contains("lacks routing:queue:view, routing:queue:search")
        );
        assert!(error.to_string().contains("correlation id c-1"));
    }

    #[test]
    fn a_403_that_names_nothing_is_taken_for_the_permission_the_call_needs() {
        let error = refusal(
            403,
            r#"{"code":"not.authorized","message":null,"status":403}"#,
        );
        assert!(error.to_string().contains("lacks routing:queue:view"));
    }

    #[test]
    fn html_from_a_proxy_is_read_by_its_status() {
        let error = refusal(502, "<html>Bad Gateway</html>");
        assert!(error.is_passing() && error.is_doubtful());
        assert_eq!(error.code(), "genesys.unavailable");
    }
}
