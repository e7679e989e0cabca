//! Forgetting what is over: sessions that closed long ago, and files as old.

use crate::disk_media::DiskMedia;
use crate::host::Host;
use handoff_engine::time::Millis;
use handoff_store::{Forgotten, StoreError};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often it is looked for what may be forgotten.
const EVERY: Millis = Millis::from_secs(60 * 60);

/// Sessions that are forgotten in one go.
const BATCH: usize = 256;

impl Host {
    /// From now on forgets sessions that closed longer ago than this, and files that are kept for
    /// longer. Choose longer than a platform repeats what it delivers: a day is enough for all.
    pub fn forget_after(&self, age: Duration, media: Option<Arc<DiskMedia>>) {
        let host = self.clone();
        self.spawn(async move {
            loop {
                match host.forget_closed(age).await {
                    Ok(0) => {}
                    Ok(sessions) => tracing::info!(sessions, "sessions are forgotten"),
                    Err(error) => tracing::error!(%error, "sessions cannot be forgotten"),
                }
                if let Some(media) = &media {
                    drop_files(Arc::clone(media), age).await;
                }
                let clock = &host.0.clock;
                drop(clock.sleep_until(clock.now() + EVERY).await);
            }
        });
    }

    /// Forgets sessions that closed longer ago than this. Returns how many.
    ///
    /// # Errors
    ///
    /// If the store does not work.
    pub async fn forget_closed(&self, age: Duration) -> Result<usize, StoreError> {
        let before = self.now() - Millis::from(age);
        let mut forgotten = 0;
        loop {
            let closed = self.0.store.closed_before(before, BATCH).await?;
            let mut dropped = 0;
            for session in &closed {
                let outcome = self.0.store.forget(session).await?;
                dropped += usize::from(outcome == Forgotten::Dropped);
            }
            forgotten += dropped;
            if dropped == 0 {
                return Ok(forgotten);
            }
        }
    }
}

async fn drop_files(media: Arc<DiskMedia>, age: Duration) {
    let dropping = move || {
        let before = SystemTime::now().checked_sub(age);
        media.drop_before(before.unwrap_or(SystemTime::UNIX_EPOCH))
    };
    match tokio::task::spawn_blocking(dropping).await {
        Ok(Ok(0)) => {}
        Ok(Ok(files)) => tracing::info!(files, "files are dropped"),
        Ok(Err(error)) => tracing::error!(%error, "files cannot be dropped"),
        Err(error) => tracing::error!(%error, "files cannot be dropped"),
    }
}
