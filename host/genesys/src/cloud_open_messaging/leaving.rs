//! How the user leaves: as well as the OAuth client's permissions allow.
//!
//! Open Messaging has no way to say that a user left. An agent who is there is told in words; then the
//! customer's part is ended, where that is not permitted everyone's, and where neither is, whoever can
//! grant the permission is told in a notice, and whoever takes the conversation reads those words.

use super::calls::Call;
use super::protocol::Protocol;
use super::state::{Leaving, Phase, Talk};
use super::trouble::Trouble;
use crate::carry::OPEN_MESSAGING;
use crate::end::Observation;
use crate::outbox::Origin;
use crate::platform::PlatformError;
use crate::report::News;
use handoff_engine::handoff::FAREWELL;
use handoff_engine::time::Timestamp;

/// How often each way is tried.
const ATTEMPTS: u32 = 4;

impl Protocol {
    /// The user leaves.
    pub(super) fn leave(&mut self, news: &mut News) {
        if self.state.leaving != Leaving::No {
            return;
        }
        self.state.leaving = Leaving::Customer;
        news.changed = true;
        self.observe([Observation::LeaveAsked], news);
        if let Phase::Opening(opening) = &self.state.phase
            && !opening.may_be_open()
        {
            self.finish(Observation::Closed, news);
        }
        if self.state.end.connected_agent().is_some() {
            // The agent may have closed a moment ago. Words in a conversation that is over would open it
            // again, with nobody in it.
            self.in_doubt = true;
            self.say_farewell();
        }
        self.leave_unknown_conversation();
    }

    pub(super) fn next_leaving(&self, talk: &Talk, now: Timestamp) -> Option<Call> {
        let conversation = talk.conversation.clone();
        match self.state.leaving {
            Leaving::No | Leaving::Farewell | Leaving::Left => None,
            Leaving::Customer => {
                let conversation = conversation?;
                Some(match talk.customer.clone() {
                    Some(participant) => Call::Disconnect {
                        conversation,
                        participant,
                    },
                    None if self.is_blind(now) => Call::DisconnectAll { conversation },
                    None => Call::Look { conversation },
                })
            }
            Leaving::Everyone => Some(Call::DisconnectAll {
                conversation: conversation?,
            }),
        }
    }

    /// The conversation is ended. One more look shows what agents had said that has not come yet.
    pub(super) fn left(&mut self, now: Timestamp, news: &mut News) {
        if self.is_blind(now) || self.conversation().is_none() {
            return self.finish(Observation::Closed, news);
        }
        self.state.leaving = Leaving::Left;
        self.watch.look_now(now);
        news.changed = true;
    }

    /// Whether the user has left, and only what had been said is still to be told.
    pub(super) fn has_left(&self) -> bool {
        self.state.leaving == Leaving::Left
    }

    pub(super) fn leaving_failed(
        &mut self,
        passing: bool,
        attempts: u32,
        trouble: &Trouble,
        news: &mut News,
    ) {
        if matches!(trouble.platform(), Some(PlatformError::NotFound { .. })) {
            return self.finish(Observation::Closed, news);
        }
        if passing && attempts < ATTEMPTS {
            return;
        }
        self.next_way_to_leave(trouble, news);
    }

    fn next_way_to_leave(&mut self, trouble: &Trouble, news: &mut News) {
        self.state.leaving = match self.state.leaving {
            Leaving::No | Leaving::Farewell | Leaving::Left => return,
            Leaving::Customer => Leaving::Everyone,
            Leaving::Everyone => {
                news.notice(
                    "leaving/not_disconnected",
                    "genesys.customer_not_disconnected",
                    format!(
                        "The user left, but the conversation stays open at Genesys until its agent or a timeout closes it: {trouble}"
                    ),
                );
                if self.state.end.connected_agent().is_none() {
                    self.say_farewell();
                }
                Leaving::Farewell
            }
        };
        self.forget_failures();
        news.changed = true;
    }

    fn say_farewell(&mut self) {
        let words = self.state.farewell.as_deref().unwrap_or(FAREWELL);
        let outbox = &mut self.state.outbox;
        outbox.own(Origin::Farewell, words, &OPEN_MESSAGING);
    }

    /// Without the conversation's id there is no part to end; the agent can still be told.
    pub(super) fn leave_unknown_conversation(&mut self) {
        let Phase::Open(talk) = &self.state.phase else {
            return;
        };
        if talk.conversation.is_none() && self.state.leaving == Leaving::Customer {
            self.say_farewell();
            self.state.leaving = Leaving::Farewell;
        }
    }

    /// Without a customer's part to end, everyone's is ended.
    pub(super) fn leave_without_customer(&mut self) {
        if self.state.leaving == Leaving::Customer {
            self.state.leaving = Leaving::Everyone;
        }
    }

    /// Once the agent has been told, or cannot be, there is nothing left to do.
    pub(super) fn said_farewell(&mut self, news: &mut News) {
        if self.state.leaving == Leaving::Farewell && self.state.outbox.is_empty() {
            self.finish(Observation::Closed, news);
        }
    }
}
