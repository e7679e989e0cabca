//! The session's history: what was missed while nobody listened, and what became of what was sent.
//!
//! It is read after a connection was lost, when an echo does not come, before a handoff ends, and now
//! and then, because a frame that is lost is not sent again. Pages come newest first; they are read
//! until something known shows.

use super::guest_api::PAGE_SIZE;
use super::line::{BACKOFF, What};
use super::protocol::{Call, Protocol};
use super::trouble::Trouble;
use super::wire::{Action, Direction, Jwt, Kind, Page, StructuredMessage};
use crate::order::Places;
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};

/// Between looks at the history while nothing happens, doubling from the first to the second.
const FIRST_CHECK: Millis = Millis::from_secs(30);
const AT_MOST: Millis = Millis::from_mins(5);

/// After this an echo is looked for in the history: what is said next waits for it.
const ECHO_WITHIN: Millis = Millis::from_secs(2);

/// How far back a session's earlier conversations are read for what nobody has told.
const PAGES_BEFORE: u32 = 3;

/// How far back a handoff is read for what was missed.
const PAGES: u32 = 20;

/// How often a history that is refused is asked for.
const ATTEMPTS: u32 = 4;

/// A token that expires within this is replaced.
const EARLY: Millis = Millis::from_secs(30);

const UNREADABLE: &str = "genesys.history_unreadable";

/// What the history is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What was said before this handoff.
    Before,
    /// What was missed of it.
    CatchUp {
        /// Whether what is found was lost by the platform, and not by our not listening.
        gaps: bool,
    },
}

/// Reading under way, and when the next one is due.
#[derive(Debug, Default)]
pub(super) struct Reading {
    wanted: Option<Purpose>,
    /// It tells what became of what was sent: until then nothing else is.
    decides: bool,
    /// Newest first.
    found: Vec<StructuredMessage>,
    page: u32,
    attempts: u32,
    again: Timestamp,
    jwt: Option<(String, Timestamp)>,
    check: Option<(Timestamp, Millis)>,
    due: bool,
}

impl Reading {
    pub(super) fn want(&mut self, now: Timestamp, purpose: Purpose) {
        let purpose = match (self.wanted, purpose) {
            // What was missed because nobody listened is no gap.
            (Some(Purpose::CatchUp { gaps: false }), Purpose::CatchUp { .. }) => {
                Purpose::CatchUp { gaps: false }
            }
            (Some(Purpose::Before), _) => Purpose::Before,
            _ => purpose,
        };
        *self = Self {
            wanted: Some(purpose),
            decides: self.holds_up(),
            page: 1,
            again: now,
            jwt: self.jwt.take(),
            check: self.check,
            ..Self::default()
        };
    }

    /// As [`Reading::want`], where something that was sent may have arrived or not.
    pub(super) fn decide(&mut self, now: Timestamp, purpose: Purpose) {
        self.want(now, purpose);
        self.decides = true;
    }

    /// Whether nothing may be sent until it is done.
    pub(super) fn holds_up(&self) -> bool {
        self.decides && self.is_wanted()
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.is_some()
    }

    pub(super) fn stop(&mut self) {
        self.wanted = None;
        self.jwt = None;
    }

    /// The connection was lost in the middle.
    pub(super) fn interrupted(&mut self) {
        self.found.clear();
        self.page = 1;
    }

    /// The connection stands from now on.
    pub(super) fn connected(&mut self, now: Timestamp) {
        self.check = Some((now + FIRST_CHECK, FIRST_CHECK));
    }

    /// Something came; the next one to be lost may be the one after it.
    pub(super) fn lively(&mut self, now: Timestamp) {
        if self.check.is_some() {
            self.connected(now);
        }
    }

    /// Something was sent; if nothing comes of it for a while, its echo was lost. A look that does not
    /// find it decides nothing: it may still be under way.
    pub(super) fn expect_echo(&mut self, now: Timestamp) {
        if self.check.is_some() {
            self.check = Some((now + ECHO_WITHIN, FIRST_CHECK));
        }
    }

    /// A check may be due.
    pub(super) fn woke(&mut self, now: Timestamp) {
        if let Some((at, pace)) = self.check
            && at <= now
        {
            let pace = Millis(pace.0 * 2).min(AT_MOST);
            self.check = Some((now + pace, pace));
            self.due = true;
        }
    }

    pub(super) fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let check = self.check.map(|(at, _)| at);
        let again = Some(self.again).filter(|at| *at > now);
        check.into_iter().chain(again).min()
    }
}

impl Protocol {
    /// Whether the history can be read now, as far as is known.
    pub(super) fn can_read(&self) -> bool {
        self.line.is_up() && self.is_readable()
    }

    /// Whether Genesys gives the history, as far as is known.
    pub(super) fn is_readable(&self) -> bool {
        !self.state.warned.contains(UNREADABLE)
    }

    /// What the history takes.
    pub(super) fn next_reading(&mut self, now: Timestamp) -> Option<Call> {
        if std::mem::take(&mut self.reading.due)
            && self.reading.wanted.is_none()
            && self.state.is_opened()
        {
            self.reading.want(now, Purpose::CatchUp { gaps: true });
        }
        if now < self.reading.again {
            return None;
        }
        let good = |(_, expires): &&(String, Timestamp)| *expires > now + EARLY;
        let jwt = self.reading.jwt.as_ref().filter(good);
        match (self.reading.wanted, jwt) {
            (Some(_), Some((jwt, _))) => Some(Call::History {
                jwt: jwt.clone(),
                page: self.reading.page,
            }),
            (Some(_), None) if self.line.is_free() => {
                Some(self.ask(now, What::Jwt, Action::GetJwt))
            }
            // In good time: a session that takes no more may give none.
            (None, None)
                if self.line.is_free()
                    && self.state.is_opened()
                    && !self.has_something_to_send() =>
            {
                Some(self.ask(now, What::Jwt, Action::GetJwt))
            }
            _ => None,
        }
    }

    pub(super) fn jwt_came(&mut self, now: Timestamp, jwt: Jwt) {
        if self.line.awaits(&What::Jwt) {
            self.line.answered();
        }
        // It is used at least once, whatever it says of itself.
        let expires = Timestamp(jwt.exp.saturating_mul(1000));
        let expires = expires.max(now + EARLY + EARLY);
        self.reading.jwt = Some((jwt.jwt, expires));
    }

    pub(super) fn page_read(&mut self, now: Timestamp, page: Page, news: &mut News) {
        let Some(purpose) = self.reading.wanted else {
            return;
        };
        let full = page.entities.len() >= PAGE_SIZE;
        let more = page
            .page_count
            .map_or(full, |count| self.reading.page < count);
        let enough = match purpose {
            Purpose::Before => self.reading.page >= PAGES_BEFORE,
            Purpose::CatchUp { .. } => {
                self.reading.page >= PAGES || page.entities.iter().any(|it| self.is_known(it))
            }
        };
        self.reading.found.extend(page.entities);
        if more && !enough {
            self.reading.page += 1;
            return;
        }
        self.reading.wanted = None;
        let mut history = std::mem::take(&mut self.reading.found);
        history.reverse();
        history.sort_by_key(StructuredMessage::time);
        match purpose {
            Purpose::Before => self.read_before(now, &history, news),
            Purpose::CatchUp { gaps } => self.catch_up(now, history, gaps, news),
        }
    }

    /// Whether a message came before, or is from before this handoff.
    fn is_known(&self, message: &StructuredMessage) -> bool {
        let Some(talk) = self.state.talk() else {
            return false;
        };
        let before = |since: Timestamp| message.time().is_some_and(|at| at <= since);
        talk.order.knows(&message.key()) || talk.since.is_some_and(before)
    }

    /// Takes in what had not come, oldest first.
    fn catch_up(
        &mut self,
        now: Timestamp,
        history: Vec<StructuredMessage>,
        gaps: bool,
        news: &mut News,
    ) {
        // What was said in the same millisecond is told in the history's order.
        let places = Places::of(history.iter().map(|it| (it.key(), it.time())));
        let place = |message: &StructuredMessage| places.place(&message.key(), message.time());
        let unknown: Vec<_> = history
            .into_iter()
            .filter(|it| !self.is_known(it))
            .collect();
        let mut over = None;
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        let mut missed = Vec::new();
        for message in unknown {
            if !talk.order.remember(&message.key()) {
                continue;
            }
            match (message.direction, message.kind) {
                (Direction::Inbound, Kind::Text | Kind::Structured) => {
                    talk.echoes.seen(&message.echo());
                }
                (Direction::Outbound, Kind::Text | Kind::Structured) => missed.push(message),
                (Direction::Outbound, Kind::Event) if message.has_presence("Disconnect") => {
                    over = Some(message);
                }
                _ => continue,
            }
            news.changed = true;
        }
        if gaps {
            talk.order.count_gap(missed.len() as u64);
        }
        self.settle_what_needs_no_sending(news);
        if !missed.is_empty() {
            let Some(talk) = self.state.talk_mut() else {
                return;
            };
            // What waits for its turn may belong between them.
            missed.extend(talk.order.flush());
            missed.sort_by_key(place);
            self.tell_all(now, missed, news);
        }
        self.tell_all_due(now, news);
        if let Some(end) = over {
            self.hear_disconnect(now, &end, news);
        }
    }

    /// The history cannot be had.
    pub(super) fn reading_failed(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        let Some(purpose) = self.reading.wanted else {
            // It was asked for in good time; the next time is good as well.
            self.reading.again = now + FIRST_CHECK;
            return;
        };
        self.reading.attempts += 1;
        if matches!(trouble, Trouble::Refused { code: 401, .. }) {
            self.reading.jwt = None;
        }
        let attempts = self.reading.attempts;
        let wait = trouble
            .retry_after()
            .unwrap_or_else(|| BACKOFF.after(attempts, self.handoff.as_str()));
        self.reading.again = now + wait;
        // The user waits for the beginning; the end has a limit of its own.
        let in_the_way = purpose == Purpose::Before;
        let hopeless = matches!(trouble, Trouble::Refused { code: 409, .. });
        if !hopeless && (attempts < ATTEMPTS || (trouble.is_passing() && !in_the_way)) {
            return;
        }
        self.reading.wanted = None;
        self.reading.jwt = None;
        self.warn_once(
            UNREADABLE,
            format!(
                "What was said while the connection was lost may be missing, because the history cannot be read: {trouble}"
            ),
            news,
        );
        if purpose == Purpose::Before {
            self.read_before(now, &[], news);
        }
        self.tell_all_due(now, news);
    }
}
