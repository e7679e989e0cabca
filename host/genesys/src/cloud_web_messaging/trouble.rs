//! Why a Web Messaging handoff, or one step of it, does not go on.

use crate::media::MediaError;
use crate::platform::{PlatformError, QueueError};
use handoff_engine::handoff::EndDetail;
use handoff_engine::time::Millis;

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error(
        "Genesys has no Messenger deployment '{deployment}'. Check deployment-id (Admin, Message, Messenger Deployments) and that the region is the organisation's."
    )]
    DeploymentUnknown { deployment: String },
    #[error(
        "The Messenger deployment '{deployment}' is not active. Turn it on under Admin, Message, Messenger Deployments."
    )]
    DeploymentInactive { deployment: String },
    #[error(
        "Genesys does not let {origin} use this deployment. Add the domain to the deployment's allowed domains, or set origin in the account to one of them."
    )]
    OriginRefused { origin: String },
    #[error(
        "The deployment takes only guests who have signed in ({words}). Turn authentication off in the Messenger configuration, or use a deployment without it."
    )]
    SignInRequired { words: String },
    #[error(
        "The messaging session has expired at Genesys, and its conversation with it. A new handoff begins a new one; how long sessions last is set in the Messenger configuration."
    )]
    SessionExpired,
    #[error(
        "Another connection has taken over this messaging session. If another host or page uses the same guest token, stop one of them."
    )]
    SessionTakenOver,
    #[error(
        "Genesys signed the guest out of this messaging session. A new handoff begins a new one."
    )]
    SignedOut,
    #[error(
        "The messaging session takes no more messages, and Genesys does not let a new one begin. Check the session settings of the Messenger configuration."
    )]
    ReadOnly,
    #[error("Genesys refused to {doing}: {words} (code {code}).")]
    Refused {
        doing: &'static str,
        words: String,
        code: i64,
    },
    #[error("Genesys limits the rate of messages; the next one may go in {retry_after}.")]
    RateLimited { retry_after: Millis },
    #[error("Genesys is unavailable ({words}, code {code}).")]
    Unavailable { words: String, code: i64 },
    #[error("Genesys could not be reached: {why}. Check region, hosts and the network.")]
    Unreachable { why: String },
    #[error("Genesys did not answer the attempt to {doing} in time.")]
    NoAnswer { doing: &'static str },
    #[error("Genesys' answer to the attempt to {doing} cannot be read: {why}.")]
    Unreadable { doing: &'static str, why: String },
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl Trouble {
    /// What an HTTP answer that is no success means.
    pub(super) fn of_status(
        doing: &'static str,
        status: u16,
        retry_after: Option<Millis>,
        words: String,
    ) -> Self {
        let code = i64::from(status);
        match status {
            429 => Self::RateLimited {
                retry_after: retry_after.unwrap_or(Millis::from_secs(5)),
            },
            408 | 500..=599 => Self::Unavailable { words, code },
            _ => Self::Refused { doing, words, code },
        }
    }

    /// Stable code.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::DeploymentUnknown { .. } => "genesys.deployment_unknown",
            Self::DeploymentInactive { .. } => "genesys.deployment_inactive",
            Self::OriginRefused { .. } => "genesys.origin_refused",
            Self::SignInRequired { .. } => "genesys.sign_in_required",
            Self::SessionExpired => "genesys.session_expired",
            Self::SessionTakenOver => "genesys.session_taken_over",
            Self::SignedOut => "genesys.signed_out",
            Self::ReadOnly => "genesys.session_read_only",
            Self::Refused { .. } => "genesys.refused",
            Self::RateLimited { .. } => "genesys.rate_limited",
            Self::Unavailable { .. } => "genesys.unavailable",
            Self::Unreachable { .. } | Self::NoAnswer { .. } => "genesys.unreachable",
            Self::Unreadable { .. } => "genesys.unreadable_answer",
            Self::Media(_) => "genesys.file_unreadable",
            Self::Queue(error) => error.code(),
            Self::Platform(error) => error.code(),
        }
    }

    pub(super) fn detail(&self) -> EndDetail {
        EndDetail::new(self.code(), self.to_string())
    }

    /// Whether the same may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::Unreachable { .. }
            | Self::NoAnswer { .. } => true,
            _ => self.platform().is_some_and(PlatformError::is_passing),
        }
    }

    /// How long to wait, where Genesys says.
    pub(super) fn retry_after(&self) -> Option<Millis> {
        match (self, self.platform()) {
            (Self::RateLimited { retry_after }, _)
            | (_, Some(PlatformError::RateLimited { retry_after, .. })) => Some(*retry_after),
            _ => None,
        }
    }

    /// The failure of a Platform API call, if that is what it was.
    pub(super) fn platform(&self) -> Option<&PlatformError> {
        match self {
            Self::Platform(error) | Self::Queue(QueueError::Platform(error)) => Some(error),
            _ => None,
        }
    }
}
