//! What was said earlier, for turns: read from the store.

use handoff_engine::name::SessionId;
use handoff_engine::session::{History, HistoryError, TranscriptLine};
use handoff_store::{Store, StoreError};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads transcripts of one turn.
#[derive(Debug)]
pub(crate) struct StoreHistory {
    store: Arc<dyn Store>,
    /// What the engine was told in words, as the store said it.
    failed: Mutex<Option<StoreError>>,
}

impl StoreHistory {
    pub(crate) fn new(store: &Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(store),
            failed: Mutex::default(),
        })
    }

    /// Why a transcript could not be read, if that is so.
    pub(crate) fn failure(&self) -> Option<StoreError> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }
}

#[async_trait::async_trait]
impl History for StoreHistory {
    async fn transcript(
        &self,
        session: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, HistoryError> {
        self.store
            .transcript(session, limit)
            .await
            .map_err(|error| {
                let told = HistoryError(error.to_string());
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                *failed = Some(error);
                told
            })
    }
}
