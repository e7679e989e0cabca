//! Who waits for what users get to see.

pub use handoff_engine::session::{Position, UserEvent, UserEventKind};

use handoff_engine::name::{Revision, SessionId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Who wants to know when a session has a new turn. Sessions that nobody watches cost nothing.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Mutex<Watched>);

#[derive(Debug, Default)]
struct Watched {
    sessions: HashMap<SessionId, watch::Sender<Revision>>,
    /// When there are as many, those that nobody watches any more are looked for.
    sweep_at: usize,
}

impl Watchers {
    /// From now on every turn of a session is told. What came before is for the caller to find out.
    pub(crate) fn watch(&self, session: &SessionId) -> watch::Receiver<Revision> {
        let mut watched = self.lock();
        if watched.sessions.len() >= watched.sweep_at {
            let used = |sender: &watch::Sender<Revision>| sender.receiver_count() > 0;
            watched.sessions.retain(|_, sender| used(sender));
            watched.sweep_at = watched.sessions.len() * 2 + 16;
        }
        let sender = watched.sessions.entry(session.clone()).or_default();
        sender.subscribe()
    }

    /// Tells that a session is at a revision, unless that is known.
    pub(crate) fn committed(&self, session: &SessionId, revision: Revision) {
        if let Some(sender) = self.lock().sessions.get(session) {
            sender.send_if_modified(|known| {
                let news = revision > *known;
                *known = revision.max(*known);
                news
            });
        }
    }

    /// Nothing more will be told.
    pub(crate) fn close(&self) {
        self.lock().sessions.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
