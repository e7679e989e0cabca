//! What a failed request means: try again, read first, give up the text, or give up the handoff.

use super::protocol::{Call, Protocol};
use super::trouble::{Failure, Trouble};
use crate::end::Observation;
use crate::platform::QueueError;
use crate::report::News;
use crate::retry::Backoff;
use handoff_engine::time::{Millis, Timestamp};

const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(30),
};

/// The end of a rate limit is the same for all handoffs; they come back spread over a second.
const SPREAD: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(1),
};

/// How often a chat that does not start is asked for: the user is waiting.
const START_ATTEMPTS: u32 = 4;

/// How often the same question is refused before that is final.
const READ_ATTEMPTS: u32 = 4;

/// A text that cannot be delivered for this long is given up, with a notice.
const DELIVER_WITHIN: Millis = Millis::from_mins(10);

/// A server out of reach for this long is not expected back.
const GIVE_UP_AFTER: Millis = Millis::from_mins(15);

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streak {
    since: Timestamp,
    count: u32,
}

impl Streak {
    fn extend(streak: &mut Option<Self>, now: Timestamp) -> Self {
        let streak = streak.get_or_insert(Self {
            since: now,
            count: 0,
        });
        streak.count += 1;
        *streak
    }
}

impl Protocol {
    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        call: &Call,
        failure: &Failure,
        news: &mut News,
    ) {
        match call {
            Call::Typing => return,
            Call::EstimatedWait(_) => return self.wait.failed(now, !failure.is_passing()),
            _ => {}
        }
        let mut streak = Streak::extend(&mut self.streak, now);
        if matches!(call, Call::Post(_) | Call::SetAttributes(_)) {
            streak = Streak::extend(&mut self.sending, now);
        }
        tracing::warn!(
            handoff = %self.handoff, %failure, attempt = streak.count,
            "a request to Genesys Cloud failed"
        );
        if failure.is_passing() {
            self.blocked_until = now + self.wait_after(failure, streak);
        }
        match call {
            Call::FindQueue(_) => self.queue_not_found(failure, streak, news),
            Call::Create(_) => self.not_created(failure, streak, news),
            Call::Leave => self.not_left(now, failure, streak.count, news),
            Call::SetAttributes(_) => {
                if !failure.is_passing() || now.since(streak.since) >= DELIVER_WITHIN {
                    self.give_up_first(failure, news);
                }
            }
            _ if self.leaves_anyway(streak.count) => self.leave_in_a_hurry(failure, news),
            _ if self.is_final(now, failure, news) => {}
            Call::Post(_) => self.not_posted(now, failure, streak, news),
            Call::Members { .. } | Call::Messages { .. } => {
                self.not_read(now, call, failure, streak, news);
            }
            Call::Typing | Call::EstimatedWait(_) => {}
        }
    }

    fn wait_after(&self, failure: &Failure, streak: Streak) -> Millis {
        let seed = self.handoff.as_str();
        match failure.retry_after() {
            Some(wait) => Millis(wait.0.saturating_add(SPREAD.after(streak.count, seed).0)),
            None => BACKOFF.after(streak.count, seed),
        }
    }

    /// Looking the queue up is a courtesy of accounts with an OAuth client: only a queue that is not
    /// there ends the handoff, not that it could not be looked for.
    fn queue_not_found(&mut self, failure: &Failure, streak: Streak, news: &mut News) {
        match failure {
            Failure::Queue(error) if !matches!(error, QueueError::Platform(_)) => {
                let trouble = Trouble::Queue(error.clone());
                self.finish(Observation::Failed(trouble.detail()), news);
            }
            _ if failure.is_passing() && streak.count < START_ATTEMPTS => {}
            Failure::Queue(QueueError::Platform(error)) | Failure::Platform(error) => {
                news.notice(
                    "queue/not_checked",
                    error.code(),
                    format!(
                        "Whether the queue exists could not be checked before the chat was opened: {error}"
                    ),
                );
                self.queue_checked();
            }
            _ => self.queue_checked(),
        }
    }

    fn not_created(&mut self, failure: &Failure, streak: Streak, news: &mut News) {
        let account = self.site.account.clone();
        let trouble = match failure {
            Failure::Refused(why) => Trouble::at_start(&account, &self.state.queue.name, why),
            _ if streak.count < START_ATTEMPTS => return,
            _ => Trouble::Unreachable {
                account,
                why: failure.to_string(),
            },
        };
        self.finish(Observation::Failed(trouble.detail()), news);
    }

    /// Whether a failure ends the handoff whatever the request was.
    fn is_final(&mut self, now: Timestamp, failure: &Failure, news: &mut News) -> bool {
        let trouble = match failure.refusal() {
            Some(why) if why.is_about_the_token() => Trouble::TokenExpired { why: why.clone() },
            Some(_) => return false,
            None => {
                let since = self.streak.map(|streak| streak.since);
                if since.is_none_or(|since| now.since(since) < GIVE_UP_AFTER) {
                    return false;
                }
                Trouble::Unreachable {
                    account: self.site.account.clone(),
                    why: failure.to_string(),
                }
            }
        };
        if self.state.leaving {
            self.leave_without_a_word(failure, news);
        } else {
            self.finish(Observation::Failed(trouble.detail()), news);
        }
        true
    }

    fn not_posted(&mut self, now: Timestamp, failure: &Failure, streak: Streak, news: &mut News) {
        self.in_doubt |= failure.is_doubtful();
        if failure.is_passing() {
            if now.since(streak.since) >= DELIVER_WITHIN {
                self.give_up_first(failure, news);
            }
            return;
        }
        // The chat may be over; then this was not about the text. A reading tells, and why.
        let elsewhere = failure
            .refusal()
            .is_some_and(|why| why.is_about_the_end() || matches!(why.status, 403 | 404));
        self.in_doubt |= elsewhere;
        if !elsewhere || streak.count >= READ_ATTEMPTS {
            self.give_up_first(failure, news);
        }
    }

    fn not_read(
        &mut self,
        now: Timestamp,
        call: &Call,
        failure: &Failure,
        streak: Streak,
        news: &mut News,
    ) {
        let Some(why) = failure.refusal() else {
            // What has come by itself need not wait for what cannot be read.
            if streak.count >= READ_ATTEMPTS {
                self.do_without_names(now, news);
            }
            return self.release(now, news);
        };
        if why.is_about_the_end() || self.gone {
            return self.finish(Observation::Closed, news);
        }
        if let Call::Messages { after: Some(_) } = call
            && let Some(chat) = self.chat_mut()
        {
            // Perhaps only the message to begin after is no longer known. What is known is not told
            // again.
            chat.read_to = None;
        }
        if streak.count < READ_ATTEMPTS {
            self.blocked_until = now + BACKOFF.after(streak.count, self.handoff.as_str());
            self.reading.read_now(now);
            return;
        }
        let why = why.clone();
        let trouble = Trouble::ChatGone { why };
        self.finish(Observation::Failed(trouble.detail()), news);
    }

    fn give_up_first(&mut self, why: &Failure, news: &mut News) {
        self.sending = None;
        self.state.outbox.give_up_first(&why.to_string(), news);
    }
}
