//! Who may call what.
//!
//! Every session has a token of its own: HMAC-SHA256 over its id under a key of the host's, so nothing
//! is kept for it and any host with the key takes it. The operator's admin token opens what concerns
//! the host, and every session. Tokens are compared in constant time and never logged; in an address
//! they are taken only where browsers cannot send a header (RFC 6750, 2.3).

use super::api::Api;
use super::problem::ApiError;
use crate::key::{HostKey, mac};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use handoff_engine::name::SessionId;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use std::fmt;
use subtle::ConstantTimeEq;

/// Opens one session.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

impl SessionToken {
    /// The token as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken")
    }
}

/// Opens everything. Make it of at least 16 random characters.
#[derive(Clone)]
pub struct AdminToken(String);

/// A token that could be guessed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the admin token is shorter than {} characters, so it could be guessed; make one with \
     'openssl rand -base64 24'",
    AdminToken::SHORTEST
)]
pub struct WeakToken;

impl AdminToken {
    /// The shortest that is taken, characters.
    pub const SHORTEST: usize = 16;

    /// A token of the operator's.
    ///
    /// # Errors
    ///
    /// If it is so short that it could be guessed.
    pub fn new(token: impl Into<String>) -> Result<Self, WeakToken> {
        let token = token.into().trim().to_owned();
        if token.chars().count() < Self::SHORTEST {
            return Err(WeakToken);
        }
        Ok(Self(token))
    }

    /// A token for as long as the process lives; none if the system has no random numbers.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 24];
        SystemRandom::new().fill(&mut bytes).ok()?;
        Some(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The token as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

/// Knows right tokens from wrong ones.
#[derive(Debug)]
pub(super) struct Gate {
    sessions: SigningKey,
    repeats: SigningKey,
    admin: Option<AdminToken>,
}

struct SigningKey([u8; 32]);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl Gate {
    pub(super) fn new(key: &HostKey, admin: Option<AdminToken>) -> Self {
        Self {
            sessions: SigningKey(key.derive("session tokens")),
            repeats: SigningKey(key.derive("repeated creations")),
            admin,
        }
    }

    pub(super) fn token(&self, session: &SessionId) -> SessionToken {
        let bytes = mac(&self.sessions.0, session.as_str().as_bytes());
        SessionToken(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What repeats of one creation have in common, and nothing else: neither those of other callers
    /// nor what anybody outside could compute.
    pub(super) fn repeat(&self, caller: Caller, key: &str) -> [u8; 32] {
        mac(&self.repeats.0, format!("{caller:?}:{key}").as_bytes())
    }

    fn is_admin(&self, given: &str) -> bool {
        let admin = self.admin.as_ref();
        admin.is_some_and(|token| same(&token.0, given))
    }

    fn caller_of(&self, session: &SessionId, given: &str) -> Option<Caller> {
        // Both are looked at, so that the time taken tells nothing.
        let (admin, user) = (self.is_admin(given), same(&self.token(session).0, given));
        match (admin, user) {
            (true, _) => Some(Caller::Admin),
            (false, true) => Some(Caller::User),
            (false, false) => None,
        }
    }
}

fn same(one: &str, another: &str) -> bool {
    one.as_bytes().ct_eq(another.as_bytes()).into()
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Whoever has the session's token; anybody, where a session is only to be.
    User,
    /// The operator.
    Admin,
}

/// A call about a session by somebody who may make it.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) session: SessionId,
    pub(super) caller: Caller,
}

/// As [`Visit`], where the token may stand in the address.
#[derive(Debug)]
pub(super) struct Watch(pub(super) Visit);

/// A call by the operator.
#[derive(Debug)]
pub(super) struct Operator;

/// A call by the operator, or by anybody where sessions are for anybody to start.
#[derive(Debug)]
pub(super) struct Newcomer(pub(super) Caller);

#[derive(Deserialize)]
struct TokenInAddress {
    access_token: Option<String>,
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn in_address(parts: &Parts) -> Option<String> {
    let query = Query::<TokenInAddress>::try_from_uri(&parts.uri).ok()?;
    query.0.access_token
}

async fn visit(parts: &mut Parts, api: &Api, token: Option<String>) -> Result<Visit, ApiError> {
    let path = Path::<String>::from_request_parts(parts, api).await;
    let Path(session) = path.map_err(|_| ApiError::UnknownRoute)?;
    let session = SessionId::new(session);
    let token = token.ok_or(ApiError::MissingToken)?;
    let caller = api.gate().caller_of(&session, &token);
    let caller = caller.ok_or(ApiError::WrongToken)?;
    Ok(Visit { session, caller })
}

impl FromRequestParts<Api> for Visit {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let token = bearer(parts).map(str::to_owned);
        visit(parts, api, token).await
    }
}

impl FromRequestParts<Api> for Watch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let token = bearer(parts).map(str::to_owned);
        let token = token.or_else(|| in_address(parts));
        visit(parts, api, token).await.map(Self)
    }
}

impl FromRequestParts<Api> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::MissingAdminToken)?;
        if api.gate().is_admin(token) {
            Ok(Self)
        } else {
            Err(ApiError::WrongAdminToken)
        }
    }
}

impl FromRequestParts<Api> for Newcomer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        match bearer(parts) {
            None if api.is_public() => Ok(Self(Caller::User)),
            _ => {
                Operator::from_request_parts(parts, api).await?;
                Ok(Self(Caller::Admin))
            }
        }
    }
}
