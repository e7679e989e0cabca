//! What waits to be done, session by session.
//!
//! A session at rest has no queue and no worker. The first job makes both, and they go when the queue
//! is empty. A worker counts as busy for as long as there is a queue, so the jobs in it need not.
//!
//! A job that nobody waits for (a report, a deadline) would be lost if the store failed it; so it
//! goes back and the worker rests for a while. Whoever waits for an answer overtakes it: they are
//! better told now than held up.

use crate::sessions::InputError;
use handoff_engine::clock::Busy;
use handoff_engine::name::{EffectId, HandoffId, SessionId};
use handoff_engine::session::{Input, InputKind};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Something to be done for a session.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) work: Work,
    /// Who waits for the outcome. Without anyone, nobody else would try again.
    pub(crate) waiter: Option<oneshot::Sender<Result<(), InputError>>>,
}

#[derive(Debug)]
pub(crate) enum Work {
    /// Apply an input.
    Input {
        input: Box<Input>,
        /// Effects that are settled along with it.
        settled: Vec<EffectId>,
    },
    /// See to it that the open handoff is driven and that pending effects are on their way.
    TakeUp,
}

/// For the log. No more than ids: texts are private, and handles hold keys.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input { input, .. } => input.id.fmt(f),
            Self::TakeUp => f.write_str("taking up"),
        }
    }
}

impl Work {
    /// The handoff that it is about, where that can be seen.
    pub(crate) fn handoff(&self) -> Option<&HandoffId> {
        match self {
            Self::Input { input, .. } => match &input.kind {
                InputKind::Signal { handoff, .. } => Some(handoff),
                _ => None,
            },
            Self::TakeUp => None,
        }
    }
}

impl Job {
    fn is_take_up(&self) -> bool {
        matches!(self.work, Work::TakeUp)
    }
}

/// The queues of sessions that have something to do; none once the host stops.
#[derive(Debug)]
pub(crate) struct Queues(Mutex<Option<HashMap<SessionId, Queue>>>);

impl Default for Queues {
    fn default() -> Self {
        Self(Mutex::new(Some(HashMap::new())))
    }
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Present while the worker rests: wakes it.
    resting: Option<oneshot::Sender<Busy>>,
}

impl Queue {
    /// Moves those with somebody waiting before the others. Says whether there are any.
    fn let_overtake(&mut self) -> bool {
        let (asked, kept): (Vec<Job>, Vec<Job>) =
            self.jobs.drain(..).partition(|job| job.waiter.is_some());
        let any = !asked.is_empty();
        self.jobs.extend(asked.into_iter().chain(kept));
        any
    }
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<SessionId, Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. Gives `busy` back if the session has no worker yet, and is to get one.
    pub(crate) fn add(&self, session: &SessionId, job: Job, busy: Busy) -> Option<Busy> {
        let mut queues = self.lock();
        let queues = queues.as_mut()?;
        let Some(queue) = queues.get_mut(session) else {
            let queue = queues.entry(session.clone()).or_default();
            queue.jobs.push_back(job);
            return Some(busy);
        };
        if job.is_take_up() && queue.jobs.iter().any(Job::is_take_up) {
            return None;
        }
        let asked = job.waiter.is_some();
        queue.jobs.push_back(job);
        if asked && let Some(worker) = queue.resting.take() {
            // Without a receiver the worker was woken by the clock just now.
            drop(worker.send(busy));
        }
        None
    }

    /// The next job of a session; its queue goes when there is none, and its worker with it.
    pub(crate) fn next(&self, session: &SessionId) -> Option<Job> {
        let mut queues = self.lock();
        let queues = queues.as_mut()?;
        let job = queues.get_mut(session)?.jobs.pop_front();
        if job.is_none() {
            queues.remove(session);
        }
        job
    }

    /// Puts a job back. Returns what wakes the worker when somebody asks for something; none if
    /// somebody already does.
    pub(crate) fn put_back(
        &self,
        session: &SessionId,
        job: Job,
    ) -> Option<oneshot::Receiver<Busy>> {
        let mut queues = self.lock();
        let queue = queues.as_mut()?.get_mut(session)?;
        queue.jobs.push_front(job);
        if queue.let_overtake() {
            return None;
        }
        let (wake, woken) = oneshot::channel();
        queue.resting = Some(wake);
        Some(woken)
    }

    /// The worker is back.
    pub(crate) fn rested(&self, session: &SessionId) {
        if let Some(queue) = self
            .lock()
            .as_mut()
            .and_then(|queues| queues.get_mut(session))
        {
            queue.resting = None;
            queue.let_overtake();
        }
    }

    /// Drops every job; there will be no others. Who waits for one hears that the host stops.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }
}
