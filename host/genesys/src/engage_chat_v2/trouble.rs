//! What can go wrong with Engage, each with its code and a sentence for whoever can fix it.

use super::wire::ApiError;
use crate::policy::FileRefusal;
use handoff_engine::handoff::EndDetail;
use handoff_engine::name::AccountName;
use std::fmt;

/// How a request failed without an answer in the protocol's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server cannot have seen the request.
    NotSent {
        /// What the network said.
        why: String,
    },
    /// The server asked for the same request again.
    Transient {
        /// Its own words.
        why: String,
    },
    /// The request may or may not have been carried out.
    Unknown {
        /// What the network said.
        why: String,
    },
    /// An HTTP status other than 2xx.
    Status {
        /// The status.
        status: u16,
        /// `Retry-After`, seconds.
        retry_after: Option<u64>,
    },
    /// The file cannot be read, or breaks a limit.
    File(FileRefusal),
    /// An agent's file came and cannot be kept.
    NotKept {
        /// Why not.
        why: String,
    },
}

impl Failure {
    /// Whether the same request may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::Transient { .. } | Self::Unknown { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::File(_) | Self::NotKept { .. } => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent { why }
            | Self::Transient { why }
            | Self::Unknown { why }
            | Self::NotKept { why } => f.write_str(why),
            Self::Status { status, .. } => write!(f, "HTTP status {status}"),
            Self::File(refusal) => refusal.fmt(f),
        }
    }
}

/// What ends a handoff or is noted beside it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error(
        "Genesys did not start the chat because {field} is missing (error {code}). Set '{field}' in the flow before the transfer."
    )]
    FieldMissing { field: &'static str, code: i64 },
    #[error(
        "Genesys did not start the chat because emailAddress is not an e-mail address (error 364). Check the value the flow collects."
    )]
    BadEmail,
    #[error(
        "Genesys cannot start chats at the moment: its Chat Server is unavailable (error 240). Check that Chat Server runs and that GMS is connected to it."
    )]
    ChatServerUnavailable,
    #[error(
        "Genesys refused to start the chat: {errors}. Check the configuration of the chat service in GMS."
    )]
    StartRefused { errors: String },
    #[error(
        "Genesys does not know the chat service '{service}' at {url} (HTTP status {status}). Check service, url and prefix of account '{account}'."
    )]
    ServiceUnknown {
        account: AccountName,
        service: String,
        url: String,
        status: u16,
    },
    #[error(
        "Genesys refused access (HTTP status {status}). Check api-key of account '{account}' and the gateway in front of GMS."
    )]
    AccessRefused { account: AccountName, status: u16 },
    #[error(
        "Genesys could not be reached: {why}. Check url of account '{account}' and the network between this host and GMS."
    )]
    Unreachable { account: AccountName, why: String },
    #[error(
        "Genesys no longer knows this chat ({why}). It was restarted, or dropped the chat because nothing was polled for too long."
    )]
    ChatGone { why: String },
}

impl Trouble {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::FieldMissing { .. } => "genesys.field_missing",
            Self::BadEmail => "genesys.bad_email_address",
            Self::ChatServerUnavailable => "genesys.chat_server_unavailable",
            Self::StartRefused { .. } => "genesys.start_refused",
            Self::ServiceUnknown { .. } => "genesys.service_unknown",
            Self::AccessRefused { .. } => "genesys.access_refused",
            Self::Unreachable { .. } => "genesys.unreachable",
            Self::ChatGone { .. } => "genesys.chat_gone",
        }
    }

    pub(super) fn detail(&self) -> EndDetail {
        EndDetail::new(self.code(), self.to_string())
    }

    /// What a refusal to start a chat means (PROTOCOLS 1.6).
    pub(super) fn at_start(errors: &[ApiError]) -> Self {
        match errors.first().map(|error| error.code) {
            Some(code @ 102) => Self::FieldMissing {
                field: "firstName",
                code,
            },
            Some(code @ 103) => Self::FieldMissing {
                field: "lastName",
                code,
            },
            Some(code @ 161) => Self::FieldMissing {
                field: "nickname",
                code,
            },
            Some(240) => Self::ChatServerUnavailable,
            Some(364) => Self::BadEmail,
            _ => Self::StartRefused {
                errors: describe(errors),
            },
        }
    }
}

/// The server's own words, for what has no sentence here.
pub(super) fn describe(errors: &[ApiError]) -> String {
    if errors.is_empty() {
        return "it gave no reason".to_owned();
    }
    let each: Vec<_> = errors.iter().map(ToString::to_string).collect();
    each.join("; ")
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}", self.code)?;
        if self.code == 204 {
            f.write_str(", the message is too long")?;
        }
        for words in [&self.message, &self.advice].into_iter().flatten() {
            write!(f, ", {words}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(code: i64) -> (String, &'static str) {
        let trouble = Trouble::at_start(&[ApiError {
            code,
            ..ApiError::default()
        }]);
        (trouble.to_string(), trouble.code())
    }

    #[test]
    fn a_missing_field_is_named_with_what_to_do() {
        for (code, field) in [(102, "firstName"), (103, "lastName"), (161, "nickname")] {
            let (sentence, stable) = sentence(code);
            assert!(sentence.contains(field), "{sentence}");
            assert!(sentence.contains("Set "), "{sentence}");
            assert_eq!(stable, "genesys.field_missing");
        }
        assert_eq!(sentence(364).1, "genesys.bad_email_address");
        assert_eq!(sentence(240).1, "genesys.chat_server_unavailable");
        assert_eq!(sentence(999).1, "genesys.start_refused");
    }
}
