//! How much of a host one client may have.
//!
//! What is counted is counted once a request is known to be somebody's and is read to its end: those
//! who send slowly, or nothing, hold a connection and no place that others wait for.

use super::api::Api;
use super::problem::ApiError;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use handoff_engine::name::SessionId;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much of a host one client may have.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests that are worked on at once; others are asked to come again.
    pub requests: usize,
    /// Files that are taken in at once. Each is held in memory, up to 25 MiB.
    pub uploads: usize,
    /// How often users of one session may do something.
    pub inputs: Rate,
    /// How often anybody may start a session, where anybody may.
    pub new_sessions: Rate,
    /// Streams and sockets of one session at once.
    pub streams: usize,
    /// How long a request may take, its body included.
    pub request_time: Duration,
    /// How long an upload may take.
    pub upload_time: Duration,
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// On the whole.
    pub per_second: NonZeroU32,
    /// At once, after a rest.
    pub burst: NonZeroU32,
}

impl Rate {
    /// A rate; zeros count as ones.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            per_second: at_least_one(per_second),
            burst: at_least_one(burst),
        }
    }

    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests: 1024,
            uploads: 16,
            inputs: Rate::new(5, 30),
            new_sessions: Rate::new(20, 200),
            streams: 8,
            request_time: Duration::from_secs(30),
            upload_time: Duration::from_secs(300),
        }
    }
}

/// Who has how much.
pub(super) struct Limiter {
    limits: Limits,
    requests: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    inputs: DefaultKeyedRateLimiter<SessionId>,
    /// When as many sessions are remembered, those at rest are forgotten.
    sweep_at: AtomicUsize,
    new_sessions: DefaultDirectRateLimiter,
    streams: Arc<Mutex<HashMap<SessionId, usize>>>,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(limits.requests)),
            uploads: Arc::new(Semaphore::new(limits.uploads)),
            inputs: RateLimiter::hashmap(limits.inputs.quota()),
            sweep_at: AtomicUsize::new(SWEEP),
            new_sessions: RateLimiter::direct(limits.new_sessions.quota()),
            streams: Arc::default(),
            limits,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A place among the requests that are worked on.
    pub(super) fn request(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        take(&self.requests)
    }

    /// A place among the uploads.
    pub(super) fn upload(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        take(&self.uploads)
    }

    /// The user of a session does something.
    pub(super) fn input(&self, session: &SessionId) -> Result<(), ApiError> {
        self.sweep();
        let checked = self.inputs.check_key(session);
        checked.map_err(|not_until| ApiError::TooManyInputs {
            wait: not_until.wait_time_from(DefaultClock::default().now()),
        })
    }

    /// Somebody starts a session, where anybody may.
    pub(super) fn new_session(&self) -> Result<(), ApiError> {
        let checked = self.new_sessions.check();
        checked.map_err(|not_until| ApiError::TooManySessions {
            wait: not_until.wait_time_from(DefaultClock::default().now()),
        })
    }

    /// A place among the streams of a session.
    pub(super) fn stream(&self, session: &SessionId) -> Result<StreamPlace, ApiError> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let count = streams.entry(session.clone()).or_default();
        if *count >= self.limits.streams {
            let limit = self.limits.streams;
            return Err(ApiError::TooManyStreams { limit });
        }
        *count += 1;
        Ok(StreamPlace {
            session: session.clone(),
            streams: Arc::clone(&self.streams),
        })
    }

    /// Forgets sessions at rest, now and then, so that each is not remembered for ever.
    fn sweep(&self) {
        if self.inputs.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.inputs.retain_recent();
            self.inputs.shrink_to_fit();
            let next = self.inputs.len() * 2 + SWEEP;
            self.sweep_at.store(next, Ordering::Relaxed);
        }
    }
}

/// Sessions that are remembered before any is forgotten.
const SWEEP: usize = 1024;

fn take(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|_| ApiError::Busy)
}

/// A place among the streams of a session, for as long as this lives.
#[derive(Debug)]
pub(super) struct StreamPlace {
    session: SessionId,
    streams: Arc<Mutex<HashMap<SessionId, usize>>>,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.session);
            }
        }
    }
}

/// A request without a body that is worked on. The place is free again when the handler returns.
#[derive(Debug)]
pub(super) struct InWork {
    _place: OwnedSemaphorePermit,
}

impl FromRequestParts<Api> for InWork {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let place = api.limiter().request()?;
        Ok(Self { _place: place })
    }
}

/// Gives a request up that takes too long, mostly because its body does not come. What was begun for
/// it is done all the same.
pub(super) async fn within(limit: Duration, request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(limit, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::TooSlow { limit }.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_at_rest_are_forgotten() {
        let limiter = Limiter::new(Limits {
            inputs: Rate::new(1_000_000, 1),
            ..Limits::default()
        });
        for number in 0..10_000 {
            let session = SessionId::new(number.to_string());
            limiter.input(&session).expect("has done nothing yet");
        }
        assert!(limiter.inputs.len() < 3 * SWEEP, "{}", limiter.inputs.len());
    }

    #[test]
    fn a_session_that_closes_a_stream_may_open_another() {
        let limiter = Limiter::new(Limits {
            streams: 1,
            ..Limits::default()
        });
        let (ana, rui) = ("ana".into(), "rui".into());
        let place = limiter.stream(&ana).expect("is the first");
        assert!(limiter.stream(&ana).is_err());
        let _other = limiter.stream(&rui).expect("is another session's");
        drop(place);
        limiter.stream(&ana).expect("is the only one");
    }
}
