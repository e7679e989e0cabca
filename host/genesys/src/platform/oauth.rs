//! Access tokens by the client-credentials grant (PROTOCOLS 0.2).

use super::error::{Correlation, PlatformError};
use crate::client::describe;
use crate::traffic::Traffic;
use crate::unreadable::unreadable;
use handoff_engine::clock::Clock;
use handoff_engine::time::{Millis, Timestamp};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A token is renewed this long before it expires, so that no request carries a dying one.
const EARLY: Millis = Millis::from_secs(60);

/// An OAuth client of an organisation.
#[derive(Clone)]
pub struct Credentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// The account's token, fetched when first needed and shared by all its handoffs.
pub(super) struct Tokens {
    url: String,
    credentials: Credentials,
    current: Mutex<Option<Token>>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Token {
    value: String,
    expires: Timestamp,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Denied {
    error: String,
    description: Option<String>,
    error_description: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn new(login: &str, credentials: Credentials, clock: Arc<dyn Clock>) -> Self {
        Self {
            url: format!("{login}/oauth/token"),
            credentials,
            current: Mutex::new(None),
            clock,
        }
    }

    /// A token that is good for a while.
    pub(super) async fn get(
        &self,
        http: &reqwest::Client,
        traffic: &Traffic,
    ) -> Result<String, PlatformError> {
        let mut current = self.current.lock().await;
        if let Some(token) = &*current
            && self.clock.now() + EARLY < token.expires
        {
            return Ok(token.value.clone());
        }
        let token = self.fetch(http, traffic).await?;
        let value = token.value.clone();
        *current = Some(token);
        Ok(value)
    }

    /// Forgets a token the server refused, unless another call has replaced it already.
    pub(super) async fn refused(&self, token: &str) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|known| known.value == token) {
            *current = None;
        }
    }

    /// What a second 401, with a fresh token, means.
    pub(super) fn bad_credentials(&self, why: &str, correlation: Correlation) -> PlatformError {
        PlatformError::BadCredentials {
            client_id: self.credentials.client_id.clone(),
            why: why.to_owned(),
            correlation,
        }
    }

    async fn fetch(
        &self,
        http: &reqwest::Client,
        traffic: &Traffic,
    ) -> Result<Token, PlatformError> {
        let Credentials {
            client_id,
            client_secret,
        } = &self.credentials;
        let now = self.clock.now();
        let request = http
            .post(&self.url)
            .basic_auth(client_id, Some(client_secret))
            .form(&[("grant_type", "client_credentials")]);
        let response = traffic
            .send(request)
            .await
            .map_err(|error| PlatformError::NotSent {
                why: describe(&error),
            })?;
        let status = response.status();
        let correlation = super::call::correlation(response.headers());
        let retry_after = super::call::retry_after(response.headers());
        let body = response
            .bytes()
            .await
            .map_err(|error| PlatformError::Broken {
                why: describe(&error),
            })?;
        let doing = "get an access token";
        if matches!(status.as_u16(), 400 | 401) {
            let denied: Denied = serde_json::from_slice(&body).unwrap_or_default();
            let words = denied.description.or(denied.error_description);
            let why = words.map_or(denied.error.clone(), |words| {
                format!("{}, {words}", denied.error)
            });
            return Err(self.bad_credentials(&why, correlation));
        }
        if !status.is_success() {
            let status = status.as_u16();
            return Err(PlatformError::refusal(
                doing,
                "an OAuth role",
                status,
                retry_after,
                correlation,
                &body,
            ));
        }
        let granted: Granted =
            serde_json::from_slice(&body).map_err(|error| PlatformError::Unreadable {
                doing,
                why: unreadable(&error),
                correlation,
            })?;
        Ok(Token {
            value: granted.access_token,
            expires: now + Millis::from_secs(granted.expires_in),
        })
    }
}
