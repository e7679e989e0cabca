//! What users get to see, in order, for as long as the host runs.
//!
//! Each event has a position within its session and carries the id of the effect it came from, so
//! that whoever shows them can go on from where it was and recognise a repeat.

use handoff_engine::name::{EffectId, SessionId};
use handoff_engine::session::{CloseReason, Sender};
use handoff_engine::time::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Something the user gets to see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UserEvent {
    /// From 1, within the session.
    pub position: usize,
    /// The effect it came from.
    pub effect: EffectId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: UserEventKind,
}

/// What the user gets to see.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserEventKind {
    /// A message.
    Message {
        /// Whose.
        from: Sender,
        /// Plain text.
        text: String,
    },
    /// An agent types, or stopped.
    Typing {
        /// True while typing.
        on: bool,
    },
    /// The session is over.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// The events of all sessions of a host.
#[derive(Debug, Default)]
pub struct UserEvents(Mutex<HashMap<SessionId, Feed>>);

#[derive(Debug, Default)]
struct Feed {
    events: Vec<UserEvent>,
    count: watch::Sender<usize>,
}

impl UserEvents {
    /// The events of a session after a position, and a watch on how many there are.
    #[must_use]
    pub fn after(
        &self,
        session: &SessionId,
        position: usize,
    ) -> (Vec<UserEvent>, watch::Receiver<usize>) {
        let mut feeds = self.feeds();
        let feed = feeds.entry(session.clone()).or_default();
        let events = feed.events.iter().skip(position).cloned().collect();
        (events, feed.count.subscribe())
    }

    /// Adds an event, unless its effect has already given one.
    pub(crate) fn push(
        &self,
        session: &SessionId,
        effect: &EffectId,
        at: Timestamp,
        kind: UserEventKind,
    ) {
        let mut feeds = self.feeds();
        let feed = feeds.entry(session.clone()).or_default();
        if feed.events.iter().rev().any(|event| event.effect == *effect) {
            return;
        }
        feed.events.push(UserEvent {
            position: feed.events.len() + 1,
            effect: effect.clone(),
            at,
            kind,
        });
        feed.count.send_replace(feed.events.len());
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<SessionId, Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
