//! The end of a session.

use super::Advancing;
use crate::session::{CloseReason, EffectKind, Entry, Status};

impl Advancing<'_> {
    /// Closes the session, and with it every handoff that is still open.
    pub(super) fn close(&mut self, reason: CloseReason) {
        let open: Vec<_> = self
            .session
            .stack
            .iter()
            .filter_map(|owner| owner.handoff())
            .map(crate::session::OpenHandoff::leave)
            .collect();
        for leave in open {
            self.effect(leave);
        }
        self.session.stack.clear();
        if !self.session.for_agent.is_empty() {
            self.ignore("what bots said to the agent was dropped: none came");
            self.session.for_agent.clear();
        }
        self.session.status = Status::Closed {
            reason: reason.clone(),
            at: self.now,
        };
        self.journal.push(Entry::Closed {
            reason: reason.clone(),
        });
        self.effect(EffectKind::CloseSession { reason });
    }
}
