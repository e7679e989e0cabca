//! How the user leaves: as well as the deployment and the account allow.
//!
//! The guest's wire has no way to say that a user left, so the agent is told in words first. Then the
//! conversation is ended by clearing it, where the deployment lets guests do that; through the Platform
//! API, where the account may; or not at all, and that is said. A session that is to be resumed later is
//! never cleared or closed: that would take its history with it. As that may be what happens, the
//! history is read once more before the first of these is tried; the price is a request per leave.

use super::line::What;
use super::protocol::{Call, Protocol};
use super::reading::Purpose;
use super::state::{Leaving, Progress};
use super::trouble::Trouble;
use super::wire::Action;
use crate::carry::WEB_MESSAGING;
use crate::end::Observation;
use crate::outbox::Origin;
use crate::platform::PlatformError;
use crate::report::News;
use handoff_engine::account::SecondHandoff;
use handoff_engine::time::{Millis, Timestamp};

/// How long the last words and the way out may take together.
const AT_MOST: Millis = Millis::from_mins(2);

/// How often each way is tried.
const ATTEMPTS: u32 = 4;

impl Protocol {
    /// The user leaves.
    pub(super) fn leave(&mut self, now: Timestamp, news: &mut News) {
        if self.state.leaving != Leaving::No {
            return;
        }
        self.observe([Observation::LeaveAsked], news);
        self.state.leaving = Leaving::Farewell;
        self.leaving_since = Some(now);
        news.changed = true;
        let silent = |progress| progress == Progress::Silent;
        if self.state.talk().is_none_or(|talk| silent(talk.progress)) {
            // Nobody knows of it yet.
            return self.finish(Observation::Closed, news);
        }
        let farewell = self.state.farewell.clone();
        let outbox = &mut self.state.outbox;
        outbox.own(Origin::Farewell, &farewell, &WEB_MESSAGING);
    }

    /// Once the agent has been told, or cannot be, and what it said has been read, the conversation is
    /// ended.
    pub(super) fn leave_on(&mut self, now: Timestamp, news: &mut News) {
        let told = self.state.outbox.is_empty() && !self.line.awaits(&What::Part);
        let over = self.state.end.has_ended() || self.state.is_closing();
        if self.state.leaving != Leaving::Farewell || !told || over {
            return;
        }
        if !self.looked_back && self.is_readable() {
            self.looked_back = true;
            self.reading.want(now, Purpose::CatchUp { gaps: true });
        }
        if !self.reading.is_wanted() {
            self.next_way_to_leave(now, news);
        }
    }

    /// The conversation was ended through the Platform API. Its history is still there, and shows what
    /// an agent wrote in the same moment.
    pub(super) fn disconnected(&mut self, now: Timestamp, news: &mut News) {
        self.close(now);
        news.changed = true;
    }

    pub(super) fn leaving_deadline(&self) -> Option<Timestamp> {
        // Once the end is near, its own deadline counts.
        match self.state.leaving {
            Leaving::No => None,
            _ if self.state.is_closing() => None,
            _ => self.leaving_since.map(|since| since + AT_MOST),
        }
    }

    /// What takes too long is done without.
    pub(super) fn leaving_woke(&mut self, now: Timestamp, news: &mut News) {
        let over = self.state.end.has_ended() || self.state.is_closing();
        if self.state.leaving == Leaving::No || over {
            return;
        }
        // After a restart the time begins anew.
        let since = *self.leaving_since.get_or_insert(now);
        if now.since(since) < AT_MOST {
            return;
        }
        self.leaving_since = Some(now);
        self.line.answered();
        self.reading.stop();
        self.state.outbox.give_up_all("the user has left", news);
        self.next_way_to_leave(now, news);
    }

    /// What leaving takes on the socket.
    pub(super) fn next_leaving(&mut self, now: Timestamp) -> Option<Call> {
        match self.state.leaving {
            Leaving::Clear => self.next_clear(now),
            Leaving::Session => {
                let action = Action::CloseSession {
                    close_all_connections: true,
                };
                Some(self.ask(now, What::CloseSession, action))
            }
            Leaving::No | Leaving::Farewell | Leaving::Customer | Leaving::Everyone => None,
        }
    }

    pub(super) fn next_way_to_leave(&mut self, now: Timestamp, news: &mut News) {
        let mut way = self.state.leaving;
        loop {
            let next = match way {
                Leaving::No | Leaving::Farewell => Leaving::Clear,
                Leaving::Clear => Leaving::Customer,
                Leaving::Customer => Leaving::Everyone,
                Leaving::Everyone => {
                    self.stays_open(news);
                    Leaving::Session
                }
                Leaving::Session => return self.finish(Observation::Closed, news),
            };
            if self.can_leave_by(next) {
                self.state.leaving = next;
                self.leaving_since = Some(now);
                self.failures = 0;
                self.tracking.calm();
                news.changed = true;
                return;
            }
            way = next;
        }
    }

    fn can_leave_by(&self, way: Leaving) -> bool {
        let goes_on = self.site.tokens.second_handoff == SecondHandoff::Resume;
        let clears = self.state.talk().is_some_and(|talk| talk.deployment.clear);
        let tracked = &self.state.tracked;
        match way {
            Leaving::No | Leaving::Farewell => false,
            Leaving::Clear => clears && !goes_on && self.line.is_up(),
            Leaving::Customer => tracked.customer.is_some() && tracked.conversation.is_some(),
            Leaving::Everyone => tracked.conversation.is_some(),
            Leaving::Session => !goes_on && self.line.is_up(),
        }
    }

    fn stays_open(&mut self, news: &mut News) {
        let fix = if self.site.has_platform {
            "Its conversation could not be found or ended through the Platform API."
        } else {
            "Give the account an oauth-client, or allow guests to clear conversations in the Messenger configuration."
        };
        self.warn_once(
            "genesys.customer_not_disconnected",
            format!(
                "The user left and the agent was told, but the conversation may stay open at Genesys until its agent or a timeout closes it. {fix}"
            ),
            news,
        );
    }

    /// A way through the Platform API does not lead out.
    pub(super) fn leaving_failed(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        if matches!(trouble.platform(), Some(PlatformError::NotFound { .. })) {
            return self.finish(Observation::Closed, news);
        }
        if trouble.is_passing() && self.tracking.failures() < ATTEMPTS {
            return;
        }
        let last = self.state.leaving == Leaving::Everyone;
        if last {
            self.warn_once(
                "genesys.customer_not_disconnected",
                format!(
                    "The user left and the agent was told, but the conversation stays open at Genesys until its agent or a timeout closes it: {trouble}"
                ),
                news,
            );
        }
        self.next_way_to_leave(now, news);
    }
}
