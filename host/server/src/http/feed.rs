//! What a user is shown, one event after the other, as they come.
//!
//! Read from the store whenever the reader is ready for more: a slow reader costs a position, not a
//! queue.

use crate::host::Host;
use crate::user::{Position, UserEvent, UserEventKind};
use handoff_engine::name::{Revision, SessionId};
use handoff_store::StoreError;
use std::collections::VecDeque;
use tokio::sync::watch;

/// Events held ready at most.
const AHEAD: usize = 64;

/// A session's events from a position on.
#[derive(Debug)]
pub(super) struct Feed {
    host: Host,
    session: SessionId,
    turns: watch::Receiver<Revision>,
    read: Position,
    ready: VecDeque<UserEvent>,
    /// Nothing more will be added to the journal.
    complete: bool,
    /// The last one was given out.
    over: bool,
}

impl Feed {
    /// A session's events after a position; none if there is no such session.
    pub(super) async fn open(
        host: &Host,
        session: SessionId,
        after: Position,
    ) -> Result<Option<Self>, StoreError> {
        let turns = host.watch(&session).await?;
        let Some(stored) = host.session(&session).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            host: host.clone(),
            session,
            turns,
            read: after,
            ready: VecDeque::new(),
            complete: !stored.is_open(),
            over: false,
        }))
    }

    /// Whether there will be nothing more, as far as can be told without waiting.
    pub(super) async fn is_over(&mut self) -> Result<bool, StoreError> {
        if self.complete && self.ready.is_empty() && !self.over {
            self.over = !self.read_on().await?;
        }
        Ok(self.over)
    }

    /// The next event, once there is one; none after the last, or when the host stops. Nothing is lost
    /// if it is not waited for.
    pub(super) async fn next(&mut self) -> Result<Option<UserEvent>, StoreError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.over |= matches!(event.kind, UserEventKind::Closed { .. });
                return Ok(Some(event));
            }
            if self.over {
                return Ok(None);
            }
            self.turns.mark_unchanged();
            if self.read_on().await? {
                continue;
            }
            if self.complete || self.turns.changed().await.is_err() {
                self.over = true;
            }
        }
    }

    /// Reads what came since; false if nothing did.
    async fn read_on(&mut self) -> Result<bool, StoreError> {
        let events = self.host.user_events(&self.session, self.read, AHEAD);
        self.ready.extend(events.await?);
        if let Some(last) = self.ready.back() {
            self.read = last.position;
        }
        Ok(!self.ready.is_empty())
    }
}
