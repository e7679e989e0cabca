//! One authorised call of the Platform API.

use super::error::{Correlation, PlatformError};
use super::hosts::Hosts;
use super::oauth::{Credentials, Tokens};
use crate::client::describe;
use crate::traffic::Traffic;
use crate::unreadable::unreadable;
use handoff_engine::clock::Clock;
use handoff_engine::time::{Millis, Timestamp};
use http::header::RETRY_AFTER;
use http::{HeaderMap, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The Platform API of one organisation, as one OAuth client sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Platform {
    client: Arc<Client>,
    /// Whoever it makes calls for.
    traffic: Traffic,
}

#[derive(Debug)]
struct Client {
    hosts: Hosts,
    tokens: Tokens,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    /// Milliseconds since the epoch. Until then every call would be refused for its rate, so none is
    /// made: the limit is the client's, shared by all handoffs.
    limited_until: AtomicU64,
}

/// A call to make.
#[derive(Debug)]
pub(super) struct Call<'a, B> {
    pub(super) method: Method,
    /// From `/api/v2` on.
    pub(super) path: String,
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) body: Option<&'a B>,
    /// Completes "may not ..." and "refused to ...".
    pub(super) doing: &'static str,
    /// What Genesys asks for, should its refusal not say.
    pub(super) permission: &'static str,
}

impl Platform {
    /// A client that fetches its token when first needed.
    #[must_use]
    pub fn new(
        hosts: Hosts,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
    ) -> Self {
        let tokens = Tokens::new(&hosts.login, credentials, Arc::clone(&clock));
        Self {
            client: Arc::new(Client {
                hosts,
                tokens,
                http,
                clock,
                limited_until: AtomicU64::new(0),
            }),
            traffic: Traffic::default(),
        }
    }

    /// The same client, its calls noted.
    pub(crate) fn noting(&self, traffic: &Traffic) -> Self {
        Self {
            client: Arc::clone(&self.client),
            traffic: traffic.clone(),
        }
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: String,
        query: &[(&str, &str)],
        doing: &'static str,
        permission: &'static str,
    ) -> Result<T, PlatformError> {
        self.call::<(), T>(Call {
            method: Method::GET,
            path,
            query,
            body: None,
            doing,
            permission,
        })
        .await
    }

    /// Makes a call and reads its answer.
    pub(super) async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        call: Call<'_, B>,
    ) -> Result<T, PlatformError> {
        let doing = call.doing;
        let (body, correlation) = self.send(call).await?;
        serde_json::from_slice(&body).map_err(|error| PlatformError::Unreadable {
            doing,
            why: unreadable(&error),
            correlation,
        })
    }

    /// Makes a call of which only the success counts.
    pub(super) async fn tell<B: Serialize>(&self, call: Call<'_, B>) -> Result<(), PlatformError> {
        self.send(call).await.map(drop)
    }

    /// Makes a call; if the token is refused, once more with a new one.
    async fn send<B: Serialize>(
        &self,
        call: Call<'_, B>,
    ) -> Result<(Vec<u8>, Correlation), PlatformError> {
        let Client { tokens, http, .. } = &*self.client;
        self.check_rate()?;
        let mut token = tokens.get(http, &self.traffic).await?;
        let mut first = true;
        loop {
            let response = self.attempt(&call, &token).await?;
            let status = response.status();
            let correlation = correlation(response.headers());
            let retry_after = retry_after(response.headers());
            if status.as_u16() == 401 && std::mem::take(&mut first) {
                tokens.refused(&token).await;
                token = tokens.get(http, &self.traffic).await?;
                continue;
            }
            let body = response
                .bytes()
                .await
                .map_err(|error| PlatformError::Broken {
                    why: describe(&error),
                })?;
            if status.is_success() {
                return Ok((body.into(), correlation));
            }
            if status.as_u16() == 401 {
                return Err(tokens.bad_credentials("it refuses a fresh access token", correlation));
            }
            let error = PlatformError::refusal(
                call.doing,
                call.permission,
                status.as_u16(),
                retry_after,
                correlation,
                &body,
            );
            if let PlatformError::RateLimited { retry_after, .. } = &error {
                let until = self.client.clock.now() + *retry_after;
                self.client.limited_until.store(until.0, Ordering::Relaxed);
            }
            return Err(error);
        }
    }

    fn check_rate(&self) -> Result<(), PlatformError> {
        let until = Timestamp(self.client.limited_until.load(Ordering::Relaxed));
        let retry_after = until.since(self.client.clock.now());
        if retry_after == Millis(0) {
            return Ok(());
        }
        Err(PlatformError::RateLimited {
            retry_after,
            correlation: Correlation::default(),
        })
    }

    async fn attempt<B: Serialize>(
        &self,
        call: &Call<'_, B>,
        token: &str,
    ) -> Result<reqwest::Response, PlatformError> {
        let url = format!("{}{}", self.client.hosts.api, call.path);
        let mut request = self
            .client
            .http
            .request(call.method.clone(), url)
            .query(call.query)
            .bearer_auth(token)
            .header(http::header::ACCEPT, "application/json");
        if let Some(body) = call.body {
            request = request.json(body);
        }
        self.traffic.send(request).await.map_err(|error| {
            let why = describe(&error);
            if error.is_connect() {
                PlatformError::NotSent { why }
            } else {
                PlatformError::Broken { why }
            }
        })
    }
}

pub(crate) fn correlation(headers: &HeaderMap) -> Correlation {
    let id = headers.get("inin-correlation-id");
    Correlation(id.and_then(|id| id.to_str().ok()).map(str::to_owned))
}

/// `Retry-After`, or else the seconds until the rate window resets (PROTOCOLS 0.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Millis> {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    seconds(RETRY_AFTER.as_str())
        .or_else(|| seconds("inin-ratelimit-reset"))
        .map(Millis::from_secs)
}
