//! How long a user may still have to wait in a queue, asked now and then while the user waits.
//!
//! Genesys Cloud tells nobody a position, but estimates the wait of a queue. An OAuth client that may
//! not ask, and a queue without an estimate, cost nothing but the estimate.

use crate::report::News;
use handoff_engine::handoff::Signal;
use handoff_engine::time::{Millis, Timestamp};

/// Between two questions. A queue's estimate changes by calls that take minutes.
const EVERY: Millis = Millis::from_secs(30);

/// The questions of one handoff.
#[derive(Debug, Default)]
pub(crate) struct QueueWait {
    /// The id of the queue the user waits in.
    queue: Option<String>,
    due: Timestamp,
    told: Option<Millis>,
    /// It was refused for good.
    refused: bool,
}

impl QueueWait {
    /// The user waits in this queue, or in none.
    pub(crate) fn waits_in(&mut self, queue: Option<String>, now: Timestamp) {
        if self.queue != queue {
            self.queue = queue;
            self.due = now;
            self.told = None;
        }
    }

    /// The queue to ask about now.
    pub(crate) fn question(&self, now: Timestamp) -> Option<&str> {
        let queue = self.queue.as_deref()?;
        (!self.refused && self.due <= now).then_some(queue)
    }

    /// When to ask next.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let asks = self.queue.is_some() && !self.refused;
        asks.then_some(self.due)
    }

    /// An estimate came, or there is none. One that has not changed is no news.
    pub(crate) fn estimated(&mut self, now: Timestamp, wait: Option<Millis>, news: &mut News) {
        self.due = now + EVERY;
        if self.queue.is_none() || wait.is_none() || wait == self.told {
            return;
        }
        self.told = wait;
        news.tell(
            format!("wait/{}", now.0),
            Signal::QueuePosition {
                position: None,
                estimated_wait: wait,
            },
        );
    }

    /// The question failed: for now, or for good.
    pub(crate) fn failed(&mut self, now: Timestamp, for_good: bool) {
        self.due = now + EVERY;
        self.refused |= for_good;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_asked_for_while_waiting_and_told_when_it_changes() {
        let mut wait = QueueWait::default();
        let mut news = News::default();
        assert_eq!(wait.question(Timestamp(5)), None);
        wait.waits_in(Some("q".to_owned()), Timestamp(5));
        assert_eq!(wait.question(Timestamp(5)), Some("q"));
        wait.estimated(Timestamp(5), Some(Millis(60_000)), &mut news);
        assert_eq!(wait.question(Timestamp(6)), None);
        assert_eq!(wait.question(Timestamp(30_005)), Some("q"));
        wait.estimated(Timestamp(30_005), Some(Millis(60_000)), &mut news);
        wait.estimated(Timestamp(60_005), Some(Millis(30_000)), &mut news);
        assert_eq!(news.told.len(), 2);
        wait.waits_in(None, Timestamp(60_006));
        assert_eq!(wait.due(), None);
    }

    #[test]
    fn who_may_not_ask_does_not_ask_again() {
        let mut wait = QueueWait::default();
        wait.waits_in(Some("q".to_owned()), Timestamp(0));
        wait.failed(Timestamp(0), true);
        assert_eq!(wait.question(Timestamp(100_000)), None);
        assert_eq!(wait.due(), None);
    }
}
