//! In which order the platform's events come, and what else goes wrong.

use handoff_engine::time::Millis;
use proptest::prelude::*;

/// One way for a story to reach a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The events that come, by the order in which they were sent. One that is missing never comes,
    /// one that is there twice comes twice. None comes before it was sent: those after it wait.
    pub(crate) order: Vec<usize>,
    /// Between two acts.
    pub(crate) pace: Millis,
    /// How long every event is under way.
    pub(crate) late: Millis,
    /// The host restarts after this many events have come.
    pub(crate) restart: Option<usize>,
    /// The request, counted from the first act, that is carried out but whose answer is lost.
    pub(crate) lost: Option<usize>,
}

/// All in the time of one request, or each by itself.
pub(crate) const PACES: [Millis; 2] = [Millis(15), Millis::from_secs(7)];

impl Way {
    /// Everything as it should be.
    pub(crate) fn plain(events: usize, pace: Millis) -> Self {
        Self {
            order: (0..events).collect(),
            pace,
            late: Millis(0),
            restart: None,
            lost: None,
        }
    }

    /// Whether each event comes.
    pub(crate) fn brings(&self, event: usize) -> bool {
        self.order.contains(&event)
    }

    /// Smaller ways that go wrong in fewer places: what a failure is shortened by.
    pub(crate) fn simpler(&self, events: usize) -> Vec<Self> {
        let with = |change: &dyn Fn(&mut Self)| {
            let mut way = self.clone();
            change(&mut way);
            way
        };
        let mut all = vec![
            with(&|way| way.order = (0..events).collect()),
            with(&|way| way.restart = None),
            with(&|way| way.lost = None),
            with(&|way| way.late = Millis(0)),
        ];
        for at in 0..self.order.len() {
            let event = self.order[at];
            if self.order[..at].contains(&event) {
                all.push(with(&|way| {
                    way.order.remove(at);
                }));
            }
            if at > 0 && self.order[at - 1] > event {
                all.push(with(&|way| way.order.swap(at - 1, at)));
            }
        }
        for event in (0..events).filter(|event| !self.brings(*event)) {
            let at = self.order.iter().position(|other| *other > event);
            let at = at.unwrap_or(self.order.len());
            all.push(with(&|way| way.order.insert(at, event)));
        }
        all.retain(|way| way != self);
        all
    }
}

/// The permutation of this number, of `n!`.
pub(crate) fn permutation(n: usize, number: usize) -> Vec<usize> {
    let mut left: Vec<_> = (0..n).collect();
    let mut number = number;
    let mut order = Vec::with_capacity(n);
    while !left.is_empty() {
        let at = number % left.len();
        number /= left.len();
        order.push(left.remove(at));
    }
    order
}

pub(crate) fn factorial(n: usize) -> usize {
    (1..=n).product()
}

/// Any way of this many events.
pub(crate) fn any_way(events: usize) -> impl Strategy<Value = Way> {
    let index = any::<prop::sample::Index>();
    let order = (
        Just((0..events).collect::<Vec<_>>()).prop_shuffle(),
        prop::collection::vec(prop::bool::weighted(0.2), events),
        prop::collection::vec((any::<prop::sample::Index>(), index), 0..3),
    )
        .prop_map(move |(order, missing, doubled)| {
            let mut order: Vec<_> = order.into_iter().filter(|at| !missing[*at]).collect();
            for (which, place) in doubled {
                if !order.is_empty() {
                    let event = order[which.index(order.len())];
                    order.insert(place.index(order.len() + 1), event);
                }
            }
            order
        });
    (
        order,
        prop::sample::select(PACES.to_vec()),
        prop::sample::select(vec![
            Millis(0),
            Millis(0),
            Millis(300),
            Millis::from_secs(45),
        ]),
        prop::option::of(0..events.max(1)),
        prop::option::of(0_usize..24),
    )
        .prop_map(|(order, pace, late, restart, lost)| Way {
            order,
            pace,
            late,
            restart,
            lost,
        })
}

#[test]
fn every_number_is_another_permutation() {
    let all: std::collections::BTreeSet<_> = (0..factorial(5))
        .map(|number| permutation(5, number))
        .collect();
    assert_eq!(all.len(), 120);
    assert_eq!(permutation(5, 0), [0, 1, 2, 3, 4]);
}
