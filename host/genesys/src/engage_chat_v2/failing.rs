//! What a failure means: try again, look first, give up the text, or give up the chat.

use super::calls::Operation;
use super::protocol::Protocol;
use super::trouble::{Failure, Trouble, describe};
use super::wire::Envelope;
use crate::end::Observation;
use crate::report::News;
use crate::retry::Backoff;
use handoff_engine::time::{Millis, Timestamp};

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(30),
};

/// Chat Server drops a client it has not heard of for 300 s by default (PROTOCOLS 1.4); after that
/// there is nothing left to reach.
const GIVE_UP_AFTER: Millis = Millis::from_secs(300);

/// How often a chat that does not start is asked for again: the user is waiting.
const START_ATTEMPTS: u32 = 4;

/// How often leaving is tried before it is left to the server's own timeout.
const LEAVE_ATTEMPTS: u32 = 4;

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streak {
    since: Timestamp,
    count: u32,
}

impl Protocol {
    /// `statusCode` 2: repeating is useless.
    pub(super) fn refused(
        &mut self,
        now: Timestamp,
        operation: Operation,
        envelope: &Envelope,
        news: &mut News,
    ) {
        let ended = envelope.chat_ended == Some(true);
        match operation {
            Operation::RequestChat => {
                let trouble = Trouble::at_start(&envelope.errors);
                self.finish(Observation::Failed(trouble.detail()), news);
            }
            Operation::Disconnect => self.finish(Observation::Closed, news),
            Operation::Refresh if ended => self.finish(Observation::Closed, news),
            Operation::Refresh => {
                let why = describe(&envelope.errors);
                self.finish(
                    Observation::Failed(Trouble::ChatGone { why }.detail()),
                    news,
                );
            }
            // The chat may be over; then this was not about the text. A refresh tells, and why.
            Operation::Send | Operation::UpdateData if ended => self.in_doubt = true,
            Operation::Send | Operation::UpdateData => {
                self.state.outbox.give_up_first(&describe(&envelope.errors), news);
                self.in_doubt = true;
            }
            Operation::Typing => {}
        }
        self.poll_at = now;
    }

    /// No answer in the protocol's words, or one that says to try again.
    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        operation: Operation,
        failure: &Failure,
        news: &mut News,
    ) {
        if operation == Operation::Typing {
            return;
        }
        if let Failure::Status { status, .. } = failure
            && matches!(operation, Operation::Send | Operation::UpdateData)
            && is_about_the_request(*status)
        {
            self.state.outbox.give_up_first(&failure.to_string(), news);
            return;
        }
        let streak = self.trouble.get_or_insert(Streak {
            since: now,
            count: 0,
        });
        streak.count += 1;
        let streak = *streak;
        let wait = match failure {
            Failure::Status {
                retry_after: Some(secs),
                ..
            } => Millis::from_secs(*secs),
            _ => BACKOFF.after(streak.count, self.handoff.as_str()),
        };
        self.blocked_until = now + wait;
        self.in_doubt |=
            operation != Operation::RequestChat && !matches!(failure, Failure::NotSent { .. });
        tracing::warn!(
            handoff = %self.handoff, ?operation, %failure, attempt = streak.count, wait = %wait,
            "a request to Genesys Engage failed"
        );
        if self.state.leaving && streak.count >= LEAVE_ATTEMPTS {
            return self.finish(Observation::Closed, news);
        }
        if let Some(trouble) = self.verdict(now, operation, failure, streak) {
            self.finish(Observation::Failed(trouble.detail()), news);
        }
    }

    /// Whether a failure, after this many of them, is final.
    fn verdict(
        &self,
        now: Timestamp,
        operation: Operation,
        failure: &Failure,
        streak: Streak,
    ) -> Option<Trouble> {
        let starting = operation == Operation::RequestChat;
        let account = self.site.account.clone();
        match failure {
            Failure::Status {
                status: status @ (401 | 403),
                ..
            } => Some(Trouble::AccessRefused {
                account,
                status: *status,
            }),
            Failure::Status {
                status: status @ 400..=499,
                ..
            } if starting && *status != 408 && *status != 429 => Some(Trouble::ServiceUnknown {
                account,
                service: self.site.service.clone(),
                url: self.site.url.clone(),
                status: *status,
            }),
            Failure::Status {
                status: 404 | 410, ..
            } if streak.count >= 2 => Some(Trouble::ChatGone {
                why: failure.to_string(),
            }),
            // Asking again for a chat that may have been opened would open a second one.
            Failure::Unknown { .. }
            | Failure::Status {
                status: 500 | 504, ..
            } if starting => Some(Trouble::Unreachable {
                account,
                why: failure.to_string(),
            }),
            _ => {
                let enough = if starting {
                    streak.count >= START_ATTEMPTS
                } else {
                    now.since(streak.since) >= GIVE_UP_AFTER
                };
                enough.then(|| Trouble::Unreachable {
                    account,
                    why: failure.to_string(),
                })
            }
        }
    }
}

/// Whether an HTTP status blames what was sent, and not who sent it, where to, or how often.
fn is_about_the_request(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 403 | 404 | 408 | 410 | 429)
}
