//! What a failed call means: try again, look first, give up the text, or give up the handoff.

use super::calls::Call;
use super::protocol::Protocol;
use super::state::Phase;
use super::trouble::Trouble;
use crate::end::Observation;
use crate::outbox::{First, Origin};
use crate::platform::PlatformError;
use crate::report::News;
use crate::retry::Backoff;
use handoff_engine::time::{Millis, Timestamp};

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(60),
};

/// See `wait_after`.
const SPREAD: Millis = Millis::from_secs(1);

/// A text that cannot be delivered for this long is given up, with a notice.
const DELIVER_WITHIN: Millis = Millis::from_mins(2);

/// How often a handoff that does not open is tried: the user is waiting.
const START_ATTEMPTS: u32 = 4;

/// How often the same look is refused before that is final. Right after its opening a conversation
/// may not be known everywhere.
const LOOK_ATTEMPTS: u32 = 4;

/// How often a look fails before what waits for it is told without it: some three seconds.
const HOLD_ATTEMPTS: u32 = 3;

/// How often the look after the user has left is tried.
const LAST_LOOK_ATTEMPTS: u32 = 3;

/// A permission may be granted any time.
const LOOK_AGAIN: Millis = Millis::from_mins(10);

/// How often the farewell is tried: the user has left, and nobody waits for it.
const FAREWELL_ATTEMPTS: u32 = 3;

/// How often a name or a missed message is asked for before it is done without.
const READ_ATTEMPTS: u32 = 6;

impl Protocol {
    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        call: &Call,
        trouble: &Trouble,
        news: &mut News,
    ) {
        let passing = trouble.platform().is_some_and(PlatformError::is_passing);
        match call {
            Call::Typing { .. } => return,
            Call::EstimateWait { .. } => return self.wait.failed(now, !passing),
            _ => {}
        }
        self.failures += 1;
        tracing::warn!(
            handoff = %self.handoff, code = trouble.code(), attempt = self.failures, %trouble,
            "a call to Genesys Cloud failed"
        );
        if passing {
            self.blocked_until = now + self.wait_after(trouble);
        }
        match call {
            Call::FindIntegration { .. } | Call::FindQueue(_) => {
                self.start_failed(passing, trouble, news);
            }
            Call::Post { .. } if matches!(self.state.phase, Phase::Opening(_)) => {
                if is_conflict(trouble) {
                    self.blocked_until = now;
                    self.opened_before(news);
                } else {
                    self.start_failed(passing, trouble, news);
                }
            }
            Call::Post { .. } => self.post_failed(now, passing, trouble, news),
            Call::SetAttributes { .. } => {
                if !passing || self.tried_long_enough(now) {
                    self.give_up_first(&trouble.to_string(), news);
                }
            }
            Call::Look { .. } => self.look_failed(now, passing, trouble, news),
            Call::Read { message, .. } if !passing || self.failures >= READ_ATTEMPTS => {
                news.notice(
                    format!("message/{message}/unread"),
                    "genesys.message_not_read",
                    format!("A message of the agent's may be missing: {trouble}"),
                );
                self.read(message, None, news);
            }
            Call::Name(user) if !passing || self.failures >= READ_ATTEMPTS => {
                self.watch.named(now, user, None);
            }
            Call::Disconnect { .. } | Call::DisconnectAll { .. } => {
                self.leaving_failed(passing, self.failures, trouble, news);
            }
            Call::Confirm { .. } if !passing || self.failures >= READ_ATTEMPTS => {
                self.confirmed(news);
            }
            // The policy is asked for together with the file it is for; that is given up instead.
            Call::FilePolicy { .. } => self.post_failed(now, passing, trouble, news),
            Call::Read { .. }
            | Call::Name(_)
            | Call::Confirm { .. }
            | Call::EstimateWait { .. }
            | Call::Typing { .. } => {}
        }
    }

    /// How long to wait. The end of a rate limit is the same for all handoffs; they come back spread
    /// over a second.
    fn wait_after(&self, trouble: &Trouble) -> Millis {
        match trouble.platform() {
            Some(PlatformError::RateLimited { retry_after, .. }) => {
                let spread = Backoff {
                    first: SPREAD,
                    longest: SPREAD,
                };
                let spread = spread.after(self.failures, self.handoff.as_str());
                Millis(retry_after.0.saturating_add(spread.0))
            }
            _ => BACKOFF.after(self.failures, self.handoff.as_str()),
        }
    }

    fn start_failed(&mut self, passing: bool, trouble: &Trouble, news: &mut News) {
        if !passing || self.failures >= START_ATTEMPTS {
            self.finish(Observation::Failed(trouble.detail()), news);
        }
    }

    fn post_failed(&mut self, now: Timestamp, passing: bool, trouble: &Trouble, news: &mut News) {
        if trouble.platform().is_some_and(PlatformError::is_doubtful) {
            self.in_doubt = true;
        }
        if is_conflict(trouble) {
            // Its id was seen before: it has arrived.
            return self.delivered(news);
        }
        let farewell = matches!(
            self.state.outbox.first(),
            Some(First::Part(Origin::Farewell, _))
        );
        let enough = self.tried_long_enough(now) || farewell && self.failures >= FAREWELL_ATTEMPTS;
        if !passing || enough {
            self.give_up_first(&trouble.to_string(), news);
        }
    }

    fn look_failed(&mut self, now: Timestamp, passing: bool, trouble: &Trouble, news: &mut News) {
        if self.has_left() && (!passing || self.failures >= LAST_LOOK_ATTEMPTS) {
            return self.finish(Observation::Closed, news);
        }
        if passing {
            // Words are worth more than knowing who says them, but not for a single lost answer.
            if self.failures >= HOLD_ATTEMPTS {
                self.release_held(news);
            }
            return;
        }
        if self.failures < LOOK_ATTEMPTS {
            self.blocked_until = now + BACKOFF.after(self.failures, self.handoff.as_str());
            return;
        }
        if let Some(PlatformError::NotFound { .. }) = trouble.platform() {
            let why = trouble.to_string();
            let gone = Trouble::ConversationGone { why };
            return self.finish(Observation::Failed(gone.detail()), news);
        }
        self.go_blind(now, trouble, news);
    }

    /// The conversation may not be looked at. Texts still go both ways, so the handoff goes on; the
    /// permission may be granted meanwhile.
    fn go_blind(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        self.forget_failures();
        self.blind_until = now + LOOK_AGAIN;
        self.in_doubt = false;
        if !std::mem::replace(&mut self.state.unseen, true) {
            news.notice(
                "unseen",
                "genesys.conversation_not_visible",
                format!(
                    "Agents are not seen coming and going, and a close only if a trigger reports it: {trouble}"
                ),
            );
        }
        self.release_held(news);
        self.do_without_customer(news);
    }

    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
        self.blocked_until = Timestamp(0);
    }

    fn tried_long_enough(&self, now: Timestamp) -> bool {
        let long = |since: Timestamp| now.since(since) >= DELIVER_WITHIN;
        self.first_tried.is_some_and(long)
    }
}

fn is_conflict(trouble: &Trouble) -> bool {
    matches!(
        trouble.platform(),
        Some(PlatformError::Refused { status: 409, .. })
    )
}
