//! One writer for each session: its jobs are worked off one at a time.
//!
//! A turn is load, advance, append, act, in this order. If an append fails, whether it was committed
//! may be unknown; then the session is taken up as after a restart, once the store works again.

use crate::history::StoreHistory;
use crate::host::Host;
use crate::outbox::settled_by_committing;
use crate::queues::{Job, Work};
use crate::spans::{taking_up, turn_span};
use crate::steps::StepTimer;
use crate::versions::Version;
use futures_util::FutureExt;
use handoff_engine::clock::Busy;
use handoff_engine::name::{EffectId, SessionId};
use handoff_engine::session::{Input, InputKind, Refusal, Session, Turn};
use handoff_engine::time::Millis;
use handoff_engine::{Surroundings, advance_in};
use handoff_store::{AppendError, StoreError};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;
use tracing::Instrument;
use tracing::field::display;

/// How often a turn is computed again because another one came first.
const MAX_CONFLICTS: usize = 10;

/// How long to wait before a store that did not work is asked again.
pub(crate) const RETRY: Millis = Millis::from_secs(5);

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
    #[error("the host is stopping; give the input to the host that takes over, with the same id")]
    Stopping,
    /// A mistake of this program.
    #[error("work on the session '{0}' broke off; report it with the log, which says where")]
    Broken(SessionId),
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
            Self::Broken(_) => "host.broken",
        }
    }

    /// Whether the same input may be taken later.
    fn is_passing(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Contended(_))
    }
}

impl Host {
    /// Queues an input and waits until its turn is committed and its effects are on their way.
    pub(crate) async fn deliver(
        &self,
        session: &SessionId,
        input: Input,
    ) -> Result<(), InputError> {
        let (waiter, outcome) = oneshot::channel();
        let work = Work::Input {
            input: Box::new(input),
            settled: Vec::new(),
        };
        let waiter = Some(waiter);
        self.queue(session, Job { work, waiter }, self.0.clock.busy());
        outcome.await.unwrap_or(Err(InputError::Stopping))
    }

    /// Queues work that is tried again for as long as the store does not do it.
    pub(crate) fn keep_trying(&self, session: &SessionId, work: Work, busy: Busy) {
        let waiter = None;
        self.queue(session, Job { work, waiter }, busy);
    }

    /// Takes a session up, as after a restart.
    pub(crate) fn take_up(&self, session: &SessionId) {
        self.keep_trying(session, Work::TakeUp, self.0.clock.busy());
    }

    fn queue(&self, session: &SessionId, job: Job, busy: Busy) {
        if let Some(busy) = self.0.queues.add(session, job, busy) {
            self.spawn(self.clone().work_off(session.clone(), busy));
        }
    }

    async fn work_off(self, session: SessionId, mut busy: Busy) {
        while let Some(job) = self.0.queues.next(&session) {
            let result = self.work(&session, &job.work).await;
            if let Err(error) = &result {
                if let Work::Input { .. } = &job.work {
                    self.0.metrics.input_failed(error.code());
                }
                let handoff = job.work.handoff().map(display);
                tracing::warn!(
                    %session, handoff, work = %job.work, code = error.code(), %error,
                    "work came to nothing"
                );
            }
            let passing = matches!(&result, Err(error) if error.is_passing());
            match job.waiter {
                // Who no longer waits has dropped the receiver.
                Some(waiter) => drop(waiter.send(result)),
                None if passing => busy = self.rest(&session, job, busy).await,
                None => {}
            }
        }
        drop(busy);
    }

    /// Puts a job back and waits for better times, or for somebody who wants an answer.
    async fn rest(&self, session: &SessionId, job: Job, busy: Busy) -> Busy {
        let Some(asked) = self.0.queues.put_back(session, job) else {
            return busy;
        };
        let sleep = self.0.clock.sleep_until(self.0.clock.now() + RETRY);
        // From here on a simulated clock knows of the sleeper.
        drop(busy);
        let busy = tokio::select! {
            woken = sleep => woken,
            Ok(busy) = asked => busy,
        };
        self.0.queues.rested(session);
        busy
    }

    /// Does a job. A panic costs this job, not the session.
    async fn work(&self, session: &SessionId, work: &Work) -> Result<(), InputError> {
        let working = async {
            match work {
                Work::Input { input, settled } => self.take_turn(session, input, settled).await,
                Work::TakeUp => {
                    let carried_on = self.carry_on(session).instrument(taking_up(session));
                    Ok(carried_on.await?)
                }
            }
        };
        let Ok(result) = AssertUnwindSafe(working).catch_unwind().await else {
            if let Work::Input { .. } = work {
                self.take_up(session);
            }
            return Err(InputError::Broken(session.clone()));
        };
        result
    }

    /// Load, advance, append, act.
    async fn take_turn(
        &self,
        id: &SessionId,
        input: &Input,
        settled: &[EffectId],
    ) -> Result<(), InputError> {
        let store = &self.0.store;
        let begun = Instant::now();
        for _ in 0..MAX_CONFLICTS {
            if store.has_input(id, &input.id).await? {
                return Ok(store.settle(id, settled).await?);
            }
            let current = self.0.versions.current();
            let (version, session) = match store.load(id).await? {
                // A session of a version this host does not have is refused by the one it has.
                Some(session) => {
                    let pinned = self.0.versions.of(&session.project);
                    (pinned.unwrap_or(current), session)
                }
                None if matches!(input.kind, InputKind::Started { .. }) => {
                    let session = Session::new(id.clone(), &current.project);
                    (current, session)
                }
                None => return Err(InputError::UnknownSession(id.clone())),
            };
            let span = turn_span(&version, &session, input);
            let turn = self.try_turn(&version, &session, input, settled, begun);
            if turn.instrument(span).await? {
                return Ok(());
            }
        }
        Err(InputError::Contended(id.clone()))
    }

    /// Advance, append, act. False if another turn came first, perhaps of this very input.
    async fn try_turn(
        &self,
        version: &Version,
        session: &Session,
        input: &Input,
        settled: &[EffectId],
        begun: Instant,
    ) -> Result<bool, InputError> {
        let metrics = &self.0.metrics;
        let now = self.0.clock.now();
        let mut timer = StepTimer::new(metrics);
        let history = StoreHistory::new(&self.0.store);
        let surroundings = Surroundings {
            watch: &mut timer,
            egress: Arc::clone(&version.egress),
            agents: Arc::clone(&version.agents),
            history: Arc::clone(&history) as _,
            limits: self.0.session_limits,
        };
        let turn = advance_in(&version.project, session, input, now, surroundings).await;
        let turn = match (turn, history.failure()) {
            // The same input may be taken once the store works again.
            (Err(_), Some(error)) => return Err(error.into()),
            (turn, _) => Arc::new(turn?),
        };
        let settled = [settled, &settled_by_committing(&turn.effects)].concat();
        match self.commit(&turn, &settled).await {
            Ok(()) => {
                metrics.took_turn(&input.kind, begun.elapsed());
                metrics.committed(session, &turn, |name| version.transport_kind(name));
                self.deadlines_changed();
                let revision = turn.session.revision;
                self.0.watchers.committed(&session.id, revision);
                self.act_on(version, &session.id, &turn.effects).await;
                Ok(true)
            }
            Err(AppendError::Conflict { .. } | AppendError::Duplicate(_)) => Ok(false),
            Err(AppendError::Store(error)) => {
                self.take_up(&session.id);
                Err(error.into())
            }
        }
    }

    async fn commit(&self, turn: &Arc<Turn>, settled: &[EffectId]) -> Result<(), AppendError> {
        let begun = Instant::now();
        let committing = self.0.store.append(Arc::clone(turn), settled);
        let committed = committing.instrument(tracing::info_span!("commit")).await;
        self.0.metrics.appended(&committed, begun.elapsed());
        committed
    }
}
