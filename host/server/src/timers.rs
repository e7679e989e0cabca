//! Deadlines, as inputs to the sessions concerned.
//!
//! One task sleeps until the earliest deadline of all sessions, so a parked session costs no timer.
//! It waits for nobody: a deadline is rung once and left to its session. One that its session does
//! not take (the session is pinned to another version of the project, say) stays in the store, and is
//! passed over from then on.

use crate::host::Host;
use crate::queues::Work;
use crate::sessions::RETRY;
use handoff_engine::clock::Busy;
use handoff_engine::name::InputId;
use handoff_engine::session::{Input, InputKind};
use handoff_engine::time::Timestamp;
use handoff_store::{Due, StoreError};
use std::collections::BTreeSet;
use tokio::sync::mpsc;

/// Deadlines dealt with in one go.
const BATCH: usize = 256;

impl Host {
    /// Says that deadlines may have changed. Nobody sees this host idle before that is dealt with.
    pub(crate) fn deadlines_changed(&self) {
        // Without a receiver the host is stopping.
        drop(self.0.deadlines.send(self.0.clock.busy()));
    }

    pub(crate) async fn watch_deadlines(
        self,
        mut changes: mpsc::UnboundedReceiver<Busy>,
        mut busy: Busy,
    ) {
        let mut rung = BTreeSet::new();
        loop {
            let next = self.ring(&mut rung).await.unwrap_or_else(|error| {
                tracing::error!(%error, "deadlines cannot be read");
                Some(self.0.clock.now() + RETRY)
            });
            let sleep = next.map(|at| self.0.clock.sleep_until(at));
            // From here on a simulated clock knows of the sleeper.
            drop(busy);
            let woken = async {
                match sleep {
                    Some(sleep) => sleep.await,
                    None => std::future::pending().await,
                }
            };
            busy = tokio::select! {
                change = changes.recv() => match change {
                    Some(change) => change,
                    None => return,
                },
                woken = woken => woken,
            };
            while changes.try_recv().is_ok() {}
        }
    }

    /// Rings what is due and was not rung before. Returns when to do so next.
    async fn ring(&self, rung: &mut BTreeSet<Due>) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let next = self.next_due(rung).await?;
            let now = self.0.clock.now();
            if next.is_none_or(|at| at > now) {
                return Ok(next);
            }
            for due in self.0.store.due(now, rung.len() + BATCH).await? {
                if !rung.contains(&due) {
                    self.ring_one(&due);
                    rung.insert(due);
                }
            }
        }
    }

    fn ring_one(&self, due: &Due) {
        let input = Box::new(Input {
            id: InputId::new(format!("due:{:?}:{}", due.kind, due.at.0)),
            kind: InputKind::Due(due.kind),
        });
        let settled = Vec::new();
        let work = Work::Input { input, settled };
        self.keep_trying(&due.session, work, self.0.clock.busy());
    }

    /// The first deadline that was not rung. Forgets those that are no longer in the store.
    async fn next_due(&self, rung: &mut BTreeSet<Due>) -> Result<Option<Timestamp>, StoreError> {
        if rung.is_empty() {
            return self.0.store.next_due().await;
        }
        let end_of_time = Timestamp(u64::MAX);
        let stored = self.0.store.due(end_of_time, rung.len() + 1).await?;
        let next = stored.iter().find(|due| !rung.contains(due));
        let next = next.map(|due| due.at);
        let stored = BTreeSet::from_iter(stored);
        rung.retain(|due| stored.contains(due));
        Ok(next)
    }
}
