//! How the user leaves: the agent reads a farewell, then our member is deleted, which ends the chat.
//!
//! It is the same while the user still waits in the queue, but for the farewell, which nobody would
//! read. Leaving never fails for the user: what Genesys could not be told is said in a notice.

use super::protocol::Protocol;
use super::state::Phase;
use super::trouble::Failure;
use crate::carry::WEB_CHAT;
use crate::end::Observation;
use crate::outbox::Origin;
use crate::report::News;

/// How often leaving is tried.
const ATTEMPTS: u32 = 4;

impl Protocol {
    pub(super) fn leave(&mut self, news: &mut News) {
        if std::mem::replace(&mut self.state.leaving, true) {
            return;
        }
        news.changed = true;
        self.observe([Observation::LeaveAsked], news);
        match &self.state.phase {
            // Should it exist already, nobody is told of it: its stream is never opened.
            Phase::Opening(_) => self.finish(Observation::Closed, news),
            Phase::Open(_) if self.state.end.connected_agent().is_some() => {
                let farewell = self.state.farewell.clone();
                self.state
                    .outbox
                    .own(Origin::Farewell, &farewell, &WEB_CHAT);
            }
            Phase::Open(_) => {}
        }
    }

    pub(super) fn leaving_failed(&mut self, attempts: u32, failure: &Failure, news: &mut News) {
        if failure.is_passing() && attempts < ATTEMPTS {
            return;
        }
        let gone =
            |refusal: &super::trouble::Refusal| refusal.is_about_the_end() || refusal.status == 404;
        if !failure.refusal().is_some_and(gone) {
            news.notice(
                "leaving/not_disconnected",
                "genesys.customer_not_disconnected",
                format!(
                    "The user left, but Genesys could not be told ({failure}). The chat stays open until its agent closes it or Genesys notices that nobody listens."
                ),
            );
        }
        self.finish(Observation::Closed, news);
    }
}
