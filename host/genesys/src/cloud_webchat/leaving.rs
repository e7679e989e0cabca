//! How the user leaves: the agent reads a farewell, then our member is deleted, which ends the chat.
//!
//! It is the same while the user still waits in the queue, but for the farewell, which nobody would
//! read. Leaving never fails for the user: what Genesys could not be told is said in a notice.

use super::protocol::Protocol;
use super::state::Phase;
use super::trouble::{Failure, Refusal};
use crate::carry::WEB_CHAT;
use crate::end::Observation;
use crate::outbox::Origin;
use crate::report::News;
use handoff_engine::time::Timestamp;

/// How often leaving, and what comes before and after it, is tried.
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

    /// Genesys knows. A last reading brings what was said before, and shows the end.
    pub(super) fn has_left(&mut self, now: Timestamp, news: &mut News) {
        let listened = self.chat().is_some_and(|chat| chat.listened);
        if std::mem::replace(&mut self.gone, true) || !listened {
            return self.finish(Observation::Closed, news);
        }
        self.reading.read_now(now);
    }

    /// Leaving failed.
    pub(super) fn not_left(
        &mut self,
        now: Timestamp,
        failure: &Failure,
        attempts: u32,
        news: &mut News,
    ) {
        let over = |refusal: &Refusal| refusal.is_about_the_end() || refusal.status == 404;
        if failure.refusal().is_some_and(over) {
            self.has_left(now, news);
        } else if !failure.is_passing() || attempts >= ATTEMPTS {
            self.leave_without_a_word(failure, news);
        }
    }

    /// Whether what comes before leaving, or after it, has failed often enough to be left out.
    pub(super) fn leaves_anyway(&self, attempts: u32) -> bool {
        self.state.leaving && attempts >= ATTEMPTS
    }

    /// What comes before leaving, or after it, is left out.
    pub(super) fn leave_in_a_hurry(&mut self, failure: &Failure, news: &mut News) {
        if self.gone {
            return self.leave_without_a_word(failure, news);
        }
        self.hurried = true;
        self.streak = None;
    }

    /// Genesys could not be told, or what was said last could not be read.
    pub(super) fn leave_without_a_word(&mut self, failure: &Failure, news: &mut News) {
        if !self.gone {
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
