//! What users get to see, in order.
//!
//! A turn that is committed is seen: the events are read off the journal, so a restart loses none
//! and shows none twice. Each has a position within its session, from which whoever shows them can
//! go on.

use handoff_engine::content::{Content, Receipt};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_engine::session::{CloseReason, EffectKind, Sender, Turn};
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A place among the events of a session. The default is before them all.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// The turn.
    pub revision: Revision,
    /// The effect within the turn, from 1.
    pub effect: usize,
}

/// Something the user gets to see.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UserEvent {
    /// Where it stands.
    pub position: Position,
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
        /// Plain text; empty if there is only content.
        text: String,
        /// What comes with it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Content>,
        /// The id by which choices and receipts name it, if an agent's side sent it.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// What became of a message of the user's.
    Receipt {
        /// The message: the id of its input.
        message: InputId,
        /// What became of it.
        receipt: Receipt,
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

/// What a turn shows the user.
pub(crate) fn events(turn: &Turn) -> impl Iterator<Item = UserEvent> + '_ {
    turn.effects
        .iter()
        .enumerate()
        .filter_map(|(index, effect)| {
            let kind = match &effect.kind {
                EffectKind::SendToUser {
                    from,
                    text,
                    content,
                    message,
                } => UserEventKind::Message {
                    from: from.clone(),
                    text: text.clone(),
                    content: content.clone(),
                    message: message.clone(),
                },
                EffectKind::ReceiptToUser { message, receipt } => UserEventKind::Receipt {
                    message: message.clone(),
                    receipt: *receipt,
                },
                EffectKind::TypingToUser { on } => UserEventKind::Typing { on: *on },
                EffectKind::CloseSession { reason } => UserEventKind::Closed {
                    reason: reason.clone(),
                },
                EffectKind::OpenHandoff { .. }
                | EffectKind::SendToAgent { .. }
                | EffectKind::ReceiptToAgent { .. }
                | EffectKind::TypingToAgent { .. }
                | EffectKind::LeaveHandoff { .. } => return None,
            };
            Some(UserEvent {
                position: Position {
                    revision: turn.session.revision,
                    effect: index + 1,
                },
                at: turn.at,
                kind,
            })
        })
}

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
