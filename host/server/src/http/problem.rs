//! What goes wrong, as clients are told: a stable code, and a sentence that says what to do.

use super::roles::Role;
use crate::host::StartError;
use crate::key::KeyError;
use crate::releases::DeployError;
use crate::sessions::InputError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoff_engine::session::Refusal;
use handoff_genesys::MediaError;
use handoff_store::StoreError;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// A call that comes to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No token.
    #[error(
        "this needs the session's token, which creating the session returned; send it as \
         'Authorization: Bearer TOKEN'"
    )]
    MissingToken,
    /// A wrong token, or that of another session.
    #[error("the token does not open this session; send the one that creating it returned")]
    WrongToken,
    /// No admin token.
    #[error("this needs the admin token; send it as 'Authorization: Bearer TOKEN'")]
    MissingAdminToken,
    /// A wrong admin token.
    #[error("this is not the host's admin token; send the one the host was started with")]
    WrongAdminToken,
    /// An admin token without the role that the call needs.
    #[error(
        "this needs an admin token with the role '{role}'; use another one, or have the role added"
    )]
    MissingRole {
        /// The role.
        role: Role,
    },
    /// An admin token whose time is over.
    #[error("this admin token has expired; use another one, or have its time extended")]
    ExpiredAdminToken,
    /// A session's token whose time is over.
    #[error(
        "the session's token has expired; ask for a new one before that, with \
         POST /v1/sessions/ID/token, or have the operator issue one"
    )]
    ExpiredToken,
    /// A session's token that was revoked.
    #[error("the session's token was revoked; the operator can issue a new one")]
    RevokedToken,
    /// No such route.
    #[error("there is nothing at this address; /openapi.json lists what there is")]
    UnknownRoute,
    /// A route that does not know the method.
    #[error("this address does not take this method; /openapi.json lists those it takes")]
    WrongMethod,
    /// A body, path or query that cannot be read.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    /// A body of another media type.
    #[error("the body is not of the media type '{0}'; say so in Content-Type, and send that")]
    WrongMediaType(&'static str),
    /// A body that is too long.
    #[error("the body is longer than the {limit} bytes that are taken here; send less")]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// A client's id that cannot be one.
    #[error("'id' has to be 1 to 128 characters long; make it unique within the session")]
    BadId,
    /// A message without anything in it.
    #[error("the message is empty; give it a text, an attachment or a choice")]
    EmptyMessage,
    /// An attachment that this host does not have.
    #[error(
        "'{url}' is no file of this host; upload it to the session's attachments first, and name the \
         url that returns"
    )]
    ForeignAttachment {
        /// Its address.
        url: String,
    },
    /// An upload without a file.
    #[error("the form holds no file; send one part with the name 'file' and a file name")]
    NoFile,
    /// A position that is none.
    #[error("'{0}' is no position; send one that an event had, such as 3.1, or leave it out")]
    BadPosition(String),
    /// An idempotency key that is none.
    #[error(
        "'Idempotency-Key' has to be 16 to 128 printable characters; make a random one, such as a \
         UUID, for each session that is to be created"
    )]
    BadIdempotencyKey,
    /// An idempotency key that was used for another session.
    #[error(
        "a session was created with this 'Idempotency-Key' before, in another way or long ago; make \
         a new key for each session that is to be created"
    )]
    UsedIdempotencyKey,
    /// No such project.
    #[error("this host has no project '{0}'; /v1/projects lists those it has")]
    UnknownProject(String),
    /// A version that new sessions do not take.
    #[error("new sessions go on as before: {0}")]
    NotDeployed(#[from] DeployError),
    /// The host has no versions to choose from.
    #[error(
        "this host was not given a project's directory, so it can take no other version; whoever embeds \
         it deploys"
    )]
    NoDeployments,
    /// More is asked than is worked on at once.
    #[error("the host is busy; send the same again in a moment")]
    Busy,
    /// A session's user does more than one may.
    #[error("the session's user does too much at once; send the same again in {} s", seconds(*.wait))]
    TooManyInputs {
        /// For how long to wait.
        wait: Duration,
    },
    /// More sessions are started by anybody than may be.
    #[error("too many sessions are started at once; send the same again in {} s", seconds(*.wait))]
    TooManySessions {
        /// For how long to wait.
        wait: Duration,
    },
    /// One client starts more sessions than it may.
    #[error("too many sessions are started from this address; retry in {} s", seconds(*.wait))]
    TooManySessionsOfClient {
        /// For how long to wait.
        wait: Duration,
    },
    /// One client makes more requests than it may.
    #[error("too many requests from this address; retry in {} s", seconds(*.wait))]
    TooManyRequests {
        /// For how long to wait.
        wait: Duration,
    },
    /// More requests are made with an admin token than may be.
    #[error("too many requests with this admin token; retry in {} s", seconds(*.wait))]
    TooManyOfOperator {
        /// For how long to wait.
        wait: Duration,
    },
    /// A session is read too often.
    #[error(
        "the session is read too often; retry in {} s, or follow its events with \
         'Accept: text/event-stream'", seconds(*.wait)
    )]
    TooManyReads {
        /// For how long to wait.
        wait: Duration,
    },
    /// A session or a client uploads more files at once than it may.
    #[error("{limit} uploads are under way, which is the most at once; retry when one is done")]
    TooManyUploads {
        /// The limit.
        limit: usize,
    },
    /// A revocation that is not on disk.
    #[error(
        "the tokens are revoked, but not beyond a restart: {0}. Make room, then revoke them again"
    )]
    NotRevoked(std::io::Error),
    /// A key that cannot be rotated.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Secrets that cannot be read again.
    #[error("secrets are as before where they could not be read: {0}")]
    Secrets(StartError),
    /// A session is watched by more than may watch it.
    #[error("the session has {limit} streams and sockets open, which is the most; close one first")]
    TooManyStreams {
        /// The limit.
        limit: usize,
    },
    /// A request that takes too long.
    #[error(
        "the request was not done within {} s; send it again, with the same id, on a faster line",
        .limit.as_secs()
    )]
    TooSlow {
        /// The limit.
        limit: Duration,
    },
    /// The host does not work yet.
    #[error("the host is starting; retry in a moment")]
    Starting,
    /// The host takes nothing new.
    #[error("the host is about to stop and takes no new sessions; try again, elsewhere if you can")]
    Draining,
    /// A session does not take an input.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file cannot be kept.
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Input(error.into())
    }
}

/// Whole seconds, and at least one.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero())
}

impl ApiError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingToken | Self::MissingAdminToken => "auth.missing",
            Self::WrongToken => "auth.wrong",
            Self::WrongAdminToken => "auth.not_admin",
            Self::MissingRole { .. } => "auth.role",
            Self::ExpiredToken | Self::ExpiredAdminToken => "auth.expired",
            Self::RevokedToken => "auth.revoked",
            Self::TooManySessionsOfClient { .. } => "limit.client_sessions",
            Self::TooManyRequests { .. } => "limit.client",
            Self::TooManyOfOperator { .. } => "limit.admin",
            Self::TooManyReads { .. } => "limit.reads",
            Self::TooManyUploads { .. } => "limit.uploads",
            Self::NotRevoked(_) => "token.not_revoked",
            Self::Key(_) => "key.not_rotated",
            Self::Secrets(_) => "secrets.not_reloaded",
            Self::UnknownRoute => "request.unknown_address",
            Self::WrongMethod => "request.wrong_method",
            Self::Malformed(_) => "request.malformed",
            Self::WrongMediaType(_) => "request.wrong_media_type",
            Self::TooLarge { .. } => "request.too_large",
            Self::BadId => "request.bad_id",
            Self::EmptyMessage => "message.empty",
            Self::ForeignAttachment { .. } => "message.foreign_attachment",
            Self::NoFile => "attachment.no_file",
            Self::BadPosition(_) => "events.bad_position",
            Self::BadIdempotencyKey => "idempotency.bad_key",
            Self::UsedIdempotencyKey => "idempotency.used_key",
            Self::UnknownProject(_) => "project.unknown",
            Self::NotDeployed(_) => "version.not_deployed",
            Self::NoDeployments => "version.no_directory",
            Self::Busy => "limit.busy",
            Self::TooManyInputs { .. } => "limit.inputs",
            Self::TooManySessions { .. } => "limit.sessions",
            Self::TooManyStreams { .. } => "limit.streams",
            Self::TooSlow { .. } => "request.too_slow",
            Self::Draining => "host.draining",
            Self::Starting => "host.starting",
            Self::Input(error) => error.code(),
            Self::Media(error) => error.code(),
        }
    }

    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingToken
            | Self::MissingAdminToken
            | Self::ExpiredToken
            | Self::ExpiredAdminToken
            | Self::RevokedToken => StatusCode::UNAUTHORIZED,
            Self::WrongToken | Self::WrongAdminToken | Self::MissingRole { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::UnknownRoute | Self::UnknownProject(_) => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) | Self::BadIdempotencyKey | Self::BadPosition(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::WrongMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } | Self::Media(MediaError::TooLarge { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::BadId
            | Self::EmptyMessage
            | Self::ForeignAttachment { .. }
            | Self::NoFile
            | Self::NotDeployed(_)
            | Self::NoDeployments
            | Self::UsedIdempotencyKey => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Media(MediaError::Unknown { .. }) => StatusCode::NOT_FOUND,
            Self::TooManyInputs { .. }
            | Self::TooManySessions { .. }
            | Self::TooManySessionsOfClient { .. }
            | Self::TooManyRequests { .. }
            | Self::TooManyOfOperator { .. }
            | Self::TooManyReads { .. }
            | Self::TooManyUploads { .. }
            | Self::TooManyStreams { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Key(_) | Self::NotRevoked(_) | Self::Starting => StatusCode::SERVICE_UNAVAILABLE,
            Self::Secrets(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Draining | Self::Media(MediaError::Unavailable { .. }) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Input(error) => input_status(error),
        }
    }

    /// Seconds after which it is worth while to try again.
    fn retry_after(&self) -> u64 {
        match self {
            Self::TooManyInputs { wait }
            | Self::TooManySessions { wait }
            | Self::TooManySessionsOfClient { wait }
            | Self::TooManyRequests { wait }
            | Self::TooManyOfOperator { wait }
            | Self::TooManyReads { wait } => seconds(*wait),
            Self::Starting => 2,
            _ => 1,
        }
    }

    /// The error as it goes over the wire.
    pub(super) fn problem(&self) -> Problem {
        Problem {
            code: self.code(),
            message: self.to_string(),
        }
    }
}

fn input_status(error: &InputError) -> StatusCode {
    match error {
        InputError::Refused(refusal) => match refusal {
            Refusal::Closed | Refusal::Started | Refusal::OtherProject { .. } => {
                StatusCode::CONFLICT
            }
            Refusal::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::UnknownBot { .. } | Refusal::NotAddressable { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Refusal::History { .. } => StatusCode::SERVICE_UNAVAILABLE,
        },
        InputError::UnknownSession(_) => StatusCode::NOT_FOUND,
        InputError::Store(_) | InputError::Contended(_) | InputError::Stopping => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        InputError::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The code of an error, as a response carries it for the audit log.
#[derive(Clone, Copy, Debug)]
pub(super) struct ErrorCode(pub(super) &'static str);

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Stable, for programs.
    #[schema(value_type = String, example = "auth.wrong")]
    pub(super) code: &'static str,
    /// For the person who can mend it: what is wrong, and what to do.
    pub(super) message: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::warn!(code = self.code(), error = %self, "a call came to nothing");
        }
        let mut response = (status, Json(self.problem())).into_response();
        response.extensions_mut().insert(ErrorCode(self.code()));
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"handoff\""),
                );
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, self.retry_after().into());
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_engine::name::{BotName, SessionId};

    /// One of each, so that a new one is missed here and not by users.
    fn all() -> Vec<ApiError> {
        let (wait, bot) = (Duration::ZERO, || BotName::new("b"));
        let (url, session) = (String::new, || SessionId::new("s"));
        let refused = [
            Refusal::NotAddressable { bot: bot() },
            Refusal::UnknownBot { bot: bot() },
            Refusal::TooLong { bytes: 1 },
            Refusal::Closed,
            Refusal::Started,
            Refusal::OtherProject { pinned: url() },
        ];
        let inputs = [
            InputError::UnknownSession(session()),
            InputError::Store(StoreError::Closed),
            InputError::Contended(session()),
            InputError::Stopping,
            InputError::Broken(session()),
        ];
        let media = [
            MediaError::Unknown { url: url() },
            MediaError::TooLarge { bytes: 2, limit: 1 },
            MediaError::Unavailable { why: url() },
        ];
        let own = [
            ApiError::MissingToken,
            ApiError::WrongToken,
            ApiError::MissingAdminToken,
            ApiError::WrongAdminToken,
            ApiError::UnknownRoute,
            ApiError::WrongMethod,
            ApiError::Malformed(url()),
            ApiError::WrongMediaType("x"),
            ApiError::TooLarge { limit: 1 },
            ApiError::BadId,
            ApiError::EmptyMessage,
            ApiError::ForeignAttachment { url: url() },
            ApiError::NoFile,
            ApiError::BadPosition(url()),
            ApiError::BadIdempotencyKey,
            ApiError::UsedIdempotencyKey,
            ApiError::UnknownProject(url()),
            ApiError::NotDeployed(DeployError::Account(StartError::Accounts(Vec::new()))),
            ApiError::NoDeployments,
            ApiError::Busy,
            ApiError::TooManyInputs { wait },
            ApiError::TooManySessions { wait },
            ApiError::TooManyStreams { limit: 1 },
            ApiError::TooManySessionsOfClient { wait },
            ApiError::TooManyRequests { wait },
            ApiError::TooManyOfOperator { wait },
            ApiError::TooManyReads { wait },
            ApiError::TooManyUploads { limit: 1 },
            ApiError::MissingRole { role: Role::View },
            ApiError::ExpiredAdminToken,
            ApiError::ExpiredToken,
            ApiError::RevokedToken,
            ApiError::NotRevoked(std::io::ErrorKind::StorageFull.into()),
            ApiError::Key(KeyError::NoRandomness),
            ApiError::Secrets(StartError::Accounts(Vec::new())),
            ApiError::Starting,
            ApiError::TooSlow { limit: wait },
            ApiError::Draining,
        ];
        let inputs = refused
            .into_iter()
            .map(InputError::from)
            .chain(inputs)
            .map(ApiError::from);
        let media = media.into_iter().map(ApiError::from);
        own.into_iter().chain(inputs).chain(media).collect()
    }

    #[test]
    fn every_code_is_in_the_manual_with_its_status() {
        let manual = include_str!("../../../../docs/serve.md");
        let table = manual
            .split_once("| code | status |")
            .expect("there is a table")
            .1;
        let table = table.split_once("\n\n").expect("it ends").0;
        let mut codes = std::collections::BTreeSet::new();
        for error in all() {
            let row = format!("| `{}` | {} |", error.code(), error.status().as_u16());
            assert!(table.contains(&row), "{row}");
            codes.insert(error.code());
        }
        assert_eq!(table.matches("\n| `").count(), codes.len());
    }
}
