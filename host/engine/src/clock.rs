//! The clock of whoever drives sessions: the system's, or a simulated one.
//!
//! A simulated clock moves only when told to, and only once everything that the last move woke has
//! come to rest. For that it counts work in progress: whoever does something holds a [`Busy`], and a
//! sleeper that wakes is handed one. [`SimClock::idle`] waits until nobody holds any. On the system
//! clock a [`Busy`] is nothing.
//!
//! Invariant: work begun on behalf of an input, a timer or a frame holds a `Busy` from before its
//! cause is visible as done until it waits again. Then `idle` has no gaps to fall through.

use crate::time::{Millis, Timestamp};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{oneshot, watch};

/// Tells the time and wakes sleepers.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Completes at `at`, or at once if that has passed. The result is held for as long as the woken
    /// work goes on.
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = Busy> + Send>>;

    /// Marks work in progress until the result is dropped.
    fn busy(&self) -> Busy;
}

/// Work in progress, as far as a simulated clock is concerned.
#[derive(Debug)]
#[must_use = "work counts as in progress only while this is held"]
pub struct Busy(Option<Arc<SimInner>>);

impl Clone for Busy {
    fn clone(&self) -> Self {
        match &self.0 {
            Some(inner) => inner.busy(),
            None => Self(None),
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(inner) = &self.0 {
            inner.working.send_modify(|working| working.now -= 1);
        }
    }
}

/// The system's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(Millis::from(since).0)
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = Busy> + Send>> {
        let span = at.since(self.now());
        Box::pin(async move {
            tokio::time::sleep(span.into()).await;
            Busy(None)
        })
    }

    fn busy(&self) -> Busy {
        Busy(None)
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct SimClock(Arc<SimInner>);

#[derive(Debug)]
struct SimInner {
    state: Mutex<SimState>,
    working: watch::Sender<Working>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Working {
    now: usize,
    begun: u64,
}

#[derive(Debug)]
struct SimState {
    now: Timestamp,
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<Busy>>,
    next_sleeper: u64,
}

impl SimInner {
    fn busy(self: &Arc<Self>) -> Busy {
        self.working.send_modify(|working| {
            working.now += 1;
            working.begun += 1;
        });
        Busy(Some(Arc::clone(self)))
    }

    fn state(&self) -> MutexGuard<'_, SimState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(SimInner {
            state: Mutex::new(SimState {
                now,
                sleepers: BTreeMap::new(),
                next_sleeper: 0,
            }),
            working: watch::Sender::new(Working::default()),
        }))
    }

    /// Waits until no work is in progress, and returns how much has been begun so far: the same
    /// number twice means that nothing happened in between.
    pub async fn idle(&self) -> u64 {
        let mut working = self.0.working.subscribe();
        let result = working.wait_for(|working| working.now == 0).await;
        result.map_or(0, |working| working.begun)
    }

    /// When the next sleeper wants to wake.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let mut state = self.0.state();
        state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
        state.sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Moves the clock to `at` and wakes who is due, in order of time. Never moves back.
    pub fn set(&self, at: Timestamp) {
        let mut state = self.0.state();
        state.now = state.now.max(at);
        let now = state.now;
        while let Some(entry) = state.sleepers.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let sleeper = entry.remove();
            // A sleeper that went away hands its Busy back by dropping it.
            drop(sleeper.send(self.0.busy()));
        }
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.state().now
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = Busy> + Send>> {
        let mut state = self.0.state();
        if at <= state.now {
            let busy = self.0.busy();
            return Box::pin(async move { busy });
        }
        let (wake, woken) = oneshot::channel();
        let key = (at, state.next_sleeper);
        state.next_sleeper += 1;
        state.sleepers.insert(key, wake);
        let clock = self.clone();
        Box::pin(async move {
            match woken.await {
                Ok(busy) => busy,
                Err(_) => clock.0.busy(),
            }
        })
    }

    fn busy(&self) -> Busy {
        self.0.busy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_reaches_its_time_and_not_before() {
        let clock = SimClock::new(Timestamp(1000));
        let sleep = tokio::spawn(clock.sleep_until(Timestamp(3000)));
        assert_eq!(clock.next_wake(), Some(Timestamp(3000)));
        clock.set(Timestamp(2999));
        assert!(!sleep.is_finished());
        clock.set(Timestamp(3000));
        let busy = sleep.await.expect("woken");
        assert_eq!(clock.next_wake(), None);
        drop(busy);
    }

    #[tokio::test]
    async fn idle_waits_for_woken_work_to_end() {
        let clock = SimClock::new(Timestamp(0));
        let before = clock.idle().await;
        let sleep = clock.sleep_until(Timestamp(5));
        clock.set(Timestamp(5));
        let idle = tokio::spawn({
            let clock = clock.clone();
            async move { clock.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!idle.is_finished());
        drop(sleep.await);
        assert!(idle.await.expect("idle") > before);
    }

    #[tokio::test]
    async fn a_dropped_sleeper_keeps_nothing_busy() {
        let clock = SimClock::new(Timestamp(0));
        drop(clock.sleep_until(Timestamp(5)));
        assert_eq!(clock.next_wake(), None);
        clock.set(Timestamp(10));
        clock.idle().await;
    }
}
