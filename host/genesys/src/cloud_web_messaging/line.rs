//! The guest's socket: opened, configured for the session, kept alive, and opened again when lost.
//!
//! A socket that is lost is opened again with the same token for as long as the handoff is open; what
//! happened meanwhile is read from the history. Only where Genesys says that the session is gone, or
//! someone else's, that is believed.

use super::protocol::{Call, Protocol};
use super::state::{Phase, Progress};
use super::trouble::Trouble;
use super::wire::{Action, Frame, JourneyContext, SessionResponse};
use crate::end::Observation;
use crate::report::News;
use crate::retry::Backoff;
use handoff_engine::time::{Millis, Timestamp};

/// Genesys' own clients ping this often (PROTOCOLS 3.2).
const PING_EVERY: Millis = Millis::from_secs(15);

/// After three pings without anything heard the socket is dead.
const SILENCE: Millis = Millis::from_secs(50);

pub(super) const BACKOFF: Backoff = Backoff {
    first: Millis::from_secs(1),
    longest: Millis::from_secs(30),
};

/// How often a handoff that does not open is tried: the user is waiting.
const START_ATTEMPTS: u32 = 4;

/// How many tokens are tried whose sessions turn out to be expired.
const TOKENS: u32 = 8;

/// A lost connection is worth a notice after this long.
const OUTAGE: Millis = Millis::from_mins(1);

/// How the session is taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// As it is, or anew if there is none.
    Resume,
    /// It is closed first, because it takes no more.
    Close,
    /// Anew.
    Anew,
}

/// What an answer is awaited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Session(Start),
    Jwt,
    Join,
    /// The first part in the outbox.
    Part,
    /// An address to put a file.
    Offer,
    /// Word that an upload is complete.
    Upload,
    Clear,
    CloseSession,
}

impl What {
    pub(super) fn patience(&self) -> Millis {
        match self {
            Self::Upload => Millis::from_secs(30),
            _ => Millis::from_secs(10),
        }
    }

    fn doing(&self) -> &'static str {
        match self {
            Self::Session(_) => "configure the messaging session",
            Self::Jwt => "get a token for the history",
            Self::Join => "join the conversation",
            Self::Part => "send a message",
            Self::Offer | Self::Upload => "upload a file",
            Self::Clear => "clear the conversation",
            Self::CloseSession => "close the messaging session",
        }
    }
}

/// An answer that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    pub(super) what: What,
    pub(super) tracing: String,
    pub(super) until: Timestamp,
}

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// No socket; the next attempt is at `again`.
    Down { since: Timestamp, again: Timestamp },
    /// A socket, and no session yet.
    Open,
    /// The session is configured.
    Up,
}

/// The guest's connection.
#[derive(Debug)]
pub(super) struct Line {
    stands: Stands,
    start: Start,
    awaited: Option<Awaited>,
    heard: Timestamp,
    ping_due: Timestamp,
    failures: u32,
    /// Something may have happened that was not heard.
    missed: bool,
    /// Whether this outage was noted.
    noted: bool,
    /// Until then Genesys takes nothing.
    pub(super) blocked_until: Timestamp,
}

impl Line {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            stands: Stands::Down {
                since: now,
                again: now,
            },
            start: Start::Resume,
            awaited: None,
            heard: now,
            ping_due: now,
            failures: 0,
            missed: false,
            noted: false,
            blocked_until: Timestamp(0),
        }
    }

    pub(super) fn missed_something(&mut self) {
        self.missed = true;
    }

    pub(super) fn is_missing_something(&self) -> bool {
        self.missed
    }

    pub(super) fn heard(&mut self, now: Timestamp) {
        self.heard = now;
    }

    pub(super) fn opened(&mut self, now: Timestamp) {
        self.stands = Stands::Open;
        self.heard = now;
        self.ping_due = now + PING_EVERY;
    }

    pub(super) fn pinged(&mut self, now: Timestamp) {
        self.ping_due = now + PING_EVERY;
    }

    /// The session found takes no more: another begins.
    pub(super) fn start_anew(&mut self) {
        self.stands = Stands::Open;
        self.start = Start::Close;
    }

    pub(super) fn await_answer(&mut self, awaited: Awaited) {
        self.awaited = Some(awaited);
    }

    pub(super) fn awaited(&self) -> Option<&Awaited> {
        self.awaited.as_ref()
    }

    pub(super) fn awaits(&self, what: &What) -> bool {
        self.awaited().is_some_and(|it| it.what == *what)
    }

    /// The answer awaited has come.
    pub(super) fn answered(&mut self) -> Option<What> {
        self.awaited.take().map(|awaited| awaited.what)
    }

    pub(super) fn is_up(&self) -> bool {
        self.stands == Stands::Up
    }

    /// Whether there is a socket to be kept.
    pub(super) fn has_socket(&self) -> bool {
        !matches!(self.stands, Stands::Down { .. })
    }

    /// Whether something can be asked.
    pub(super) fn is_free(&self) -> bool {
        self.is_up() && self.awaited.is_none()
    }

    /// When something is due. What is overdue waits for something else that will come.
    pub(super) fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let awaited = self.awaited.as_ref().map(|awaited| awaited.until);
        let (one, other) = match self.stands {
            Stands::Down { since, again } => (again, since + OUTAGE),
            Stands::Open | Stands::Up => (self.ping_due, self.heard + SILENCE),
        };
        let own = [one, other].into_iter().filter(|at| *at > now);
        own.chain(awaited).min()
    }
}

impl Protocol {
    /// What the connection needs.
    pub(super) fn next_connection(&mut self, now: Timestamp) -> Option<Call> {
        match self.line.stands {
            Stands::Down { again, .. } if again <= now => return Some(Call::Connect),
            Stands::Down { .. } => return None,
            Stands::Open | Stands::Up if self.line.ping_due <= now => return Some(Call::Ping),
            Stands::Open | Stands::Up => {}
        }
        if self.line.stands == Stands::Up || self.line.awaited.is_some() {
            return None;
        }
        if now < self.line.blocked_until {
            return None;
        }
        let start = self.line.start;
        let action = match start {
            Start::Close => Action::CloseSession {
                close_all_connections: true,
            },
            Start::Resume | Start::Anew => Action::ConfigureSession {
                deployment_id: self.site.deployment.clone(),
                start_new: start == Start::Anew,
                journey_context: JourneyContext::of(self.state.guest.token()),
            },
        };
        Some(self.ask(now, What::Session(start), action))
    }

    /// Genesys tells how the session stands.
    pub(super) fn session_answered(&mut self, now: Timestamp, frame: &Frame, news: &mut News) {
        let Some(session) = frame.read::<SessionResponse>() else {
            return;
        };
        match self.line.awaited().map(|awaited| awaited.what.clone()) {
            Some(What::CloseSession) => {
                self.line.answered();
                self.finish(Observation::Closed, news);
            }
            Some(What::Session(Start::Close)) => {
                self.line.answered();
                self.line.start = Start::Anew;
            }
            Some(What::Session(start)) => {
                self.line.answered();
                self.session_configured(now, start, &session, news);
            }
            _ => tracing::debug!("a session answer nobody asked for"),
        }
    }

    fn session_configured(
        &mut self,
        now: Timestamp,
        start: Start,
        session: &SessionResponse,
        news: &mut News,
    ) {
        if session.read_only && start == Start::Anew {
            return self.fail(&Trouble::ReadOnly, news);
        }
        self.line.stands = Stands::Up;
        self.line.start = Start::Resume;
        self.line.failures = 0;
        self.line.noted = false;
        self.reading.connected(now);
        let Some(progress) = self.state.talk().map(|talk| talk.progress) else {
            return self.session_found(now, session, news);
        };
        if session.new_session && progress == Progress::Opened {
            // Ours is gone, and with it everything in it.
            return self.session_gone(now, &Trouble::SessionExpired, news);
        }
        if std::mem::take(&mut self.line.missed) && progress > Progress::Silent {
            self.reading
                .decide(now, super::reading::Purpose::CatchUp { gaps: false });
        }
        if session.read_only {
            self.close(now);
        }
    }

    /// The session cannot be gone on with. Before anything was said another one will do.
    pub(super) fn session_gone(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        if self.state.is_closing() {
            return self.finish(Observation::Closed, news);
        }
        let opened = self.state.is_opened();
        let replaceable = matches!(trouble, Trouble::SessionExpired) && !opened;
        if !replaceable || self.line.failures >= TOKENS {
            return self.fail(trouble, news);
        }
        tracing::info!(handoff = %self.handoff, "the session found has expired; another begins");
        self.line.failures += 1;
        self.line.answered();
        if self.line.stands == Stands::Up {
            self.line.stands = Stands::Open;
        }
        self.reading.stop();
        // The same token first: a user's history is found under it.
        if self.line.start == Start::Resume {
            self.line.start = Start::Anew;
        } else {
            self.state.guest = self.site.tokens.renew(&self.state.guest);
            self.line.start = Start::Resume;
        }
        self.line.blocked_until = now;
        news.changed = true;
    }

    /// The socket is gone, or as good as gone.
    pub(super) fn lost(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        if !trouble.is_passing() {
            return self.fail(trouble, news);
        }
        self.line.failures += 1;
        if matches!(self.state.phase, Phase::Opening(_)) && self.line.failures >= START_ATTEMPTS {
            return self.fail(trouble, news);
        }
        tracing::warn!(
            handoff = %self.handoff, code = trouble.code(), attempt = self.line.failures, %trouble,
            "no connection to Genesys"
        );
        let wait = trouble
            .retry_after()
            .unwrap_or_else(|| BACKOFF.after(self.line.failures, self.handoff.as_str()));
        let since = match self.line.stands {
            Stands::Down { since, .. } => since,
            Stands::Open | Stands::Up => now,
        };
        self.line.stands = Stands::Down {
            since,
            again: now + wait,
        };
        self.line.start = Start::Resume;
        self.line.missed = true;
        let interrupted = self.line.answered();
        self.interrupted(interrupted.as_ref());
    }

    /// Whatever was under way on the socket is not any more.
    fn interrupted(&mut self, what: Option<&What>) {
        self.upload.interrupted();
        self.reading.interrupted();
        if what == Some(&What::Join) {
            // Whether it arrived does not matter: the first message carries the same.
            if let Some(talk) = self.state.talk_mut() {
                talk.join = false;
            }
        }
    }

    pub(super) fn line_woke(&mut self, now: Timestamp, news: &mut News) {
        if let Some(awaited) = self.line.awaited().cloned()
            && awaited.until <= now
        {
            self.no_answer(now, &awaited.what, news);
        }
        if self.state.end.has_ended() {
            return;
        }
        match self.line.stands {
            Stands::Open | Stands::Up if now.since(self.line.heard) >= SILENCE => {
                let doing = "keep the connection";
                self.lost(now, &Trouble::NoAnswer { doing }, news);
            }
            Stands::Down { since, .. }
                if self.state.is_opened() && !self.line.noted && now.since(since) >= OUTAGE =>
            {
                self.line.noted = true;
                news.notice(
                    format!("outage/{}", since.0),
                    "genesys.connection_lost",
                    "There has been no connection to Genesys for a minute. It is tried again for as long as it takes; messages wait until then.".to_owned(),
                );
            }
            _ => {}
        }
    }

    fn no_answer(&mut self, now: Timestamp, what: &What, news: &mut News) {
        let doing = what.doing();
        match what {
            // Nothing works without it.
            What::Session(_) => return self.lost(now, &Trouble::NoAnswer { doing }, news),
            What::Jwt => self.reading_failed(now, &Trouble::NoAnswer { doing }, news),
            What::Join => self.interrupted(Some(&What::Join)),
            // It may have arrived: the history tells.
            What::Part => self
                .reading
                .decide(now, super::reading::Purpose::CatchUp { gaps: true }),
            What::Offer => self.upload_failed(&Trouble::NoAnswer { doing }, news),
            // Genesys refuses the message if it is not complete.
            What::Upload => self.upload.complete(),
            What::Clear | What::CloseSession => self.next_way_to_leave(now, news),
        }
        self.line.answered();
    }

    /// The session is not configured, for this reason.
    pub(super) fn session_refused(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        self.line.answered();
        if !trouble.is_passing() {
            return self.fail(trouble, news);
        }
        self.line.failures += 1;
        if matches!(self.state.phase, Phase::Opening(_)) && self.line.failures >= START_ATTEMPTS {
            return self.fail(trouble, news);
        }
        let wait = trouble
            .retry_after()
            .unwrap_or_else(|| BACKOFF.after(self.line.failures, self.handoff.as_str()));
        self.line.blocked_until = now + wait;
    }

    /// A call failed that the beginning needs.
    pub(super) fn preparation_failed(
        &mut self,
        now: Timestamp,
        trouble: &Trouble,
        news: &mut News,
    ) {
        self.failures += 1;
        if !trouble.is_passing() || self.failures >= START_ATTEMPTS {
            return self.fail(trouble, news);
        }
        let wait = trouble
            .retry_after()
            .unwrap_or_else(|| BACKOFF.after(self.failures, self.handoff.as_str()));
        self.line.blocked_until = now + wait;
    }
}
