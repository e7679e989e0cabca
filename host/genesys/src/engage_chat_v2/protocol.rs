//! The chat as a value: commands, answers and time in; requests, signals and deadlines out.
//!
//! One request is under way at a time. Whether a text arrived is decided by the transcript: after a
//! request whose outcome is unknown the next one is a refresh, and a text of ours found in it is not
//! sent again. The same rule, applied to the position in the handle, makes a resume safe.

use super::calls::{Call, Chat, Operation, request_chat};
use super::failing::Streak;
use super::trouble::{Failure, Trouble, describe};
use super::wire::{Envelope, Status};
use crate::echoes::{Echoes, is_blank};
use crate::end::{EndOfHandoff, Observation};
use crate::carry::ENGAGE;
use crate::giving_up;
use crate::outbox::{First, Given, Outbox, Sent};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::{Signal, Target, TransferRequest};
use handoff_engine::name::{AccountName, HandoffId};
use handoff_engine::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the protocol needs to know about the account.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) account: AccountName,
    pub(super) url: String,
    pub(super) service: String,
    pub(super) queue_attribute: String,
    pub(super) poll_interval: Millis,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Call(Call),
    /// Nothing until then, unless a command comes.
    Wait(Timestamp),
    /// The handoff is over.
    Done,
}

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) outbox: Outbox,
    pub(super) echoes: Echoes,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    Requesting(Box<TransferRequest>),
    Open(Chat),
}

/// One chat.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) site: Site,
    pub(super) handoff: HandoffId,
    pub(super) state: State,
    typing: Option<bool>,
    /// Look at the transcript before sending anything.
    pub(super) in_doubt: bool,
    pub(super) poll_at: Timestamp,
    /// Nothing is asked before this.
    pub(super) blocked_until: Timestamp,
    pub(super) trouble: Option<Streak>,
}

impl Protocol {
    pub(super) fn open(
        site: Site,
        handoff: HandoffId,
        request: TransferRequest,
        now: Timestamp,
    ) -> Self {
        let outbox = Outbox::hand_over(&request, &ENGAGE);
        let state = State {
            phase: Phase::Requesting(Box::new(request)),
            outbox,
            echoes: Echoes::default(),
            end: EndOfHandoff::default(),
            leaving: false,
        };
        Self::new(site, handoff, state, now)
    }

    pub(super) fn resume(site: Site, handoff: HandoffId, state: State, now: Timestamp) -> Self {
        let mut protocol = Self::new(site, handoff, state, now);
        protocol.in_doubt = true;
        protocol
    }

    fn new(site: Site, handoff: HandoffId, state: State, now: Timestamp) -> Self {
        Self {
            site,
            handoff,
            state,
            typing: None,
            in_doubt: false,
            poll_at: now,
            blocked_until: now,
            trouble: None,
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn command(&mut self, command: Command) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        match command {
            Command::Say { id, message, input } => {
                match self.state.outbox.say(id.clone(), input, &message, &ENGAGE) {
                    Given::Queued => news.changed = true,
                    Given::Known => {}
                    Given::Settled => news.settled.push(id),
                }
            }
            Command::SetAttributes(attributes) => {
                self.state.outbox.attributes(attributes);
                news.changed = true;
            }
            Command::Typing { on } => self.typing = Some(on),
            Command::Receipt { .. } => {}
            Command::Leave => {
                self.state.leaving = true;
                news.changed = true;
                self.observe([Observation::LeaveAsked], &mut news);
                if matches!(self.state.phase, Phase::Requesting(_)) {
                    self.finish(Observation::Closed, &mut news);
                }
            }
        }
        self.settle_what_arrived(&mut news);
        // Before the chat is open there is nothing to resume, so nothing to report.
        if matches!(self.state.phase, Phase::Requesting(_)) {
            news.changed = false;
        }
        news
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        if self.state.end.has_ended() {
            return Next::Done;
        }
        if now < self.blocked_until {
            return Next::Wait(self.blocked_until);
        }
        let chat = match &self.state.phase {
            Phase::Requesting(request) => return Next::Call(request_chat(request, &self.site)),
            Phase::Open(chat) => chat,
        };
        if self.in_doubt {
            return Next::Call(chat.refresh());
        }
        match self.state.outbox.first() {
            Some(First::Part(_, part)) => return Next::Call(chat.send(part.echo())),
            Some(First::Attributes(attributes)) => {
                return Next::Call(chat.update_data(attributes));
            }
            None => {}
        }
        if self.state.leaving {
            return Next::Call(chat.call(Operation::Disconnect, "disconnect", []));
        }
        if let Some(on) = self.typing.take() {
            let path = if on { "startTyping" } else { "stopTyping" };
            return Next::Call(chat.call(Operation::Typing, path, []));
        }
        if now < self.poll_at {
            return Next::Wait(self.poll_at);
        }
        Next::Call(chat.refresh())
    }

    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        operation: Operation,
        answer: Result<Envelope, Failure>,
    ) -> News {
        let mut news = News::default();
        match answer {
            Ok(envelope) => match envelope.status_code {
                Status::Ok => self.done(now, operation, &envelope, &mut news),
                Status::Transient => {
                    let why = describe(&envelope.errors);
                    self.failed(now, operation, &Failure::Transient { why }, &mut news);
                }
                Status::Permanent => self.refused(now, operation, &envelope, &mut news),
            },
            Err(failure) => self.failed(now, operation, &failure, &mut news),
        }
        self.settle_what_arrived(&mut news);
        news
    }

    fn done(&mut self, now: Timestamp, operation: Operation, envelope: &Envelope, news: &mut News) {
        self.trouble = None;
        match operation {
            Operation::RequestChat => self.opened(envelope, news),
            Operation::Send => {
                if let Some(Sent::Part(_, part)) = self.state.outbox.sent_first(news) {
                    self.state.echoes.owe(part.echo().to_owned());
                }
            }
            Operation::UpdateData => {
                self.state.outbox.sent_first(news);
            }
            Operation::Refresh => self.in_doubt = false,
            Operation::Typing | Operation::Disconnect => {}
        }
        news.changed |= matches!(operation, Operation::Send | Operation::UpdateData);
        self.poll_at = now + self.site.poll_interval;
        self.read(envelope, news);
        if operation == Operation::Disconnect {
            self.finish(Observation::Closed, news);
        }
    }

    fn opened(&mut self, envelope: &Envelope, news: &mut News) {
        let Phase::Requesting(request) = &self.state.phase else {
            return;
        };
        let queue = match &request.target {
            Target::Queue(name) => Some(name.clone()),
            Target::AnyAgent => None,
        };
        let (Some(chat_id), Some(user_id), Some(secure_key)) =
            (&envelope.chat_id, &envelope.user_id, &envelope.secure_key)
        else {
            let errors = "its answer has no chatId, userId and secureKey".to_owned();
            let trouble = Trouble::StartRefused { errors };
            return self.finish(Observation::Failed(trouble.detail()), news);
        };
        self.state.phase = Phase::Open(Chat {
            chat_id: chat_id.clone(),
            user_id: user_id.clone(),
            secure_key: secure_key.clone(),
            alias: envelope.alias.clone().unwrap_or_default(),
            position: 1,
            legs: BTreeMap::new(),
        });
        let conversation = Some(chat_id.clone());
        news.tell("engage:opened", Signal::Opened { conversation });
        let key = "engage:opened".to_owned();
        self.observe([Observation::Queued { key, queue }], news);
    }

    pub(super) fn observe(
        &mut self,
        batch: impl IntoIterator<Item = Observation>,
        news: &mut News,
    ) {
        self.state.end.observe_into(batch, news);
    }

    /// Ends the handoff. What can no longer be sent is said before the end.
    pub(super) fn finish(&mut self, last: Observation, news: &mut News) {
        self.settle_what_arrived(news);
        let State { outbox, end, .. } = &mut self.state;
        giving_up::finish(outbox, end, last, news);
    }

    /// Settles the texts that need no sending: those found in the transcript, and blank ones, which
    /// Genesys refuses.
    pub(super) fn settle_what_arrived(&mut self, news: &mut News) {
        if matches!(self.state.phase, Phase::Requesting(_)) {
            return;
        }
        while let Some(First::Part(_, part)) = self.state.outbox.first() {
            let echo = part.echo();
            if !is_blank(echo) && !self.state.echoes.claim(echo) {
                return;
            }
            self.state.outbox.sent_first(news);
        }
    }
}
