//! A store in one file, by redb.
//!
//! Invariant: nothing is answered before it is on disk, and a turn is there as a whole or not at all,
//! whenever the power fails. The price is an fsync; one thread writes, and everything that waits
//! while it syncs shares the next one. Reads see what was committed last and wait for nobody. After
//! a failure of the disk the store stops, since what an unfinished sync left behind is known only
//! after the file was opened anew. The layout of the file is told in `docs/store.md`.

mod applying;
mod backup;
mod blob;
mod deed;
mod format;
mod format_2;
mod health;
mod held;
mod opening;
mod reading;
mod record;
mod state;
mod tables;
mod trouble;
mod verifying;
mod writer;

pub use backup::Compacted;
pub use opening::{Recovery, RedbOptions};

pub use verifying::Verified;

use crate::{AppendError, Backup, Census, Due, Forgotten, OpenError, Store, StoreError};
use deed::{Append, Forget, Settle};
use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{Effect, Position, Session, TranscriptLine, Turn, UserEvent};
use handoff_engine::time::Timestamp;
use health::Health;
use held::Held;
use reading::Reading;
use redb::{Database, ReadableDatabase, StorageBackend};
use std::path::Path;
use std::sync::Arc;
use writer::Writer;

/// Keeps sessions in one file.
///
/// Dropping it waits for what is being written. Its async methods need a tokio runtime.
///
/// ```
/// # fn main() -> Result<(), handoff_store::OpenError> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("sessions.handoff");
/// let store = handoff_store::RedbStore::open(&path)?;
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedbStore {
    /// First, so that the writer has let go of the file when the last of it is dropped.
    writer: Writer,
    database: Arc<Held>,
    health: Arc<Health>,
}

impl RedbStore {
    /// Opens a file, or makes it. Blocks; after a crash for as long as it takes to read the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, &RedbOptions::default())
    }

    /// Opens a file with options, or makes it.
    pub fn open_with(path: impl AsRef<Path>, options: &RedbOptions) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let opened = opening::open(path, options).and_then(|file| Self::start(file, options));
        opened.map_err(|error| OpenError {
            path: path.to_owned(),
            error,
        })
    }

    /// Keeps everything in storage of another kind than a file.
    pub fn on(backend: impl StorageBackend, options: &RedbOptions) -> Result<Self, StoreError> {
        Self::start(opening::on(backend, options)?, options)
    }

    fn start(database: Database, options: &RedbOptions) -> Result<Self, StoreError> {
        let database = Arc::new(Held::new(database));
        let health = Arc::new(Health::default());
        Ok(Self {
            writer: Writer::start(Arc::clone(&database), options, Arc::clone(&health))?,
            database,
            health,
        })
    }

    /// Bytes of the records that were written since the store was opened, keys and values. What redb writes for
    /// them are whole pages, shared by all that is committed at once.
    #[must_use]
    pub fn record_bytes(&self) -> u64 {
        self.health.written()
    }

    /// Reads on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reading) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.answer(read).await;
        answer.inspect_err(|error| self.health.note(error))
    }

    async fn answer<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reading) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.health.check()?;
        let database = Arc::clone(&self.database);
        let reading = move || read(&Reading::new(database.get().begin_read()?));
        match tokio::task::spawn_blocking(reading).await {
            Ok(answer) => answer,
            Err(failed) if failed.is_panic() => Err(trouble::panicked(&*failed.into_panic())),
            // The runtime ends.
            Err(_) => Err(StoreError::Closed),
        }
    }
}

#[async_trait::async_trait]
impl Store for RedbStore {
    async fn append(&self, turn: Arc<Turn>, settled: &[EffectId]) -> Result<(), AppendError> {
        self.writer.order(Append::new(turn, settled)?).await?
    }

    async fn load(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        let session = session.clone();
        self.read(move |tables| tables.load(&session)).await
    }

    async fn has_input(&self, session: &SessionId, input: &InputId) -> Result<bool, StoreError> {
        let (session, input) = (session.clone(), input.clone());
        self.read(move |tables| tables.has_input(&session, &input))
            .await
    }

    async fn settle(&self, session: &SessionId, effects: &[EffectId]) -> Result<(), StoreError> {
        let settle = Settle {
            session: session.clone(),
            effects: effects.to_vec(),
        };
        self.writer.order(settle).await
    }

    async fn pending_effects(&self, session: &SessionId) -> Result<Vec<Effect>, StoreError> {
        let session = session.clone();
        self.read(move |tables| tables.pending_effects(&session))
            .await
    }

    async fn unfinished(&self) -> Result<Vec<SessionId>, StoreError> {
        self.read(Reading::unfinished).await
    }

    async fn census(&self) -> Result<Census, StoreError> {
        self.read(Reading::census).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(Reading::next_due).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        self.read(move |tables| tables.due(now, limit)).await
    }

    async fn journal(
        &self,
        session: &SessionId,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<Arc<Turn>>, StoreError> {
        let session = session.clone();
        self.read(move |tables| tables.journal(&session, from, limit))
            .await
    }

    async fn events(
        &self,
        session: &SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<UserEvent>, StoreError> {
        let session = session.clone();
        self.read(move |tables| tables.events(&session, after, limit))
            .await
    }

    async fn has_event(&self, session: &SessionId, position: Position) -> Result<bool, StoreError> {
        let session = session.clone();
        self.read(move |tables| tables.has_event(&session, position))
            .await
    }

    async fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, StoreError> {
        let session = session.clone();
        self.read(move |tables| tables.transcript(&session, limit))
            .await
    }

    async fn backup(&self, to: &Path) -> Result<Backup, StoreError> {
        let to = to.to_owned();
        // A disk that has no room for a copy is no failure of the store.
        self.answer(move |tables| backup::copy_to(tables, &to))
            .await
    }

    async fn closed_before(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.read(move |tables| tables.closed_before(before, limit))
            .await
    }

    async fn forget(&self, session: &SessionId) -> Result<Forgotten, StoreError> {
        let session = session.clone();
        self.writer.order(Forget { session }).await
    }
}
