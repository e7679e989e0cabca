//! What can go wrong with a chat, each with its code and a sentence for whoever can fix it
//! (PROTOCOLS 2.6).

use crate::platform::{Correlation, ErrorBody, PlatformError, QueueError};
use handoff_engine::handoff::EndDetail;
use handoff_engine::name::AccountName;
use handoff_engine::time::Millis;
use std::fmt;

/// A call of the guest API that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server cannot have seen the request.
    NotSent {
        /// What the network said.
        why: String,
    },
    /// The request may or may not have been carried out: no answer, 5xx, or one that cannot be read.
    Unknown {
        /// What the network or the answer said.
        why: String,
    },
    /// 429.
    RateLimited {
        /// How long to wait.
        retry_after: Millis,
    },
    /// The server says no.
    Refused(Refusal),
    /// The Platform API says no, for the few things that are asked there.
    Platform(PlatformError),
    /// The queue asked for is not the one there is.
    Queue(QueueError),
}

/// A refusal in the server's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Stable, for example `chat.error.invalid.queue`; empty if there was none.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) correlation: Correlation,
}

impl Failure {
    /// Whether the same call may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::Unknown { .. } | Self::RateLimited { .. } => true,
            Self::Refused(_) => false,
            Self::Platform(error) | Self::Queue(QueueError::Platform(error)) => error.is_passing(),
            Self::Queue(_) => false,
        }
    }

    /// Whether the call may have been carried out all the same.
    pub(super) fn is_doubtful(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// The refusal, if it is one of the guest API's.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// How long the server asked us to wait.
    pub(super) fn retry_after(&self) -> Option<Millis> {
        match self {
            Self::RateLimited { retry_after }
            | Self::Platform(PlatformError::RateLimited { retry_after, .. })
            | Self::Queue(QueueError::Platform(PlatformError::RateLimited {
                retry_after, ..
            })) => Some(*retry_after),
            _ => None,
        }
    }
}

impl Refusal {
    /// Reads the body of a refusal. Proxies answer in HTML; then the status is all there is.
    pub(super) fn new(status: u16, correlation: Correlation, body: &[u8]) -> Self {
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        Self {
            status,
            code: body.code,
            message: body.message.trim().trim_end_matches('.').to_owned(),
            correlation,
        }
    }

    /// The guest's token is no longer good, or never was.
    pub(super) fn is_about_the_token(&self) -> bool {
        self.status == 401
    }

    /// The conversation or our part of it is over, or says so.
    pub(super) fn is_about_the_end(&self) -> bool {
        matches!(
            self.code.as_str(),
            "chat.error.conversation.state" | "chat.error.member.state"
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(f, "HTTP status {}", self.status)?;
        } else {
            write!(f, "{}", self.message)?;
        }
        if !self.code.is_empty() {
            write!(f, ", {}", self.code)?;
        }
        write!(f, "{}", self.correlation)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent { why } | Self::Unknown { why } => f.write_str(why),
            Self::RateLimited { retry_after } => {
                write!(f, "too many requests; the next is taken in {retry_after}")
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Platform(error) => error.fmt(f),
            Self::Queue(error) => error.fmt(f),
        }
    }
}

/// What ends a handoff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error(
        "WebChat cannot start without a queue. Name one in the transfer, or set queue of account '{account}'."
    )]
    QueueRequired { account: AccountName },
    #[error(transparent)]
    Queue(QueueError),
    #[error(
        "Queue '{queue}' is not visible to this WebChat deployment ({why}). It does not exist under exactly this name, with case and spaces, or it takes no chats. Check the queue's name in Genesys, under Admin, Contact Center, Queues."
    )]
    QueueUnknown { queue: String, why: Refusal },
    #[error(
        "Genesys did not start the chat because of its routing ({why}). Check that the skills and the language of the transfer exist in Genesys under exactly these names, and that the priority is a whole number."
    )]
    RoutingRefused { why: Refusal },
    #[error(
        "Genesys did not start the chat because {field} is missing ({why}). Set it in the flow before the transfer."
    )]
    FieldMissing { field: String, why: Refusal },
    #[error(
        "The WebChat deployment of account '{account}' is disabled ({why}). Enable it in Genesys, under Admin, Contact Center, Widgets."
    )]
    DeploymentDisabled { account: AccountName, why: Refusal },
    #[error(
        "The WebChat deployment of account '{account}' takes signed-in guests only ({why}). Turn authentication off in the deployment, or use another one: chats that a bot hands over come without a signature."
    )]
    DeploymentNeedsSignature { account: AccountName, why: Refusal },
    #[error(
        "Genesys does not know this WebChat deployment ({why}). Check region, organization-id and deployment-id of account '{account}'; the deployment's type has to be Third Party."
    )]
    DeploymentUnknown { account: AccountName, why: Refusal },
    #[error(
        "Genesys refuses the chat because of a division or permission ({why}). Check that the queue and the deployment are in divisions that see each other."
    )]
    DivisionRefused { why: Refusal },
    #[error(
        "Genesys refused to start the chat: {why}. Check the deployment of account '{account}'."
    )]
    StartRefused { account: AccountName, why: Refusal },
    #[error(
        "Genesys could not be reached: {why}. Check region and hosts of account '{account}', and the network."
    )]
    Unreachable { account: AccountName, why: String },
    #[error(
        "The chat was created, but its event stream could not be opened: {why}. Genesys routes a chat only while its stream is open; allow connections to {host}."
    )]
    StreamUnreachable { host: String, why: String },
    #[error(
        "The token of this chat is no longer accepted ({why}), and WebChat has no way to renew one. Transfer the user again; chats that last longer than a token need Web Messaging or Open Messaging."
    )]
    TokenExpired { why: Refusal },
    #[error(
        "Genesys no longer knows this chat ({why}). It may have been purged; a new transfer opens a new one."
    )]
    ChatGone { why: Refusal },
}

impl Trouble {
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::QueueRequired { .. } => "transfer.queue_required",
            Self::Queue(error) => error.code(),
            Self::QueueUnknown { .. } => "genesys.queue_not_visible",
            Self::RoutingRefused { .. } => "genesys.routing_refused",
            Self::FieldMissing { .. } => "genesys.field_missing",
            Self::DeploymentDisabled { .. } => "genesys.deployment_disabled",
            Self::DeploymentNeedsSignature { .. } => "genesys.deployment_needs_signature",
            Self::DeploymentUnknown { .. } => "genesys.deployment_unknown",
            Self::DivisionRefused { .. } => "genesys.missing_permission",
            Self::StartRefused { .. } => "genesys.start_refused",
            Self::Unreachable { .. } => "genesys.unreachable",
            Self::StreamUnreachable { .. } => "genesys.stream_unreachable",
            Self::TokenExpired { .. } => "genesys.chat_token_expired",
            Self::ChatGone { .. } => "genesys.chat_gone",
        }
    }

    pub(super) fn detail(&self) -> EndDetail {
        EndDetail::new(self.code(), self.to_string())
    }

    /// What a refusal to start a chat means. `queue` is the one asked for.
    pub(super) fn at_start(account: &AccountName, queue: &str, why: &Refusal) -> Self {
        const MISSING: &str = "chat.error.notnull.createconversationrequest.";
        let account = account.clone();
        let why = why.clone();
        if let Some(field) = why.code.strip_prefix(MISSING) {
            let field = field.to_owned();
            return Self::FieldMissing { field, why };
        }
        match (why.code.as_str(), why.status) {
            ("chat.error.invalid.queue", _) => Self::QueueUnknown {
                queue: queue.to_owned(),
                why,
            },
            ("chat.error.createconversationrequest.routingtarget", _) => {
                Self::RoutingRefused { why }
            }
            ("chat.deployment.disabled", _) => Self::DeploymentDisabled { account, why },
            ("chat.deployment.require.auth" | "chat.deployment.bad.auth", _) => {
                Self::DeploymentNeedsSignature { account, why }
            }
            (_, 404) => Self::DeploymentUnknown { account, why },
            (_, 403) => Self::DivisionRefused { why },
            _ => Self::StartRefused { account, why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_start(status: u16, body: &str) -> Trouble {
        let why = Refusal::new(status, Correlation(Some("c-1".to_owned())), body.as_bytes());
        Trouble::at_start(&AccountName::new("acme"), "Billing", &why)
    }

    #[test]
    fn each_refusal_to_start_says_what_to_do() {
        for (status, body, code, words) in [
            (
                400,
                r#"{"code":"chat.error.invalid.queue","message":"The specified queue is not valid."}"#,
                "genesys.queue_not_visible",
                "Queue 'Billing'",
            ),
            (
                400,
                r#"{"code":"chat.error.createconversationrequest.routingtarget"}"#,
                "genesys.routing_refused",
                "skills",
            ),
            (
                400,
                r#"{"code":"chat.error.notnull.createconversationrequest.provider"}"#,
                "genesys.field_missing",
                "provider is missing",
            ),
            (
                400,
                r#"{"code":"chat.deployment.disabled"}"#,
                "genesys.deployment_disabled",
                "Enable it",
            ),
            (
                400,
                r#"{"code":"chat.deployment.require.auth"}"#,
                "genesys.deployment_needs_signature",
                "signed-in",
            ),
            (
                403,
                r#"{"code":"missing.division.permission"}"#,
                "genesys.missing_permission",
                "divisions",
            ),
            (
                404,
                r#"{"code":"not.found"}"#,
                "genesys.deployment_unknown",
                "Third Party",
            ),
            (
                413,
                "<html>too large</html>",
                "genesys.start_refused",
                "HTTP status 413",
            ),
        ] {
            let trouble = at_start(status, body);
            assert_eq!(trouble.code(), code);
            let sentence = trouble.to_string();
            assert!(sentence.contains(words), "{sentence}");
            assert!(sentence.contains("correlation id c-1"), "{sentence}");
        }
    }
}
