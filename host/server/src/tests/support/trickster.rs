//! A store that plays tricks on whoever appends to it.

use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{Effect, Position, Session, TranscriptLine, Turn, UserEvent};
use handoff_engine::time::Timestamp;
use handoff_store::{AppendError, Census, Due, Forgotten, MemoryStore, Store, StoreError};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// What happens to an append.
#[derive(Debug)]
pub(crate) enum Trick {
    /// It fails, and is not committed.
    Lose,
    /// It fails, and is committed.
    LoseAnswer,
    /// Another turn is committed first.
    BeBeaten,
    /// It waits until told, or until told never, and is then committed.
    Hold(oneshot::Receiver<()>),
    /// It is committed, and never comes back.
    Hang,
    /// It panics.
    Panic,
}

/// Keeps everything in memory, faithfully, but for the tricks.
#[derive(Debug, Default)]
pub(crate) struct Trickster {
    inner: MemoryStore,
    /// By session, first come first served.
    tricks: Mutex<HashMap<SessionId, VecDeque<Trick>>>,
    settled: Mutex<Vec<EffectId>>,
    held: AtomicUsize,
    stopped: AtomicBool,
}

impl Trickster {
    /// Plays a trick on the session's next append that none waits for yet.
    pub(crate) fn play(&self, session: &str, trick: Trick) {
        let mut tricks = self.tricks.lock().expect("no test panics here");
        tricks.entry(session.into()).or_default().push_back(trick);
    }

    /// From now on the store says that it stopped, as after a disk that was full.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// How many appends came to be held.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// What was settled, in order.
    pub(crate) fn settled(&self) -> Vec<String> {
        let settled = self.settled.lock().expect("no test panics here");
        settled.iter().map(ToString::to_string).collect()
    }

    /// Ids of a session's pending effects.
    pub(crate) async fn pending(&self, session: &str) -> Vec<String> {
        let pending = self.pending_effects(&session.into()).await.expect("reads");
        pending.iter().map(|effect| effect.id.to_string()).collect()
    }

    fn note(&self, settled: &[EffectId]) {
        let mut all = self.settled.lock().expect("no test panics here");
        all.extend_from_slice(settled);
    }

    async fn commit(&self, turn: Arc<Turn>, settled: &[EffectId]) -> Result<(), AppendError> {
        self.inner.append(turn, settled).await?;
        self.note(settled);
        Ok(())
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("a trick".to_owned())
}

#[async_trait::async_trait]
impl Store for Trickster {
    async fn append(&self, turn: Arc<Turn>, settled: &[EffectId]) -> Result<(), AppendError> {
        let trick = {
            let mut tricks = self.tricks.lock().expect("no test panics here");
            tricks
                .get_mut(&turn.session.id)
                .and_then(VecDeque::pop_front)
        };
        match trick {
            None => self.commit(turn, settled).await,
            Some(Trick::Lose) => Err(broken().into()),
            Some(Trick::LoseAnswer) => {
                self.commit(turn, settled).await?;
                Err(broken().into())
            }
            Some(Trick::BeBeaten) => {
                let before = self.inner.load(&turn.session.id).await?;
                let mut rival = (*turn).clone();
                rival.session = before.expect("a session that is under way");
                rival.session.revision = rival.session.revision.next();
                rival.input.id = InputId::new(format!("rival-{}", rival.session.revision));
                rival.effects.clear();
                rival.deadlines = rival.session.deadlines();
                self.commit(Arc::new(rival), &[]).await?;
                self.commit(turn, settled).await
            }
            Some(Trick::Hold(released)) => {
                self.held.fetch_add(1, Ordering::SeqCst);
                drop(released.await);
                self.commit(turn, settled).await
            }
            Some(Trick::Hang) => {
                self.commit(turn, settled).await?;
                std::future::pending().await
            }
            Some(Trick::Panic) => panic!("a trick"),
        }
    }

    async fn load(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        self.inner.load(session).await
    }

    async fn has_input(&self, session: &SessionId, input: &InputId) -> Result<bool, StoreError> {
        self.inner.has_input(session, input).await
    }

    async fn settle(&self, session: &SessionId, effects: &[EffectId]) -> Result<(), StoreError> {
        self.inner.settle(session, effects).await?;
        self.note(effects);
        Ok(())
    }

    async fn pending_effects(&self, session: &SessionId) -> Result<Vec<Effect>, StoreError> {
        self.inner.pending_effects(session).await
    }

    async fn unfinished(&self) -> Result<Vec<SessionId>, StoreError> {
        self.inner.unfinished().await
    }

    async fn census(&self) -> Result<Census, StoreError> {
        self.inner.census().await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.stopped.load(Ordering::SeqCst) {
            let full = StoreError::Full(Arc::new(std::io::ErrorKind::StorageFull.into()));
            return Err(StoreError::Stopped(Arc::new(full)));
        }
        self.inner.next_due().await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn journal(
        &self,
        session: &SessionId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Turn>>, StoreError> {
        self.inner.journal(session, from, limit).await
    }

    async fn events(
        &self,
        session: &SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<UserEvent>, StoreError> {
        self.inner.events(session, after, limit).await
    }

    async fn has_event(&self, session: &SessionId, position: Position) -> Result<bool, StoreError> {
        self.inner.has_event(session, position).await
    }

    async fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, StoreError> {
        self.inner.transcript(session, limit).await
    }

    async fn closed_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.inner.closed_before(before, limit).await
    }

    async fn forget(&self, session: &SessionId) -> Result<Forgotten, StoreError> {
        self.inner.forget(session).await
    }
}
