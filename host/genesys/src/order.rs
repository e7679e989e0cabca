//! Messages once and in order, for platforms that deliver in any order and more than once.
//!
//! A message waits for a short window, so that an earlier one that is under way can overtake it; what
//! has come by then goes out by the platform's time. A message that comes even later goes out at
//! once: late is better than never. The cost is the window's delay on every message; nothing on the
//! wire tells the last of a burst from one whose predecessor is still to come.

use handoff_engine::handoff::Tally;
use handoff_engine::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How long a message waits for earlier ones. Two sent within the same second arrive this much
/// swapped at most, but for redeliveries, which come many seconds later anyhow.
const WINDOW: Millis = Millis(500);

/// Ids that are remembered against repeats. More than one look at a history checks.
const REMEMBERED: usize = 256;

/// Where an item belongs: by the platform's time and, within the same millisecond, by where the
/// platform has it in its history. What is not in there comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    at: Timestamp,
    nth: usize,
}

/// The places in a history, by the items' ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<String, (Option<Timestamp>, usize)>);

impl Places {
    /// The places in a history that is in order.
    pub(crate) fn of(history: impl IntoIterator<Item = (String, Option<Timestamp>)>) -> Self {
        let history = history.into_iter().zip(0..);
        Self(history.map(|((id, at), nth)| (id, (at, nth))).collect())
    }

    /// The place of an item that says of itself when it was.
    pub(crate) fn place(&self, id: &str, said: Option<Timestamp>) -> Place {
        let (at, nth) = self.0.get(id).copied().unwrap_or((None, usize::MAX));
        let at = at.or(said).unwrap_or(Timestamp(u64::MAX));
        Place { at, nth }
    }
}

/// Items in order of the platform's time, each once. Part of a handle: what waits is not lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order<T> {
    waiting: Vec<Waiting<T>>,
    recent: VecDeque<String>,
    /// The platform's time of the latest item that has come.
    latest: Timestamp,
    tally: Tally,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Waiting<T> {
    /// By the platform's clock.
    at: Timestamp,
    /// By ours.
    until: Timestamp,
    item: T,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            recent: VecDeque::new(),
            latest: Timestamp(0),
            tally: Tally::default(),
        }
    }
}

impl<T> Order<T> {
    /// Takes an item by its id and the platform's time, and gives what is ready. A repeat counts and
    /// is dropped.
    pub(crate) fn push(&mut self, now: Timestamp, id: &str, at: Timestamp, item: T) -> Vec<T> {
        self.put(now, id, at, item);
        self.due(now)
    }

    /// As [`Order::push`], for when nothing is to go yet.
    pub(crate) fn put(&mut self, now: Timestamp, id: &str, at: Timestamp, item: T) {
        if self.remember(id) {
            self.tally.reorders += u64::from(at < self.latest);
            self.latest = self.latest.max(at);
            let place = self.waiting.partition_point(|other| other.at <= at);
            let until = now + WINDOW;
            self.waiting.insert(place, Waiting { at, until, item });
        } else {
            self.tally.repeats += 1;
        }
    }

    /// Remembers the id of an item that comes another way, for example from a history; false if it
    /// was known. Nothing is counted.
    pub(crate) fn remember(&mut self, id: &str) -> bool {
        if self.knows(id) {
            return false;
        }
        self.recent.push_back(id.to_owned());
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
        true
    }

    /// Whether an item of this id has come.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.recent.iter().any(|known| known == id)
    }

    /// The ids that are known, the latest last.
    pub(crate) fn known(&self) -> impl Iterator<Item = &str> {
        self.recent.iter().map(String::as_str)
    }

    /// When something will be ready.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    /// What is ready: everything that has waited long enough, and whatever comes before it.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<T> {
        let last = self.waiting.iter().rposition(|it| it.until <= now);
        let ready = self.waiting.drain(..last.map_or(0, |last| last + 1));
        ready.map(|waiting| waiting.item).collect()
    }

    /// Everything, in order, without waiting: nothing more will come, or something is to be told
    /// that comes after all this.
    pub(crate) fn flush(&mut self) -> Vec<T> {
        let all = std::mem::take(&mut self.waiting);
        all.into_iter().map(|waiting| waiting.item).collect()
    }

    /// What has to go now, because of the last item like this, and everything before it.
    pub(crate) fn flush_through(&mut self, last: impl Fn(&T) -> bool) -> Vec<T> {
        let last = self.waiting.iter().rposition(|it| last(&it.item));
        let ready = self.waiting.drain(..last.map_or(0, |last| last + 1));
        ready.map(|waiting| waiting.item).collect()
    }

    /// Everything that comes before a place: what comes before it is known.
    pub(crate) fn flush_before(&mut self, place: Place, place_of: impl Fn(&T) -> Place) -> Vec<T> {
        self.arrange(&place_of);
        let first = self
            .waiting
            .partition_point(|it| place_of(&it.item) < place);
        let ready = self.waiting.drain(..first);
        ready.map(|waiting| waiting.item).collect()
    }

    /// Puts what waits in order, now that the places are known.
    pub(crate) fn arrange(&mut self, place_of: impl Fn(&T) -> Place) {
        self.waiting.sort_by_key(|it| place_of(&it.item));
    }

    /// What waits, in order.
    pub(crate) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.waiting.iter_mut().map(|waiting| &mut waiting.item)
    }

    /// Counts items that were missing, where the wire tells.
    pub(crate) fn count_gap(&mut self, missing: u64) {
        self.tally.gaps += missing;
    }

    /// How well it was in order so far.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Timestamp = Timestamp(1_000_000);

    fn later(millis: u64) -> Timestamp {
        Timestamp(T0.0 + millis)
    }

    #[test]
    fn what_comes_within_the_window_is_put_in_order_and_counted() {
        let mut order = Order::default();
        assert!(order.push(T0, "b", later(2), 'b').is_empty());
        assert!(order.push(later(100), "a", later(1), 'a').is_empty());
        assert!(order.push(later(100), "b", later(2), 'b').is_empty());
        assert_eq!(order.deadline(), Some(later(500)));
        assert!(order.due(later(499)).is_empty());
        assert_eq!(order.due(later(500)), ['a', 'b']);
        assert_eq!(order.deadline(), None);
        let tally = Tally {
            gaps: 0,
            repeats: 1,
            reorders: 1,
        };
        assert_eq!(order.tally(), tally);
    }

    #[test]
    fn of_the_same_time_the_first_to_come_is_the_first() {
        let mut order = Order::default();
        order.push(T0, "b", T0, 'b');
        order.push(T0, "a", T0, 'a');
        assert_eq!(order.flush(), ['b', 'a']);
        assert_eq!(order.tally(), Tally::default());
    }

    #[test]
    fn of_the_same_time_the_history_knows_the_first() {
        let mut order = Order::default();
        for id in ["c", "b", "unknown"] {
            order.push(T0, id, T0, id);
        }
        let places = Places::of(["a", "b", "c"].map(|id| (id.to_owned(), Some(T0))));
        let place_of = |id: &&str| places.place(id, Some(T0));
        let b = places.place("b", Some(T0));
        assert!(order.flush_before(b, place_of).is_empty());
        let c = places.place("c", Some(T0));
        assert_eq!(order.flush_before(c, place_of), ["b"]);
        assert_eq!(order.flush(), ["c", "unknown"]);
    }

    proptest! {
        /// Items are sent at their times and arrive up to 400 ms later, some of them twice, and the
        /// host restarts at any point.
        #[test]
        fn delays_within_the_window_never_show(
            delays in prop::collection::vec((0_u64..400, prop::option::of(0_u64..3000), 0_u64..300), 1..20),
            restart in any::<prop::sample::Index>(),
        ) {
            let mut arrivals = Vec::new();
            let mut sent = 0;
            for (n, (delay, again, pause)) in delays.iter().enumerate() {
                sent += pause + 1;
                arrivals.push((sent + delay, n, sent));
                arrivals.extend(again.map(|again| (sent + delay + again, n, sent)));
            }
            arrivals.sort_unstable();
            let restart = restart.index(arrivals.len());
            let mut order = Order::default();
            let mut out = Vec::new();
            for (at, (arrival, n, sent)) in arrivals.iter().enumerate() {
                if at == restart {
                    let handle = serde_json::to_value(&order).expect("a handle");
                    order = serde_json::from_value(handle).expect("the same handle");
                }
                out.extend(order.push(later(*arrival), &n.to_string(), later(*sent), *n));
            }
            while let Some(deadline) = order.deadline() {
                out.extend(order.due(deadline));
            }
            let expected: Vec<_> = (0..delays.len()).collect();
            prop_assert_eq!(out, expected);
            let doubled = delays.iter().filter(|(_, again, _)| again.is_some()).count();
            prop_assert_eq!(order.tally().repeats, doubled as u64);
        }
    }
}
