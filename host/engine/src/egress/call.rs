//! A request, its answer, and the record of both.

use super::{Origin, Place};
use crate::account::SecretRef;
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// A request on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Derived from session and revision, so that a retry after a crash is recognisable. It is also in
    /// the header `idempotency-key`, unless the node has set one.
    pub id: String,
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The whole address.
    pub url: url::Url,
    /// Lower-case names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Secrets that belong into the request, each at a place and to an address that its project allows.
    /// [`Self::put`] puts the value in.
    pub secrets: Vec<PlacedSecret>,
    /// How long everything may take.
    pub deadline: Millis,
    /// Bytes that the answer's body may have.
    pub most: usize,
}

impl HttpRequest {
    /// Where it goes, as people write it.
    #[must_use]
    pub fn origin(&self) -> String {
        Origin::of(&self.url)
    }
}

/// A secret in a request, still as its placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedSecret {
    /// The text that stands for it.
    pub placeholder: String,
    /// Where its value comes from.
    pub secret: SecretRef,
    /// Where the placeholder stands.
    pub place: Place,
}

impl PlacedSecret {
    /// The part of the placeholder that only this process knows. It is not the same when a turn is made
    /// again elsewhere.
    pub(super) fn mark(&self) -> &str {
        let mark = self.placeholder.rsplit(':').next().unwrap_or_default();
        mark.trim_end_matches('}')
    }
}

/// An answer, of whatever status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// The status, 200 for example.
    pub status: u16,
    /// Lower-case names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer, as a journal can keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Body {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

impl Body {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The record of a request: enough to make the turn again without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The request's id.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Its address.
    pub url: String,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It was answered.
    Answered(HttpResponse),
    /// It was not sent, or not answered.
    Failed(CallError),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "code")]
pub enum CallError {
    /// The project does not declare the address.
    #[error(
        "no request may go to {origin}; add it to 'allow' under [egress] in project.toml, and start the \
         host with --allow-egress {origin}"
    )]
    Denied {
        /// Scheme, host and port.
        origin: String,
    },
    /// A secret would go where it may not.
    #[error(
        "the secret '{name}' may not go to {origin}; add the address to the secret's 'to' under \
         [secrets] in project.toml"
    )]
    SecretDenied {
        /// The secret.
        name: String,
        /// Scheme, host and port.
        origin: String,
    },
    /// A secret would stand where it may not.
    #[error(
        "the secret '{name}' may not stand in {place}; add the place to the secret's 'in' under [secrets] \
         in project.toml, if the request is meant to have it there"
    )]
    SecretMisplaced {
        /// The secret.
        name: String,
        /// The part of the request.
        place: String,
    },
    /// The answer to a request with secrets, from which they could not be taken out.
    #[error(
        "the answer of {origin} was dropped, because {reason}: the secrets of the request could not be \
         looked for in it; have the API answer in UTF-8 and uncompressed"
    )]
    AnswerDropped {
        /// Scheme, host and port.
        origin: String,
        /// Why it could not be read.
        reason: String,
    },
    /// The host has no value for a secret, or not one that is needed.
    #[error("{message}")]
    BadSecret {
        /// What is wrong with it; never the value.
        message: String,
    },
    /// The name of the host leads to an address inside the operator's network.
    #[error(
        "{host} leads to {address}, which is inside a private network; if that is meant, start the host \
         with --allow-private-egress"
    )]
    PrivateAddress {
        /// The host.
        host: String,
        /// Its address.
        address: String,
    },
    /// No connection, or it broke.
    #[error("{origin} cannot be reached: {reason}")]
    Unreachable {
        /// Scheme, host and port.
        origin: String,
        /// Why.
        reason: String,
    },
    /// No answer in time.
    #[error("{origin} did not answer within {} ms", .deadline.0)]
    TimedOut {
        /// Scheme, host and port.
        origin: String,
        /// The limit.
        deadline: Millis,
    },
    /// The step has sent as many requests as it may.
    #[error("a step may send {limit} requests; spread them over several nodes")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The request's body is too long.
    #[error("the request's body has more than {limit} bytes")]
    RequestTooLong {
        /// The limit.
        limit: usize,
    },
    /// The answer's body is too long.
    #[error("the answer's body has more than {limit} bytes")]
    ResponseTooLong {
        /// The limit.
        limit: usize,
    },
    /// The request is none.
    #[error("the request is malformed: {reason}")]
    Malformed {
        /// Why.
        reason: String,
    },
}

impl CallError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "egress.denied",
            Self::SecretDenied { .. } => "egress.secret_denied",
            Self::SecretMisplaced { .. } => "egress.secret_misplaced",
            Self::AnswerDropped { .. } => "egress.answer_dropped",
            Self::BadSecret { .. } => "egress.bad_secret",
            Self::PrivateAddress { .. } => "egress.private_address",
            Self::Unreachable { .. } => "egress.unreachable",
            Self::TimedOut { .. } => "egress.timed_out",
            Self::TooMany { .. } => "egress.too_many",
            Self::RequestTooLong { .. } => "egress.request_too_long",
            Self::ResponseTooLong { .. } => "egress.response_too_long",
            Self::Malformed { .. } => "egress.malformed",
        }
    }
}
