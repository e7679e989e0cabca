//! Who may call what.
//!
//! Every session has tokens of its own (`session_tokens`), which open that session and nothing else.
//! Operators' tokens (`admin_tokens`) open what their roles say (`roles`), sessions included. Tokens are
//! compared in constant time and never logged. In an address only sessions' tokens are taken, and only
//! where browsers cannot send a header (RFC 6750, 2.3).

use super::admin_tokens::{AdminTokens, Operator as KnownOperator};
use super::api::Api;
use super::guard::{Origin, Visited, bearer};
use super::problem::ApiError;
use super::roles::{Role, access_to};
use super::session_tokens::{Period, SessionToken, SessionTokens, Standing};
use crate::key::{HostKey, mac};
use crate::revocations::Revocations;
use axum::extract::{FromRequestParts, MatchedPath, Path, Query};
use axum::http::request::Parts;
use handoff_engine::clock::Clock;
use handoff_engine::name::SessionId;
use handoff_engine::time::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Knows right tokens from wrong ones.
#[derive(Debug)]
pub(super) struct Gate {
    sessions: SessionTokens,
    operators: AdminTokens,
    key: HostKey,
}

impl Gate {
    pub(super) fn new(
        key: &HostKey,
        operators: AdminTokens,
        lifetime: Duration,
        revocations: Revocations,
    ) -> Self {
        Self {
            sessions: SessionTokens::new(key, lifetime, revocations),
            operators,
            key: key.clone(),
        }
    }

    pub(super) fn sessions(&self) -> &SessionTokens {
        &self.sessions
    }

    /// The host's key, to be rotated.
    pub(super) fn key(&self) -> &HostKey {
        &self.key
    }

    /// A new token of a session.
    pub(super) fn token(&self, session: &SessionId, now: Timestamp) -> SessionToken {
        self.sessions.issue(session, now)
    }

    /// What repeats of one creation have in common, and nothing else: neither those of other callers
    /// nor what anybody outside could compute. Under each of the host's keys, the newest first.
    pub(super) fn repeats(&self, caller: Caller, key: &str) -> Vec<[u8; 32]> {
        let keys = self.key.derive_all("repeated creations");
        let said = format!("{caller:?}:{key}");
        keys.iter().map(|it| mac(it, said.as_bytes())).collect()
    }

    /// Whose token this is, if it is an operator's.
    pub(super) fn operator(&self, given: &str, now: Timestamp) -> Option<KnownOperator> {
        self.operators.find(given, now)
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// Whoever has the session's token; anybody, where a session is only to be.
    User,
    /// The operator.
    Admin,
}

/// A call about a session by somebody who may make it.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) session: SessionId,
    pub(super) caller: Caller,
    /// How long the token lasts, of a session's own.
    pub(super) period: Option<Period>,
}

/// As [`Visit`], where the token may stand in the address.
#[derive(Debug)]
pub(super) struct Watch(pub(super) Visit);

/// A call by an operator whose token has the role that the route needs.
#[derive(Debug)]
pub(super) struct Operator(Arc<KnownOperator>);

impl Operator {
    /// Whether the token has another role as well.
    pub(super) fn has(&self, role: Role) -> Result<(), ApiError> {
        if self.0.roles.contains(&role) {
            Ok(())
        } else {
            Err(ApiError::MissingRole { role })
        }
    }
}

/// A call by an operator, or by anybody where sessions are for anybody to start.
#[derive(Debug)]
pub(super) struct Newcomer(pub(super) Caller, pub(super) Origin);

#[derive(Deserialize)]
struct TokenInAddress {
    access_token: Option<String>,
}

fn in_address(parts: &Parts) -> Option<String> {
    let query = Query::<TokenInAddress>::try_from_uri(&parts.uri).ok()?;
    query.0.access_token
}

fn origin(parts: &Parts) -> Origin {
    parts.extensions.get().cloned().unwrap_or_default()
}

/// The operator who calls, if the request bears an operator's token and that may be used here.
fn operator(parts: &Parts) -> Result<Option<Arc<KnownOperator>>, ApiError> {
    let Some(operator) = origin(parts).operator else {
        return Ok(None);
    };
    if operator.expired {
        return Err(ApiError::ExpiredAdminToken);
    }
    let route = parts.extensions.get::<MatchedPath>();
    let access = route.and_then(|route| access_to(&parts.method, route.as_str()));
    // A route that is not in the table is not for operators.
    let role = access.ok_or(ApiError::WrongAdminToken)?.role;
    if operator.roles.contains(&role) {
        Ok(Some(operator))
    } else {
        Err(ApiError::MissingRole { role })
    }
}

async fn visit(
    parts: &mut Parts,
    api: &Api,
    in_address: Option<String>,
) -> Result<Visit, ApiError> {
    let path = Path::<String>::from_request_parts(parts, api).await;
    let Path(session) = path.map_err(|_| ApiError::UnknownRoute)?;
    let session = SessionId::new(session);
    let (caller, period) = if operator(parts)?.is_some() {
        (Caller::Admin, None)
    } else {
        let given = bearer(parts).map(str::to_owned).or(in_address);
        let given = given.ok_or(ApiError::MissingToken)?;
        let read = api
            .gate()
            .sessions()
            .read(&session, &given, api.host().now());
        match read {
            Standing::Valid(period) => (Caller::User, Some(period)),
            Standing::Expired => return Err(ApiError::ExpiredToken),
            Standing::Revoked => return Err(ApiError::RevokedToken),
            Standing::Foreign => return Err(ApiError::WrongToken),
        }
    };
    let visit = Visit {
        session,
        caller,
        period,
    };
    if let Some(visited) = parts.extensions.get::<Visited>() {
        // A request is about one session.
        let _ = visited.0.set(visit.clone());
    }
    Ok(visit)
}

impl Visit {
    /// Waits until the token opens the session no more. For ever, if it is an operator's.
    pub(super) async fn over(&self, api: &Api) {
        let Some(period) = self.period else {
            return std::future::pending().await;
        };
        let tokens = api.gate().sessions();
        let mut revocations = tokens.revocations().watch();
        let revoked = async {
            while !tokens.is_revoked(&self.session, period) {
                if revocations.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let clock: &dyn Clock = &*api.host().0.clock;
        tokio::select! {
            () = revoked => {}
            _ = clock.sleep_until(period.expires) => {}
        }
    }
}

impl FromRequestParts<Api> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        visit(parts, api, None).await
    }
}

impl FromRequestParts<Api> for Watch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let token = in_address(parts);
        visit(parts, api, token).await.map(Self)
    }
}

impl FromRequestParts<Api> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        if let Some(operator) = operator(parts)? {
            return Ok(Self(operator));
        }
        match bearer(parts) {
            None => Err(ApiError::MissingAdminToken),
            Some(_) => Err(ApiError::WrongAdminToken),
        }
    }
}

impl FromRequestParts<Api> for Newcomer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let origin = origin(parts);
        match bearer(parts) {
            None if api.is_public() => Ok(Self(Caller::User, origin)),
            _ => {
                Operator::from_request_parts(parts, api).await?;
                Ok(Self(Caller::Admin, origin))
            }
        }
    }
}
