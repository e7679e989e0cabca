//! One writer for each session: its inputs are queued and worked off one at a time.
//!
//! A session at rest has no queue and no task. The first input makes both, and they go when the
//! queue is empty.

use crate::host::Host;
use handoff_engine::advance;
use handoff_engine::clock::Busy;
use handoff_engine::name::{EffectId, SessionId};
use handoff_engine::session::{Input, InputKind, Refusal, Session};
use handoff_store::{AppendError, StoreError};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// How often a turn is computed again because another one came first.
const MAX_CONFLICTS: usize = 10;

/// An input that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The session does not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such session.
    #[error("there is no session '{0}'; start it first")]
    UnknownSession(SessionId),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others write to the session all the time.
    #[error("the session '{0}' is written to by others; try again")]
    Contended(SessionId),
    /// The host stops.
    #[error("the host is stopping")]
    Stopping,
}

impl InputError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::UnknownSession(_) => "session.unknown",
            Self::Store(_) => "store.unavailable",
            Self::Contended(_) => "session.contended",
            Self::Stopping => "host.stopping",
        }
    }
}

/// The queues of sessions that have something to do.
#[derive(Debug, Default)]
pub(crate) struct Queues(Mutex<HashMap<SessionId, VecDeque<Job>>>);

/// An input on its way.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) input: Input,
    /// Effects that are settled along with it.
    pub(crate) settled: Vec<EffectId>,
    pub(crate) done: oneshot::Sender<Result<(), InputError>>,
    pub(crate) busy: Busy,
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, VecDeque<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job of a session; its queue goes when there is none.
    fn next(&self, session: &SessionId) -> Option<Job> {
        let mut queues = self.lock();
        let job = queues.get_mut(session)?.pop_front();
        if job.is_none() {
            queues.remove(session);
        }
        job
    }
}

impl Host {
    /// Queues an input and waits until its turn is committed and its effects are on their way.
    pub(crate) async fn deliver(
        &self,
        session: &SessionId,
        input: Input,
    ) -> Result<(), InputError> {
        let busy = self.0.clock.busy();
        self.enqueue(session, input, Vec::new(), busy)
            .await
            .unwrap_or(Err(InputError::Stopping))
    }

    /// Queues an input.
    pub(crate) fn enqueue(
        &self,
        session: &SessionId,
        input: Input,
        settled: Vec<EffectId>,
        busy: Busy,
    ) -> oneshot::Receiver<Result<(), InputError>> {
        let (done, outcome) = oneshot::channel();
        let job = Job {
            input,
            settled,
            done,
            busy,
        };
        match self.0.queues.lock().entry(session.clone()) {
            Entry::Occupied(mut queue) => queue.get_mut().push_back(job),
            Entry::Vacant(queue) => {
                queue.insert(VecDeque::from([job]));
                tokio::spawn(self.clone().work_off(session.clone()));
            }
        }
        outcome
    }

    async fn work_off(self, session: SessionId) {
        while let Some(job) = self.0.queues.next(&session) {
            let result = self.take_turn(&session, &job).await;
            if let Err(error) = &result {
                tracing::warn!(%session, input = %job.input.id, %error, "an input came to nothing");
            }
            // Who does not wait for the outcome has dropped the receiver.
            drop(job.done.send(result));
            drop(job.busy);
        }
    }

    /// Load, advance, append, act.
    async fn take_turn(&self, id: &SessionId, job: &Job) -> Result<(), InputError> {
        let store = &self.0.store;
        for _ in 0..MAX_CONFLICTS {
            if store.has_input(id, &job.input.id).await? {
                store.settle(id, &job.settled).await?;
                return Ok(());
            }
            let session = match store.load(id).await? {
                Some(session) => session,
                None if matches!(job.input.kind, InputKind::Started { .. }) => {
                    Session::new(id.clone(), &self.0.project)
                }
                None => return Err(InputError::UnknownSession(id.clone())),
            };
            let now = self.0.clock.now();
            let turn = Arc::new(advance(&self.0.project, &session, &job.input, now).await?);
            match store.append(Arc::clone(&turn), &job.settled).await {
                Ok(()) => {
                    self.deadlines_changed();
                    self.carry_out(id, &turn.effects).await;
                    self.0.watchers.committed(id, turn.session.revision);
                    return Ok(());
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::Duplicate(_)) => return Ok(()),
                Err(AppendError::Store(error)) => return Err(error.into()),
            }
        }
        Err(InputError::Contended(id.clone()))
    }
}
