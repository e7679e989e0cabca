//! The notification sockets of one account, and who is told what they bring.
//!
//! One socket serves many handoffs; another is opened when a channel's topics run out. When all are
//! full a handoff goes without: its looks are then taken on a schedule.

use super::socket::{Order, Task};
use super::topics::{Snapshot, Subject};
use crate::platform::Platform;
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::name::AccountName;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use tracing::Instrument;

/// Subjects per channel: a channel holds 1000 topics.
pub(super) const PER_CHANNEL: usize = 1000 / Subject::TOPICS - 10;

/// An OAuth client has 20 channels; another host of ours may use the same client.
const CHANNELS: usize = 10;

/// What a follower is told.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Something happened to the conversation.
    Changed,
    /// A conversation of the queue changed; this is how it stands.
    Seen(Arc<Snapshot>),
    /// From now on events come; what happened before may have been missed.
    Followed,
    /// No events come, for this reason.
    Unfollowed { why: String },
}

/// Is told what happens. Must not wait.
pub(crate) trait Follower: Send + Sync + Debug {
    /// Takes in a happening and the work it is part of.
    fn tell(&self, happening: Happening, busy: Busy);
}

/// The sockets of one account.
#[derive(Debug)]
pub(crate) struct Feeds {
    account: AccountName,
    platform: Platform,
    clock: Arc<dyn Clock>,
    open: Mutex<Vec<Feed>>,
}

#[derive(Debug, Clone)]
struct Feed {
    orders: mpsc::UnboundedSender<(Order, Busy)>,
    followers: Arc<()>,
}

/// Follows a subject until dropped.
#[derive(Debug)]
pub(crate) struct Following {
    orders: mpsc::UnboundedSender<(Order, Busy)>,
    clock: Arc<dyn Clock>,
    subject: Subject,
    number: usize,
    /// Counts as one of its feed's followers.
    _place: Arc<()>,
}

impl Feeds {
    pub(crate) fn new(account: AccountName, platform: Platform, clock: Arc<dyn Clock>) -> Self {
        Self {
            account,
            platform,
            clock,
            open: Mutex::default(),
        }
    }

    /// Has `follower` told of what happens to a subject; none if all channels are full. Must be
    /// called within a tokio runtime.
    pub(crate) fn follow(
        &self,
        subject: Subject,
        follower: Arc<dyn Follower>,
    ) -> Option<Following> {
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
            subject: subject.clone(),
            number,
            follower,
        };
        // A feed that is gone is replaced on the next call; looks go on meanwhile.
        feed.orders.send((order, self.clock.busy())).ok()?;
        Some(Following {
            orders: feed.orders,
            clock: Arc::clone(&self.clock),
            subject,
            number,
            _place: place,
        })
    }

    fn start(&self) -> Feed {
        crate::client::install_tls();
        let (orders, receiver) = mpsc::unbounded_channel();
        let task = Task::new(self.platform.clone(), Arc::clone(&self.clock), receiver);
        let span = tracing::info_span!(parent: None, "feed", account = %self.account);
        tokio::spawn(task.run().instrument(span));
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
            subject: self.subject.clone(),
            number: self.number,
        };
        if self.orders.send((order, self.clock.busy())).is_err() {
            tracing::debug!("the feed is gone already");
        }
    }
}
