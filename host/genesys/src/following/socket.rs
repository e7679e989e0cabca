//! One notification socket: told promptly when something happens to what is followed.
//!
//! Sockets come and go (a channel lives 24 h, a token less, maintenance closes them) and nothing is
//! ever replayed, so after each connect every follower is told that it may have missed something.

use super::feeds::{Follower, Happening, PER_CHANNEL};
use super::topics::{Subject, Tidings, tidings};
use crate::platform::notifications::{Channel, Subscription};
use crate::platform::{Platform, PlatformError};
use crate::retry::Backoff;
use futures_util::StreamExt;
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::time::{Millis, Timestamp};
use http::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Heartbeats come every 30 s. After two that did not, the socket is dead.
const SILENCE: Millis = Millis::from_secs(75);

/// A channel lives 24 h. It is replaced before.
const LIFE: Millis = Millis::from_mins(23 * 60);

/// How long a socket may take to open.
const CONNECT_WITHIN: Millis = Millis::from_secs(30);

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_mins(1),
};

/// How long a refusal is taken as final: a permission may be granted any time.
const AFTER_REFUSAL: Millis = Millis::from_mins(10);

/// Who is to be told of what.
#[derive(Debug)]
pub(super) enum Order {
    Follow {
        subject: Subject,
        number: usize,
        follower: Arc<dyn Follower>,
    },
    Unfollow {
        subject: Subject,
        number: usize,
    },
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A follower and its number.
type Numbered = (usize, Arc<dyn Follower>);

/// The task of one socket.
pub(super) struct Task {
    platform: Platform,
    clock: Arc<dyn Clock>,
    orders: mpsc::UnboundedReceiver<(Order, Busy)>,
    followed: BTreeMap<Subject, Vec<Numbered>>,
}

/// The account is gone.
struct Stopped;

/// An open socket.
struct Session {
    channel: Channel,
    socket: Socket,
    opened: Timestamp,
    /// When the last frame came.
    heard: Timestamp,
    /// Topics subscribed to, those of what is no longer followed included.
    topics: usize,
    /// The subjects they are of, and what became of each subscription.
    outcomes: BTreeMap<Subject, Happening>,
}

/// Why there is no socket.
enum Unconnected {
    Passing(String),
    Refused(String),
}

impl From<PlatformError> for Unconnected {
    fn from(error: PlatformError) -> Self {
        if error.is_passing() {
            Self::Passing(error.to_string())
        } else {
            Self::Refused(error.to_string())
        }
    }
}

impl Task {
    pub(super) fn new(
        platform: Platform,
        clock: Arc<dyn Clock>,
        orders: mpsc::UnboundedReceiver<(Order, Busy)>,
    ) -> Self {
        Self {
            platform,
            clock,
            orders,
            followed: BTreeMap::new(),
        }
    }

    pub(super) async fn run(mut self) {
        let mut failures = 0;
        let mut busy = self.clock.busy();
        loop {
            while self.followed.is_empty() {
                drop(busy);
                let Some((order, cause)) = self.orders.recv().await else {
                    return;
                };
                busy = cause;
                self.note(order);
            }
            let wait = match self.connect().await {
                Ok(session) => {
                    failures = 0;
                    match self.serve(session, busy).await {
                        Ok(again) => busy = again,
                        Err(Stopped) => return,
                    }
                    BACKOFF.after(1, "")
                }
                Err(Unconnected::Refused(why)) => {
                    self.tell_all(&Happening::Unfollowed { why });
                    AFTER_REFUSAL
                }
                Err(Unconnected::Passing(why)) => {
                    failures += 1;
                    tracing::warn!(failures, why, "no notification socket");
                    if failures == 1 {
                        self.tell_all(&Happening::Unfollowed { why });
                    }
                    BACKOFF.after(failures, "feed")
                }
            };
            match self.pause(wait, busy).await {
                Ok(again) => busy = again,
                Err(Stopped) => return,
            }
        }
    }

    /// Waits on the clock, taking orders meanwhile.
    async fn pause(&mut self, wait: Millis, mut busy: Busy) -> Result<Busy, Stopped> {
        let until = self.clock.now() + wait;
        loop {
            let sleep = self.clock.sleep_until(until);
            drop(busy);
            tokio::select! {
                woken = sleep => return Ok(woken),
                order = self.orders.recv() => {
                    let (order, cause) = order.ok_or(Stopped)?;
                    busy = cause;
                    self.note(order);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<Session, Unconnected> {
        let channel = self.platform.create_channel().await?;
        let all: Vec<_> = self.followed.keys().flat_map(Subject::topics).collect();
        let subscriptions = self
            .platform
            .subscribe(&channel.id, Method::POST, &all)
            .await?;
        let deadline = self.clock.sleep_until(self.clock.now() + CONNECT_WITHIN);
        let connected = tokio::select! {
            connected = connect_async(channel.connect_uri.as_str()) => connected,
            _woken = deadline => {
                return Err(Unconnected::Passing("the socket did not open in time.".to_owned()));
            }
        };
        let (socket, _) = connected
            .map_err(|error| Unconnected::Passing(format!("the socket did not open: {error}.")))?;
        tracing::debug!(
            channel = channel.id,
            topics = all.len(),
            "notification socket open"
        );
        let outcomes: BTreeMap<_, _> = self
            .followed
            .keys()
            .map(|subject| (subject.clone(), outcome_of(subject, &subscriptions)))
            .collect();
        for (subject, outcome) in &outcomes {
            self.tell_one(subject, outcome);
        }
        let now = self.clock.now();
        Ok(Session {
            outcomes,
            channel,
            socket,
            opened: now,
            heard: now,
            topics: all.len(),
        })
    }

    /// Serves an open socket until it has to be replaced.
    async fn serve(&mut self, mut session: Session, mut busy: Busy) -> Result<Busy, Stopped> {
        loop {
            let sleep = self.clock.sleep_until(session.deadline());
            // Only now: a simulated clock that finds nobody busy has to know of the sleeper.
            drop(busy);
            busy = tokio::select! {
                frame = session.socket.next() => {
                    let busy = self.clock.busy();
                    session.heard = self.clock.now();
                    match frame {
                        Some(Ok(Message::Text(text))) => {
                            if self.heard(&text, &busy).is_break() {
                                return Ok(busy);
                            }
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(busy),
                        Some(Ok(_)) => {}
                    }
                    busy
                }
                order = self.orders.recv() => {
                    let (order, busy) = order.ok_or(Stopped)?;
                    if self.carry_out(order, &mut session).await.is_break() {
                        return Ok(busy);
                    }
                    busy
                }
                woken = sleep => return Ok(woken),
            };
        }
    }

    /// Takes in a frame; breaks if Genesys is about to close the socket.
    fn heard(&self, text: &str, busy: &Busy) -> ControlFlow<()> {
        match tidings(text) {
            Tidings::Closing => return Break(()),
            Tidings::Of(subject, happening) => {
                for (_, follower) in self.followed.get(&subject).into_iter().flatten() {
                    follower.tell(happening.clone(), busy.clone());
                }
            }
            Tidings::Nothing => {}
        }
        Continue(())
    }

    /// Carries out an order on an open socket; breaks if the socket is no longer needed or of use.
    ///
    /// What others follow already is not asked for again, and what is to be followed together is asked
    /// for together.
    async fn carry_out(&mut self, order: Order, session: &mut Session) -> ControlFlow<()> {
        let mut new = BTreeSet::new();
        let mut next = Some(order);
        while let Some(order) = next {
            if let Some(subject) = self.note(order) {
                match session.outcomes.get(&subject) {
                    Some(outcome) => self.tell_last(&subject, outcome),
                    None => drop(new.insert(subject)),
                }
            }
            next = self.orders.try_recv().ok().map(|(order, _busy)| order);
        }
        new.retain(|subject| self.followed.contains_key(subject));
        if self.followed.is_empty() {
            return Break(());
        }
        if new.is_empty() {
            return Continue(());
        }
        self.subscribe(new, session).await
    }

    async fn subscribe(
        &mut self,
        new: BTreeSet<Subject>,
        session: &mut Session,
    ) -> ControlFlow<()> {
        let topics: Vec<_> = new.iter().flat_map(Subject::topics).collect();
        // Topics of what is no longer followed stay until the channel is full; then all are replaced.
        let full = session.topics + topics.len() > PER_CHANNEL * Subject::TOPICS;
        let (method, wanted) = if full {
            session
                .outcomes
                .retain(|it, _| self.followed.contains_key(it));
            let all = self.followed.keys().flat_map(Subject::topics).collect();
            (Method::PUT, all)
        } else {
            (Method::POST, topics)
        };
        let outcome = self
            .platform
            .subscribe(&session.channel.id, method, &wanted)
            .await;
        let subscriptions = match outcome {
            Ok(subscriptions) => subscriptions,
            Err(error @ PlatformError::MissingPermission { .. }) => {
                let why = error.to_string();
                for subject in &new {
                    let why = why.clone();
                    self.tell_one(subject, &Happening::Unfollowed { why });
                }
                return Continue(());
            }
            // Whatever else is wrong with this channel, a new one may be right.
            Err(error) => {
                tracing::warn!(%error, "a subscription failed");
                return Break(());
            }
        };
        session.topics = if full { 0 } else { session.topics } + wanted.len();
        for subject in new {
            let outcome = outcome_of(&subject, &subscriptions);
            self.tell_one(&subject, &outcome);
            session.outcomes.insert(subject, outcome);
        }
        Continue(())
    }

    /// Notes who follows what; returns the subject that is to be followed.
    fn note(&mut self, order: Order) -> Option<Subject> {
        match order {
            Order::Follow {
                subject,
                number,
                follower,
            } => {
                let followers = self.followed.entry(subject.clone()).or_default();
                followers.push((number, follower));
                Some(subject)
            }
            Order::Unfollow { subject, number } => {
                if let Some(followers) = self.followed.get_mut(&subject) {
                    followers.retain(|(other, _)| *other != number);
                    if followers.is_empty() {
                        self.followed.remove(&subject);
                    }
                }
                None
            }
        }
    }

    /// Tells the follower that has come last.
    fn tell_last(&self, subject: &Subject, happening: &Happening) {
        if let Some((_, follower)) = self.followed.get(subject).and_then(|all| all.last()) {
            follower.tell(happening.clone(), self.clock.busy());
        }
    }

    fn tell_one(&self, subject: &Subject, happening: &Happening) {
        for (_, follower) in self.followed.get(subject).into_iter().flatten() {
            follower.tell(happening.clone(), self.clock.busy());
        }
    }

    fn tell_all(&self, happening: &Happening) {
        for subject in self.followed.keys() {
            self.tell_one(subject, happening);
        }
    }
}

impl Session {
    /// When to give the socket up, unless something is heard.
    fn deadline(&self) -> Timestamp {
        (self.heard + SILENCE).min(self.opened + LIFE)
    }
}

fn outcome_of(subject: &Subject, subscriptions: &[Subscription]) -> Happening {
    let rejected = subscriptions.iter().find(|subscription| {
        subscription.is_rejected() && Subject::of(&subscription.id).as_ref() == Some(subject)
    });
    match rejected {
        None => Happening::Followed,
        Some(subscription) => Happening::Unfollowed {
            why: missing(subscription),
        },
    }
}

fn missing(subscription: &Subscription) -> String {
    let permissions = subscription.missing_permissions.as_deref();
    match permissions.filter(|permissions| !permissions.is_empty()) {
        Some(permissions) => format!(
            "the OAuth client lacks {}. Add it to the client's role.",
            permissions.join(", ")
        ),
        None => "the subscription was rejected.".to_owned(),
    }
}
