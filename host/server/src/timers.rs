//! Deadlines, as inputs to the sessions concerned.
//!
//! One task sleeps until the earliest deadline of all sessions, so a parked session costs no timer.

use crate::host::Host;
use handoff_engine::clock::Busy;
use handoff_engine::name::InputId;
use handoff_engine::session::{Input, InputKind};
use handoff_engine::time::{Millis, Timestamp};
use handoff_store::{Due, StoreError};
use std::collections::HashSet;
use tokio::sync::mpsc;

/// Deadlines dealt with in one go.
const BATCH: usize = 256;
/// How long to wait before a store that did not work is asked again.
const RETRY: Millis = Millis::from_secs(5);

impl Host {
    /// Says that deadlines may have changed. Nobody sees this host idle before that is dealt with.
    pub(crate) fn deadlines_changed(&self) {
        // Without a receiver the host is stopping.
        drop(self.0.deadlines.send(self.0.clock.busy()));
    }

    pub(crate) async fn watch_deadlines(self, mut changes: mpsc::UnboundedReceiver<Busy>) {
        // Deadlines of sessions that this host cannot advance, for example because they are pinned
        // to another version of the project.
        let mut given_up: HashSet<Due> = HashSet::new();
        let mut busy = Some(self.0.clock.busy());
        loop {
            let next = self.next_wake(&given_up).await;
            let sleep = next.map(|at| self.0.clock.sleep_until(at));
            // From here on a simulated clock knows of the sleeper.
            drop(busy.take());
            let woken = async {
                match sleep {
                    Some(sleep) => sleep.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                change = changes.recv() => {
                    let Some(change) = change else { return };
                    busy = Some(change);
                    while changes.try_recv().is_ok() {}
                }
                woken = woken => {
                    busy = Some(woken);
                    self.ring(&mut given_up).await;
                }
            }
        }
    }

    async fn next_wake(&self, given_up: &HashSet<Due>) -> Option<Timestamp> {
        let now = self.0.clock.now();
        let next = if given_up.is_empty() {
            self.0.store.next_due().await
        } else {
            let all = self.0.store.due(Timestamp(u64::MAX), given_up.len() + 1).await;
            all.map(|all| all.into_iter().find(|due| !given_up.contains(due)).map(|due| due.at))
        };
        next.unwrap_or_else(|error| {
            tracing::error!(%error, "deadlines cannot be read");
            Some(now + RETRY)
        })
    }

    /// Delivers everything that is due.
    async fn ring(&self, given_up: &mut HashSet<Due>) {
        let due = match self.due_now(given_up.len()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "deadlines cannot be read");
                return;
            }
        };
        for due in due {
            if given_up.contains(&due) {
                continue;
            }
            let input = Input {
                id: InputId::new(format!("due:{:?}:{}", due.kind, due.at.0)),
                kind: InputKind::Due(due.kind),
            };
            if let Err(error) = self.deliver(&due.session, input).await {
                tracing::error!(session = %due.session, %error, "a deadline came to nothing");
                given_up.insert(due);
            }
        }
    }

    async fn due_now(&self, more: usize) -> Result<Vec<Due>, StoreError> {
        let now = self.0.clock.now();
        self.0.store.due(now, BATCH + more).await
    }
}
