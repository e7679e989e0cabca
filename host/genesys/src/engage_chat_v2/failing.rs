//! What a failure means: try again, look first, give up the text, or give up the chat.

use super::calls::Operation;
use super::protocol::Protocol;
use super::trouble::{Failure, Trouble, describe};
use super::wire::{ApiError, Envelope};
use crate::carry::Part;
use crate::end::Observation;
use crate::outbox::First;
use crate::report::News;
use crate::retry::Backoff;
use crate::split::length;
use handoff_engine::name::HandoffId;
use handoff_engine::time::{Millis, Timestamp};

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(30),
};

/// Chat Server drops a client it has not heard of for 300 s by default (PROTOCOLS 1.4); after that
/// there is nothing left to reach.
const GIVE_UP_AFTER: Millis = Millis::from_secs(300);

/// The error of a text that is longer than the site takes (PROTOCOLS 1.6).
const TOO_LONG: i64 = 204;

/// A site that finds so little too long takes nothing. UTF-16 units.
const SHORTEST: usize = 16;

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
            Operation::Refresh if ended => {
                news.notice(
                    "engage:unread",
                    "genesys.transcript_unread",
                    format!(
                        "The chat was over before its transcript was read to the end: {}. What was \
                         said last may be missing.",
                        describe(&envelope.errors)
                    ),
                );
                self.finish(Observation::Closed, news);
            }
            Operation::Refresh => {
                let why = describe(&envelope.errors);
                self.finish(
                    Observation::Failed(Trouble::ChatGone { why }.detail()),
                    news,
                );
            }
            Operation::Send if !ended && self.is_too_long(envelope) && self.send_shorter(news) => {}
            // The chat may be over; then this was not about the text. A refresh tells, and why.
            Operation::Send
            | Operation::UpdateData
            | Operation::FileLimits
            | Operation::Upload
            | Operation::ReadReceipt
                if ended =>
            {
                self.in_doubt = true;
            }
            Operation::FileLimits | Operation::Upload => {
                self.refused_file(None, &describe(&envelope.errors), news);
                self.in_doubt = true;
            }
            Operation::Download => {
                let why = describe(&envelope.errors);
                self.not_fetched(now, &Failure::NotKept { why }, news);
            }
            Operation::ReadReceipt => self.read_told(news),
            Operation::Send | Operation::UpdateData => {
                self.state
                    .outbox
                    .give_up_first(&describe(&envelope.errors), news);
                self.in_doubt = true;
            }
            Operation::Typing => {}
        }
        self.poll_at = now;
    }

    fn is_too_long(&self, envelope: &Envelope) -> bool {
        let limit = |error: &ApiError| error.code == TOO_LONG;
        envelope.errors.iter().any(limit)
    }

    /// The text that was sent is longer than the site takes: from now on half of it is the limit.
    /// False if it was short already.
    fn send_shorter(&mut self, news: &mut News) -> bool {
        let Some(First::Part(_, Part::Text(text))) = self.state.outbox.first() else {
            return false;
        };
        let limit = length(text) / 2;
        if limit < SHORTEST || !self.state.outbox.split_first(limit) {
            return false;
        }
        self.state.text_limit = limit;
        news.changed = true;
        true
    }

    /// No answer in the protocol's words, or one that says to try again.
    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        operation: Operation,
        failure: &Failure,
        news: &mut News,
    ) {
        match (operation, failure) {
            (Operation::Typing, _) => return,
            (Operation::Download, _) => return self.not_fetched(now, failure, news),
            (Operation::Upload, Failure::File(refusal)) => {
                return self.refused_file(Some(refusal.clone()), "", news);
            }
            (Operation::Upload | Operation::FileLimits, Failure::Status { status, .. })
                if is_about_the_request(*status) || matches!(status, 404 | 410) =>
            {
                self.in_doubt = true;
                return self.refused_file(None, &failure.to_string(), news);
            }
            (Operation::ReadReceipt, Failure::Status { status, .. })
                if is_about_the_request(*status) || matches!(status, 404 | 410) =>
            {
                return self.read_told(news);
            }
            (Operation::Send, Failure::Status { status: 413, .. }) if self.send_shorter(news) => {
                return;
            }
            (Operation::Send | Operation::UpdateData, Failure::Status { status, .. })
                if is_about_the_request(*status) =>
            {
                return self.state.outbox.give_up_first(&failure.to_string(), news);
            }
            _ => {}
        }
        let streak = self.trouble.get_or_insert(Streak {
            since: now,
            count: 0,
        });
        streak.count += 1;
        let streak = *streak;
        let wait = wait_after(failure, streak.count, &self.handoff);
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

/// How long to wait after a failure.
pub(super) fn wait_after(failure: &Failure, attempt: u32, handoff: &HandoffId) -> Millis {
    match failure {
        Failure::Status {
            retry_after: Some(secs),
            ..
        } => Millis::from_secs(*secs),
        _ => BACKOFF.after(attempt, handoff.as_str()),
    }
}

/// Whether an HTTP status blames what was sent, and not who sent it, where to, or how often.
fn is_about_the_request(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 403 | 404 | 408 | 410 | 429)
}
