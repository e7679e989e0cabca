//! How much of a host one client may have.
//!
//! What is counted is counted once a request is known to be somebody's and is read to its end: those
//! who send slowly, or nothing, hold a connection and no place that others wait for. A file takes room as
//! its bytes come.
//!
//! Rates are kept per session, per client address and per operator's token, in tables that are bounded:
//! keys are hashed into a fixed number of places with a secret of the process, so that nobody can fill
//! the memory with keys or choose whom to share a place with.

use super::access::Caller;
use super::api::Api;
use super::client::Client;
use super::guard::Visited;
use super::problem::ApiError;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use handoff_engine::name::SessionId;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
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
    /// Room for files that are being taken in, bytes. A file takes room as its bytes come.
    pub upload_room: usize,
    /// Files of one session that are taken in at once.
    pub session_uploads: usize,
    /// Files of one client that are taken in at once.
    pub client_uploads: usize,
    /// How often users of one session may do something.
    pub inputs: Rate,
    /// How often one session may be read: its state, its events, its timeline. Users and operators are
    /// counted apart.
    pub reads: Rate,
    /// How often anybody may start a session, where anybody may, all clients together.
    pub new_sessions: Rate,
    /// How often one client may start a session, where anybody may.
    pub client_sessions: Rate,
    /// How many requests one client may make, those with operators' tokens apart.
    pub client_requests: Rate,
    /// How many requests may be made with one operator's token.
    pub operator_requests: Rate,
    /// Streams and sockets of one session at once.
    pub streams: usize,
    /// How long a request may take, its body included.
    pub request_time: Duration,
    /// How long an upload may take.
    pub upload_time: Duration,
    /// How long an upload may send nothing.
    pub upload_stall: Duration,
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
            upload_room: 400 << 20,
            session_uploads: 2,
            client_uploads: 8,
            inputs: Rate::new(5, 30),
            reads: Rate::new(10, 60),
            new_sessions: Rate::new(20, 200),
            client_sessions: Rate::new(2, 20),
            client_requests: Rate::new(200, 1000),
            operator_requests: Rate::new(500, 2500),
            streams: 8,
            request_time: Duration::from_secs(30),
            upload_time: Duration::from_secs(300),
            upload_stall: Duration::from_secs(15),
        }
    }
}

/// A rate of each key.
struct Keyed {
    places: DefaultKeyedRateLimiter<u32>,
    hasher: RandomState,
    /// When as many places are remembered, those at rest are forgotten.
    sweep_at: AtomicUsize,
}

/// Places of a table at most. Keys beyond that share some.
const PLACES: u64 = 1 << 18;

impl Keyed {
    fn new(rate: Rate) -> Self {
        Self {
            places: RateLimiter::hashmap(rate.quota()),
            hasher: RandomState::new(),
            sweep_at: AtomicUsize::new(SWEEP),
        }
    }

    /// One more of a key; how long to wait if it is one too many.
    fn check(&self, key: impl Hash) -> Result<(), Duration> {
        self.sweep();
        let place = self.hasher.hash_one(key) % PLACES;
        let place = u32::try_from(place).unwrap_or_default();
        let checked = self.places.check_key(&place);
        checked.map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets keys at rest, now and then, so that each is not remembered for ever.
    fn sweep(&self) {
        if self.places.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.places.retain_recent();
            self.places.shrink_to_fit();
            let next = self.places.len() * 2 + SWEEP;
            self.sweep_at.store(next, Ordering::Relaxed);
        }
    }
}

/// How many places each key holds.
struct Held<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for Held<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash> Held<K> {
    /// One place more, if the key holds fewer than so many.
    fn take(&self, key: &K, limit: usize) -> Option<Place<K>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key.clone()).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place {
            key: key.clone(),
            held: self.clone(),
        })
    }
}

/// A place of a key's, for as long as this lives.
pub(super) struct Place<K: Clone + Eq + Hash> {
    key: K,
    held: Held<K>,
}

impl<K: Clone + Eq + Hash> std::fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl<K: Clone + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut held = self.held.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

/// A place among the streams of a session, for as long as this lives.
pub(super) type StreamPlace = Place<SessionId>;

/// Who has how much.
pub(super) struct Limiter {
    limits: Limits,
    requests: Arc<Semaphore>,
    upload_room: Arc<Semaphore>,
    inputs: Keyed,
    reads: Keyed,
    new_sessions: DefaultDirectRateLimiter,
    client_sessions: Keyed,
    client_requests: Keyed,
    operator_requests: Keyed,
    streams: Held<SessionId>,
    session_uploads: Held<SessionId>,
    client_uploads: Held<Client>,
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
            upload_room: Arc::new(Semaphore::new(limits.upload_room / ROOM_UNIT)),
            inputs: Keyed::new(limits.inputs),
            reads: Keyed::new(limits.reads),
            new_sessions: RateLimiter::direct(limits.new_sessions.quota()),
            client_sessions: Keyed::new(limits.client_sessions),
            client_requests: Keyed::new(limits.client_requests),
            operator_requests: Keyed::new(limits.operator_requests),
            streams: Held::default(),
            session_uploads: Held::default(),
            client_uploads: Held::default(),
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

    /// A session, or a client where it is known, begins an upload.
    pub(super) fn upload(
        &self,
        session: &SessionId,
        client: Option<Client>,
    ) -> Result<Upload<'_>, ApiError> {
        let limit = self.limits.session_uploads;
        let of_session = self.session_uploads.take(session, limit);
        let of_session = of_session.ok_or(ApiError::TooManyUploads { limit })?;
        let limit = self.limits.client_uploads;
        let of_client = client.map(|client| self.client_uploads.take(&client, limit));
        let of_client = of_client.map(|place| place.ok_or(ApiError::TooManyUploads { limit }));
        Ok(Upload {
            limiter: self,
            room: None,
            missing: 0,
            _of_session: of_session,
            _of_client: of_client.transpose()?,
        })
    }

    /// The user of a session does something.
    pub(super) fn input(&self, session: &SessionId) -> Result<(), ApiError> {
        let checked = self.inputs.check(session);
        checked.map_err(|wait| ApiError::TooManyInputs { wait })
    }

    /// A session is read.
    pub(super) fn read(&self, session: &SessionId, caller: Caller) -> Result<(), ApiError> {
        let checked = self.reads.check((session, caller));
        checked.map_err(|wait| ApiError::TooManyReads { wait })
    }

    /// A client, where it is known, starts a session, where anybody may.
    pub(super) fn new_session(&self, client: Option<Client>) -> Result<(), ApiError> {
        if let Some(client) = client {
            let checked = self.client_sessions.check(client);
            checked.map_err(|wait| ApiError::TooManySessionsOfClient { wait })?;
        }
        let checked = self.new_sessions.check();
        checked.map_err(|not_until| ApiError::TooManySessions {
            wait: not_until.wait_time_from(DefaultClock::default().now()),
        })
    }

    /// A client asks for something.
    pub(super) fn client(&self, client: Client) -> Result<(), ApiError> {
        let checked = self.client_requests.check(client);
        checked.map_err(|wait| ApiError::TooManyRequests { wait })
    }

    /// An operator asks for something.
    pub(super) fn operator(&self, token: &str) -> Result<(), ApiError> {
        let checked = self.operator_requests.check(token);
        checked.map_err(|wait| ApiError::TooManyOfOperator { wait })
    }

    /// A place among the streams of a session.
    pub(super) fn stream(&self, session: &SessionId) -> Result<StreamPlace, ApiError> {
        let limit = self.limits.streams;
        let place = self.streams.take(session, limit);
        place.ok_or(ApiError::TooManyStreams { limit })
    }
}

/// Places that are remembered before any is forgotten.
const SWEEP: usize = 1024;

/// Room for uploads is counted in these, bytes.
const ROOM_UNIT: usize = 16 << 10;

/// An upload, with the room it has taken so far.
#[derive(Debug)]
pub(super) struct Upload<'l> {
    limiter: &'l Limiter,
    room: Option<OwnedSemaphorePermit>,
    /// Bytes that came and have no room yet, as they are less than a unit.
    missing: usize,
    _of_session: Place<SessionId>,
    _of_client: Option<Place<Client>>,
}

impl Upload<'_> {
    /// Waits for the next part of a body; one that does not come in time is given up.
    pub(super) async fn wait<T>(&self, next: impl Future<Output = T>) -> Result<T, ApiError> {
        let limit = self.limiter.limits.upload_stall;
        let waited = tokio::time::timeout(limit, next).await;
        waited.map_err(|_| ApiError::TooSlow { limit })
    }

    /// Takes room for bytes that came. While there is none nothing more is read.
    pub(super) async fn take(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.missing += bytes;
        let units = self.missing / ROOM_UNIT;
        if units == 0 {
            return Ok(());
        }
        self.missing %= ROOM_UNIT;
        let room = Arc::clone(&self.limiter.upload_room);
        let units = u32::try_from(units).map_err(|_| ApiError::Busy)?;
        let limit = self.limiter.limits.upload_stall;
        let taken = tokio::time::timeout(limit, room.acquire_many_owned(units)).await;
        let taken = taken.ok().and_then(Result::ok).ok_or(ApiError::Busy)?;
        match &mut self.room {
            Some(room) => room.merge(taken),
            none => *none = Some(taken),
        }
        Ok(())
    }
}

fn take(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|_| ApiError::Busy)
}

/// A request without a body that is worked on. The place is free again when the handler returns.
#[derive(Debug)]
pub(super) struct InWork {
    _place: OwnedSemaphorePermit,
}

impl FromRequestParts<Api> for InWork {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        // Extracted after the session: whoever may not read it counts for nothing.
        let visited = parts.extensions.get::<Visited>();
        if let Some(visit) = visited.and_then(|visited| visited.0.get()) {
            api.limiter().read(&visit.session, visit.caller)?;
        }
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
        let kept = limiter.inputs.places.len();
        assert!(kept < 3 * SWEEP, "{kept}");
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
