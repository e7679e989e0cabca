//! The thread that writes, and the fsync everybody shares.
//!
//! Whatever came in while the last transaction was synced goes into the next one together. Nobody
//! waits for company: with one session this is one sync per turn, with many it is one for all.
//! What one order cannot do is told to who gave it, and the others are done without it; what the disk
//! cannot do stops the store.

use super::deed::{Applied, Deed};
use super::health::{Health, is_of_one_record};
use super::held::Held;
use super::tables::Written;
use super::{Recovery, RedbOptions, trouble};
use crate::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Takes orders, and carries them out on a thread of its own.
#[derive(Debug)]
pub(super) struct Writer {
    /// None once the thread is to end.
    orders: Option<Sender<Box<dyn Order>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        database: Arc<Held>,
        options: &RedbOptions,
        health: Arc<Health>,
    ) -> Result<Self, StoreError> {
        let (orders, incoming) = mpsc::channel();
        let desk = Desk {
            database,
            batch: options.batch.max(1),
            recovery: options.recovery,
            health,
        };
        let thread = std::thread::Builder::new()
            .name("handoff-store".to_owned())
            .spawn(move || desk.serve(&incoming))?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Has a deed done, and waits until it is on disk.
    pub(super) async fn order<D: Deed>(&self, deed: D) -> Result<D::Outcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        let order = Box::new(Waiting {
            deed,
            outcome: None,
            answer,
        });
        let orders = self.orders.as_ref().ok_or(StoreError::Closed)?;
        orders.send(order).map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has answered everybody already, by dropping their orders.
            let _ = thread.join();
        }
    }
}

/// A deed of whatever kind, and who waits for it.
trait Order: Send {
    /// Does it; whether there is something to be committed.
    fn apply(&mut self, tables: &mut Written<'_>) -> Result<bool, StoreError>;

    /// Tells who waits, who may have gone.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Waiting<D: Deed> {
    deed: D,
    outcome: Option<D::Outcome>,
    answer: oneshot::Sender<Result<D::Outcome, StoreError>>,
}

impl<D: Deed> Order for Waiting<D> {
    fn apply(&mut self, tables: &mut Written<'_>) -> Result<bool, StoreError> {
        let (changed, outcome) = match self.deed.apply(tables)? {
            Applied::Changed(outcome) => (true, outcome),
            Applied::Unchanged(outcome) => (false, outcome),
        };
        self.outcome = Some(outcome);
        Ok(changed)
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = self.outcome.ok_or(StoreError::Closed);
        let _ = self.answer.send(committed.and(outcome));
    }
}

/// What the thread needs.
struct Desk {
    database: Arc<Held>,
    batch: usize,
    recovery: Recovery,
    health: Arc<Health>,
}

/// Why nothing of a batch was committed.
enum Failure {
    /// One order cannot be done.
    Order(usize, StoreError),
    /// The disk does not work.
    Disk(StoreError),
}

impl Desk {
    fn serve(&self, incoming: &Receiver<Box<dyn Order>>) {
        while let Ok(first) = incoming.recv() {
            let mut orders = vec![first];
            orders.extend(incoming.try_iter().take(self.batch - 1));
            self.fulfil(orders);
        }
    }

    fn fulfil(&self, mut orders: Vec<Box<dyn Order>>) {
        let committed = loop {
            if let Err(stopped) = self.health.check() {
                break Err(stopped);
            }
            let attempt = catch_unwind(AssertUnwindSafe(|| self.commit(&mut orders)));
            let attempt = attempt.unwrap_or_else(|panic| {
                // What redb makes of its state after a panic is nothing to write on.
                Err(Failure::Disk(trouble::panicked(&*panic)))
            });
            match attempt {
                Ok(()) => break Ok(()),
                Err(Failure::Order(place, error)) => orders.remove(place).answer(Err(error)),
                Err(Failure::Disk(error)) => {
                    self.health.stop(&error);
                    break Err(error);
                }
            }
        };
        for order in orders {
            order.answer(committed.clone());
        }
    }

    fn commit(&self, orders: &mut [Box<dyn Order>]) -> Result<(), Failure> {
        let disk = |error: StoreError| Failure::Disk(error);
        let mut transaction = self
            .database
            .get()
            .begin_write()
            .map_err(|error| disk(error.into()))?;
        transaction.set_quick_repair(self.recovery == Recovery::Quick);
        let (mut changed, bytes);
        changed = false;
        {
            let mut tables = Written::open(&transaction).map_err(disk)?;
            for (place, order) in orders.iter_mut().enumerate() {
                changed |= order.apply(&mut tables).map_err(|error| {
                    if is_of_one_record(&error) {
                        Failure::Order(place, error)
                    } else {
                        Failure::Disk(error)
                    }
                })?;
            }
            bytes = tables.bytes;
        }
        if !changed {
            return transaction.abort().map_err(|error| disk(error.into()));
        }
        transaction.commit().map_err(|error| disk(error.into()))?;
        self.health.wrote(bytes);
        Ok(())
    }
}
