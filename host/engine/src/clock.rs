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
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
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

/// The system's clock, except that it never goes back.
///
/// Where the system's is set forward, this one follows at once, and who sleeps until then wakes within
/// ten seconds. Where it is set back, as by a correction, this one goes at half the pace until the
/// system's has caught up: deadlines and polls come late, and none stands still.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

/// A sleeper looks at the system's clock again after at most so long: it may have been set.
const LOOK_AGAIN: Millis = Millis::from_secs(10);

/// What every [`SystemClock`] of this process shows.
static STEADY: Mutex<Option<(Steady, Instant)>> = Mutex::new(None);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let system = Timestamp(Millis::from(since.unwrap_or_default()).0);
        let mut steady = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (clock, read) = steady.get_or_insert_with(|| (Steady::new(system), now));
        let shown = clock.read(system, now - *read);
        *read = now;
        shown
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = Busy> + Send>> {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = at.since(clock.now());
                if left == Millis(0) {
                    return Busy(None);
                }
                tokio::time::sleep(left.min(LOOK_AGAIN).into()).await;
            }
        })
    }

    fn busy(&self) -> Busy {
        Busy(None)
    }
}

/// What a clock shows that never goes back.
#[derive(Debug)]
struct Steady {
    shown: Timestamp,
    /// Of the pace, what is less than a millisecond.
    rest: Duration,
}

impl Steady {
    fn new(system: Timestamp) -> Self {
        Self {
            shown: system,
            rest: Duration::ZERO,
        }
    }

    /// The time, by what the system's clock shows and by how long the last reading is ago.
    fn read(&mut self, system: Timestamp, ago: Duration) -> Timestamp {
        if system >= self.shown {
            self.shown = system;
            self.rest = Duration::ZERO;
            return system;
        }
        self.rest += ago / 2;
        let whole = Millis::from(self.rest);
        self.rest -= Duration::from(whole);
        self.shown = self.shown + whole;
        self.shown
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_system_clock_that_is_set_is_followed_forward_and_waited_for_at_half_the_pace(
            readings in prop::collection::vec((-5_000_i64..5_000, 0_u64..2_000_000), 1..100),
        ) {
            let mut system = 1_000_000_i64;
            let mut steady = Steady::new(Timestamp(1_000_000));
            let (mut before, mut slow) = (Timestamp(1_000_000), None::<(Timestamp, u64)>);
            for (set, micros) in readings {
                system += set + i64::try_from(micros / 1000).expect("is small");
                let system = Timestamp(system.unsigned_abs());
                let shown = steady.read(system, Duration::from_micros(micros));
                prop_assert!(shown >= before && shown >= system);
                if shown == system {
                    slow = None;
                } else {
                    let (from, passed) = slow.get_or_insert((before, 0));
                    *passed += micros;
                    prop_assert_eq!(shown.since(*from), Millis(*passed / 2_000));
                }
                before = shown;
            }
        }
    }

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
