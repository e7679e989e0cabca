//! Notification sockets: told promptly when something happens to a conversation.
//!
//! One socket serves many handoffs; another is opened when a channel's topics run out. Sockets come
//! and go (a channel lives 24 h, a token less, maintenance closes them) and nothing is ever replayed,
//! so after each connect every follower is told that it may have missed something.

use super::protocol::Event;
use super::switchboard::Events;
use super::wire::{DETAIL_EVENTS, Frame, conversation_of, topics};
use crate::platform::notifications::{Channel, Subscription};
use crate::platform::{Platform, PlatformError};
use crate::retry::Backoff;
use futures_util::StreamExt;
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::time::{Millis, Timestamp};
use http::Method;
use std::collections::BTreeMap;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Conversations per channel: a channel holds 1000 topics.
const PER_CHANNEL: usize = 1000 / DETAIL_EVENTS.len() - 10;

/// An OAuth client has 20 channels; another host of ours may use the same client.
const CHANNELS: usize = 10;

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

/// The sockets of one account.
#[derive(Debug)]
pub(super) struct Feeds {
    platform: Platform,
    clock: Arc<dyn Clock>,
    open: Mutex<Vec<Feed>>,
}

#[derive(Debug, Clone)]
struct Feed {
    orders: mpsc::UnboundedSender<(Order, Busy)>,
    followers: Arc<()>,
}

#[derive(Debug)]
enum Order {
    Follow {
        conversation: String,
        number: usize,
        events: Events,
    },
    Unfollow {
        conversation: String,
        number: usize,
    },
}

/// Follows a conversation until dropped.
#[derive(Debug)]
pub(super) struct Following {
    orders: mpsc::UnboundedSender<(Order, Busy)>,
    clock: Arc<dyn Clock>,
    conversation: String,
    number: usize,
    /// Counts as one of its feed's followers.
    _place: Arc<()>,
}

impl Feeds {
    pub(super) fn new(platform: Platform, clock: Arc<dyn Clock>) -> Self {
        Self {
            platform,
            clock,
            open: Mutex::default(),
        }
    }

    /// Has `events` told of what happens to a conversation; none if all channels are full. Must be
    /// called within a tokio runtime.
    pub(super) fn follow(&self, conversation: &str, events: Events) -> Option<Following> {
        let mut open = self.lock();
        open.retain(|feed| !feed.orders.is_closed());
        let free = |feed: &&Feed| Arc::strong_count(&feed.followers) <= PER_CHANNEL;
        let feed = match open.iter().find(free) {
            Some(feed) => feed.clone(),
            None if open.len() < CHANNELS => {
                let feed = self.start();
                open.push(feed.clone());
                feed
            }
            None => return None,
        };
        let place = Arc::clone(&feed.followers);
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let order = Order::Follow {
            conversation: conversation.to_owned(),
            number,
            events,
        };
        // A feed that is gone is replaced on the next call; looks go on meanwhile.
        feed.orders.send((order, self.clock.busy())).ok()?;
        Some(Following {
            orders: feed.orders,
            clock: Arc::clone(&self.clock),
            conversation: conversation.to_owned(),
            number,
            _place: place,
        })
    }

    fn start(&self) -> Feed {
        crate::client::install_tls();
        let (orders, receiver) = mpsc::unbounded_channel();
        let task = Task {
            platform: self.platform.clone(),
            clock: Arc::clone(&self.clock),
            orders: receiver,
            followed: BTreeMap::new(),
        };
        tokio::spawn(task.run());
        Feed {
            orders,
            followers: Arc::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Feed>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells followers apart; two sessions of one user follow the same conversation.
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Drop for Following {
    fn drop(&mut self) {
        let order = Order::Unfollow {
            conversation: std::mem::take(&mut self.conversation),
            number: self.number,
        };
        if self.orders.send((order, self.clock.busy())).is_err() {
            tracing::debug!("the feed is gone already");
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The task of one socket.
struct Task {
    platform: Platform,
    clock: Arc<dyn Clock>,
    orders: mpsc::UnboundedReceiver<(Order, Busy)>,
    /// Followers by conversation.
    followed: BTreeMap<String, Vec<(usize, Events)>>,
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
    /// Topics subscribed to, those of ended conversations included.
    topics: usize,
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
    async fn run(mut self) {
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
                    self.tell_all(&Event::Unfollowed { why });
                    AFTER_REFUSAL
                }
                Err(Unconnected::Passing(why)) => {
                    failures += 1;
                    tracing::warn!(failures, why, "no notification socket");
                    if failures == 1 {
                        self.tell_all(&Event::Unfollowed { why });
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
        let all: Vec<_> = self.followed.keys().flat_map(|id| topics(id)).collect();
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
        self.tell_outcome(&subscriptions);
        let now = self.clock.now();
        Ok(Session {
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
        let frame: Frame = serde_json::from_str(text).unwrap_or_default();
        if frame.topic_name == "v2.system.socket_closing" {
            return Break(());
        }
        let followers = conversation_of(&frame.topic_name).and_then(|id| self.followed.get(id));
        for (_, events) in followers.into_iter().flatten() {
            tell(events, Event::Changed, busy.clone());
        }
        Continue(())
    }

    /// Carries out an order on an open socket; breaks if the socket is no longer needed or of use.
    async fn carry_out(&mut self, order: Order, session: &mut Session) -> ControlFlow<()> {
        let Some(conversation) = self.note(order) else {
            return if self.followed.is_empty() {
                Break(())
            } else {
                Continue(())
            };
        };
        let one: Vec<_> = topics(&conversation).collect();
        // Topics of ended conversations stay until the channel is full; then all are replaced.
        let full = session.topics + one.len() > PER_CHANNEL * DETAIL_EVENTS.len();
        let (method, wanted) = if full {
            let all = self.followed.keys().flat_map(|id| topics(id)).collect();
            (Method::PUT, all)
        } else {
            (Method::POST, one)
        };
        let outcome = self
            .platform
            .subscribe(&session.channel.id, method, &wanted)
            .await;
        match outcome {
            Ok(subscriptions) => {
                session.topics = if full { 0 } else { session.topics } + wanted.len();
                self.tell_outcome_of(&conversation, &subscriptions);
                Continue(())
            }
            Err(error @ PlatformError::MissingPermission { .. }) => {
                let why = error.to_string();
                self.tell_one(&conversation, &Event::Unfollowed { why });
                Continue(())
            }
            // Whatever else is wrong with this channel, a new one may be right.
            Err(error) => {
                tracing::warn!(%error, "a subscription failed");
                Break(())
            }
        }
    }

    /// Notes who follows what; returns the conversation that is new.
    fn note(&mut self, order: Order) -> Option<String> {
        match order {
            Order::Follow {
                conversation,
                number,
                events,
            } => {
                let followers = self.followed.entry(conversation.clone()).or_default();
                followers.push((number, events));
                Some(conversation)
            }
            Order::Unfollow {
                conversation,
                number,
            } => {
                if let Some(followers) = self.followed.get_mut(&conversation) {
                    followers.retain(|(other, _)| *other != number);
                    if followers.is_empty() {
                        self.followed.remove(&conversation);
                    }
                }
                None
            }
        }
    }

    fn tell_outcome(&self, subscriptions: &[Subscription]) {
        for conversation in self.followed.keys() {
            self.tell_outcome_of(conversation, subscriptions);
        }
    }

    fn tell_outcome_of(&self, conversation: &str, subscriptions: &[Subscription]) {
        let rejected = subscriptions.iter().find(|subscription| {
            subscription.is_rejected() && conversation_of(&subscription.id) == Some(conversation)
        });
        let event = match rejected {
            None => Event::Followed,
            Some(subscription) => Event::Unfollowed {
                why: missing(subscription),
            },
        };
        self.tell_one(conversation, &event);
    }

    fn tell_one(&self, conversation: &str, event: &Event) {
        for (_, events) in self.followed.get(conversation).into_iter().flatten() {
            tell(events, event.clone(), self.clock.busy());
        }
    }

    fn tell_all(&self, event: &Event) {
        for conversation in self.followed.keys() {
            self.tell_one(conversation, event);
        }
    }
}

impl Session {
    /// When to give the socket up, unless something is heard.
    fn deadline(&self) -> Timestamp {
        (self.heard + SILENCE).min(self.opened + LIFE)
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

fn tell(events: &Events, event: Event, busy: Busy) {
    if events.send((event, busy)).is_err() {
        tracing::debug!("an event came after the end of its handoff");
    }
}
