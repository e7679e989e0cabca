//! What the user says, on its way to the agent: one message at a time, each until its echo has come.
//!
//! The echo is Genesys' acknowledgement and carries our tracing id. Where it does not come soon the
//! history is looked at; what is found there has arrived. Only what is not there long after is sent
//! again, because it may still be under way.

use super::line::{Awaited, What};
use super::protocol::{Call, Protocol};
use super::state::{Phase, Progress, State};
use super::trouble::Trouble;
use super::wire::{Action, Frame, GuestMessage, TooMany};
use crate::carry::Part;
use crate::echoes::is_blank;
use crate::outbox::First;
use crate::policy::{FileRefusal, refuse_first};
use crate::report::News;
use crate::split::length;
use handoff_engine::content::ChoiceKind;
use handoff_engine::time::{Millis, Timestamp};

/// Genesys takes two messages a second, events included (PROTOCOLS 3.10).
const PACE: Millis = Millis(550);

/// Genesys wants to be told no more often (PROTOCOLS 3.6).
const TYPING_EVERY: Millis = Millis::from_secs(5);

/// A message that Genesys does not take for this long is given up, with a notice.
const DELIVER_WITHIN: Millis = Millis::from_mins(2);

/// A text that is found too long is not made shorter than this.
const SHORTEST: usize = 16;

impl Protocol {
    pub(super) fn has_something_to_send(&self) -> bool {
        !self.state.outbox.is_empty() || self.typing || self.joins()
    }

    fn joins(&self) -> bool {
        self.state.talk().is_some_and(|talk| talk.join)
    }

    /// The next message: a `Join` where the deployment begins with one, then what is in the outbox.
    pub(super) fn next_outgoing(&mut self, now: Timestamp) -> Option<Call> {
        if now < self.next_message || !self.may_begin(now) {
            return None;
        }
        if self.joins() {
            let message = GuestMessage::presence("Join");
            return Some(self.post(now, What::Join, message, "join"));
        }
        let key = self.state.outbox.first_key()?;
        let First::Part(_, part) = self.state.outbox.first()? else {
            return None;
        };
        let message = match part {
            Part::Text(text) => GuestMessage::text(text),
            Part::Choice { choice, label } => {
                let kind = match choice.kind {
                    ChoiceKind::QuickReply => "QuickReply",
                    ChoiceKind::Button => "Button",
                    ChoiceKind::DatePicker => "DatePicker",
                };
                GuestMessage::button(kind, label, &choice.payload, &choice.message)
            }
            Part::File(file) => {
                let file = file.clone();
                match self.upload.ready() {
                    Some(id) => GuestMessage::attachment(id),
                    None => return self.next_upload(now, &file, &key),
                }
            }
        };
        self.first_tried.get_or_insert(now);
        self.reading.expect_echo(now);
        Some(self.post(now, What::Part, message, &key))
    }

    fn post(&mut self, now: Timestamp, what: What, message: GuestMessage, key: &str) -> Call {
        self.next_message = now + PACE;
        if let Some(talk) = self.state.talk_mut() {
            talk.progress = talk.progress.max(Progress::Begun);
        }
        let message = match what {
            What::Clear => message,
            _ => message.with(self.state.riding.clone()),
        };
        self.carried = message.attributes();
        let message = Box::new(message);
        let tracing = self.id_of(key);
        self.ask_as(now, what, Action::OnMessage { message }, tracing)
    }

    pub(super) fn next_typing(&mut self, now: Timestamp) -> Option<Call> {
        let allowed = self.state.talk().is_some_and(|talk| talk.deployment.typing);
        if !allowed || !self.state.is_opened() {
            self.typing = false;
        }
        if !self.typing || now < self.next_message {
            return None;
        }
        self.typing = false;
        let lately = |shown: Timestamp| now.since(shown) < TYPING_EVERY;
        if self.typing_shown.is_some_and(lately) {
            return None;
        }
        self.typing_shown = Some(now);
        self.next_message = now + PACE;
        let message = Box::new(GuestMessage::typing());
        Some(self.mention(Action::OnMessage { message }))
    }

    /// The clearing of the conversation, which goes as a message too.
    pub(super) fn next_clear(&mut self, now: Timestamp) -> Option<Call> {
        if now < self.next_message {
            return None;
        }
        let message = GuestMessage::presence("Clear");
        Some(self.post(now, What::Clear, message, "clear"))
    }

    /// Whether this echo is that of what is to be sent next, awaited or given up waiting for.
    pub(super) fn is_echo_of_first(&self, tracing: &str) -> bool {
        let first = self.state.outbox.first_key();
        first.is_some_and(|key| self.id_of(&key) == tracing)
    }

    /// What is first has arrived.
    pub(super) fn arrived(&mut self, news: &mut News) {
        if self.line.awaits(&What::Part) {
            self.line.answered();
        }
        self.first_tried = None;
        self.failures = 0;
        self.upload.done();
        let carried = std::mem::take(&mut self.carried);
        self.rode(&carried);
        self.opened(news);
        self.state.outbox.delivered_first(news);
    }

    /// Settles what needs no sending: what was found in the history, what is blank, which Genesys
    /// refuses, and files that are against the policy.
    pub(super) fn settle_what_needs_no_sending(&mut self, news: &mut News) {
        loop {
            match self.first_settles() {
                Settles::Not => return,
                Settles::Blank => {
                    self.state.outbox.sent_first(news);
                }
                Settles::Arrived => self.arrived(news),
                Settles::Refused(refusal) => self.refuse_file(&refusal, news),
            }
        }
    }

    fn first_settles(&mut self) -> Settles {
        let takes_files = self.takes_files();
        let under_way = self.line.awaits(&What::Part);
        let State { phase, outbox, .. } = &mut self.state;
        let (Phase::Open(talk), Some(First::Part(_, part))) = (phase, outbox.first()) else {
            return Settles::Not;
        };
        if is_blank(part.echo()) {
            return Settles::Blank;
        }
        if talk.echoes.claim(part.echo()) {
            return Settles::Arrived;
        }
        if under_way {
            return Settles::Not;
        }
        let Part::File(file) = part else {
            return Settles::Not;
        };
        let policy = &talk.limits.files;
        match policy.check(&file.name, &file.mime, file.size) {
            Err(refusal) => Settles::Refused(refusal),
            Ok(()) if takes_files => Settles::Not,
            Ok(()) => Settles::Refused(FileRefusal::Refused {
                name: file.name.clone(),
                why: "the deployment takes no attachments; turn them on in the Messenger configuration".to_owned(),
            }),
        }
    }

    fn takes_files(&self) -> bool {
        let attachments = self.state.talk().map(|talk| talk.deployment.attachments);
        attachments.unwrap_or(true)
    }

    pub(super) fn refuse_file(&mut self, refusal: &FileRefusal, news: &mut News) {
        self.upload.done();
        self.first_tried = None;
        self.failures = 0;
        refuse_first(&mut self.state.outbox, refusal, news);
    }

    /// Genesys refuses something, by its code.
    pub(super) fn refused(&mut self, now: Timestamp, frame: &Frame, news: &mut News) {
        let awaited = self.line.awaited().cloned();
        let words = frame.words();
        let code = frame.code;
        tracing::info!(handoff = %self.handoff, code, words, "Genesys refuses a request");
        let concerns = |awaited: &Awaited| {
            let tracing = frame.tracing_id.as_ref();
            tracing.is_none_or(|tracing| *tracing == awaited.tracing)
        };
        let what = awaited.filter(concerns).map(|awaited| awaited.what);
        if matches!(code, 401 | 4006 | 4007) {
            return self.session_gone(now, &Trouble::SessionExpired, news);
        }
        let trouble = match code {
            429 | 4029 => Trouble::RateLimited {
                retry_after: frame
                    .read::<TooMany>()
                    .and_then(|it| it.retry_after)
                    .map_or(Millis::from_secs(3), wait_of),
            },
            408 | 500..=599 | 5000 => Trouble::Unavailable { words, code },
            _ => Trouble::Refused {
                doing: "take the request",
                words,
                code,
            },
        };
        match what {
            Some(What::Session(_)) => {
                let trouble = match (code, trouble) {
                    (404, _) => Trouble::DeploymentUnknown {
                        deployment: self.site.deployment.clone(),
                    },
                    (403, Trouble::Refused { words, .. })
                        if words.to_lowercase().contains("authenticat") =>
                    {
                        Trouble::SignInRequired { words }
                    }
                    (403, Trouble::Refused { words, .. }) => Trouble::OriginRefused {
                        origin: format!("this host ({words})"),
                    },
                    (4000, _) => Trouble::DeploymentInactive {
                        deployment: self.site.deployment.clone(),
                    },
                    // The user of this session has signed in elsewhere; another token is free.
                    (4017, _) => return self.session_gone(now, &Trouble::SessionExpired, news),
                    (_, trouble) => trouble,
                };
                self.session_refused(now, &trouble, news);
            }
            Some(What::Jwt) => {
                self.line.answered();
                self.reading_failed(now, &trouble, news);
            }
            Some(What::Part) => self.part_refused(now, code, &trouble, news),
            Some(What::Join) => {
                self.line.answered();
                // A deployment may have been changed since: the first message does as well.
                if let (false, Some(talk)) = (trouble.is_passing(), self.state.talk_mut()) {
                    talk.join = false;
                }
                self.wait_out(now, &trouble);
            }
            Some(What::Offer | What::Upload) => {
                self.line.answered();
                self.upload_failed(&trouble, news);
            }
            Some(What::Clear | What::CloseSession) => {
                self.line.answered();
                if trouble.is_passing() {
                    self.wait_out(now, &trouble);
                } else {
                    self.next_way_to_leave(now, news);
                }
            }
            None if code == 403 => {
                // Only typing is sent without waiting for an answer.
                if let Some(talk) = self.state.talk_mut() {
                    talk.deployment.typing = false;
                    news.changed = true;
                }
            }
            None => self.wait_out(now, &trouble),
        }
    }

    fn part_refused(&mut self, now: Timestamp, code: i64, trouble: &Trouble, news: &mut News) {
        self.line.answered();
        let first = match self.state.outbox.first() {
            Some(First::Part(_, part)) => part.clone(),
            _ => return,
        };
        match (code, &first) {
            (409, _) => return self.close(now),
            (4013, _) => {
                self.leave_out_largest(news);
                return self.wait_out(now, trouble);
            }
            (4011, Part::Text(text)) => {
                let half = length(text) / 2;
                if half >= SHORTEST && self.state.outbox.split_first(half) {
                    news.changed = true;
                    return;
                }
            }
            (4001..=4005 | 4008..=4010, Part::File(file)) => {
                let refusal = FileRefusal::Refused {
                    name: file.name.clone(),
                    why: trouble.to_string().trim_end_matches('.').to_owned(),
                };
                return self.refuse_file(&refusal, news);
            }
            _ => {}
        }
        let long = |since: Timestamp| now.since(since) >= DELIVER_WITHIN;
        if trouble.is_passing() && !self.first_tried.is_some_and(long) {
            if matches!(trouble, Trouble::Unavailable { .. }) {
                // It may have arrived all the same.
                let purpose = super::reading::Purpose::CatchUp { gaps: false };
                self.reading.decide(now, purpose);
            }
            return self.wait_out(now, trouble);
        }
        self.first_tried = None;
        self.failures = 0;
        self.upload.done();
        self.state.outbox.give_up_first(&trouble.to_string(), news);
    }

    /// Nothing is sent until it may be taken again.
    fn wait_out(&mut self, now: Timestamp, trouble: &Trouble) {
        let wait = match trouble.retry_after() {
            // The end of a rate limit counts from when Genesys said so.
            Some(wait) => Millis(wait.0.saturating_add(50)),
            None if trouble.is_passing() => {
                self.failures += 1;
                super::line::BACKOFF.after(self.failures, self.handoff.as_str())
            }
            None => PACE,
        };
        self.next_message = self.next_message.max(now + wait);
        self.line.blocked_until = self.line.blocked_until.max(now + wait);
    }
}

/// A wait that Genesys asks for, in seconds. Longer than a day is a mistake.
pub(super) fn wait_of(seconds: u64) -> Millis {
    Millis::from_secs(seconds.min(24 * 60 * 60))
}

/// Whether what is first has to be sent.
enum Settles {
    Not,
    Blank,
    /// The history has shown it.
    Arrived,
    Refused(FileRefusal),
}
