//! The chat as a value: commands, answers and time in; requests, signals and deadlines out.
//!
//! One request is under way at a time. Whether a text arrived is decided by the transcript: after a
//! request whose outcome is unknown the next one is a refresh, and a text of ours found in it is not
//! sent again. The same rule, applied to the position in the handle, makes a resume safe. Only the
//! request that opens a chat cannot be looked up: if its answer is lost it is not repeated.

use super::calls::{Answer, Call, Chat, Operation, request_chat};
use super::failing::Streak;
use super::files::Fetch;
use super::transcript::Backlog;
use super::trouble::{Failure, Trouble, describe};
use super::wire::{Envelope, Status};
use crate::carry::{Carries, ENGAGE, Part};
use crate::driving;
use crate::echoes::Echoes;
use crate::end::{EndOfHandoff, Observation};
use crate::giving_up;
use crate::outbox::{First, Given, Origin, Outbox, Sent};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::content::Receipt;
use handoff_engine::handoff::{Signal, Tally, Target, TransferRequest};
use handoff_engine::name::{AccountName, HandoffId};
use handoff_engine::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::convert::Infallible;

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
pub(super) type Next = driving::Next<Call>;

/// The part that outlives a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) outbox: Outbox,
    pub(super) echoes: Echoes,
    pub(super) end: EndOfHandoff,
    pub(super) leaving: bool,
    /// The longest text the site takes, as far as known.
    pub(super) text_limit: usize,
    /// What the agent reads when the user has left; that the user left is shown by the chat itself.
    pub(super) farewell: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Phase {
    Requesting(Box<TransferRequest>),
    Open(Box<Chat>),
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
    /// What agents had said by the time the user left was asked for: after that nothing more comes.
    read_before_leaving: bool,
    pub(super) poll_at: Timestamp,
    /// Nothing is asked before this.
    pub(super) blocked_until: Timestamp,
    pub(super) trouble: Option<Streak>,
    /// What was read of the transcript and waits for a file before it to be fetched.
    pub(super) backlog: Backlog,
    pub(super) fetch: Option<Fetch>,
}

impl Protocol {
    pub(super) fn open(
        site: Site,
        handoff: HandoffId,
        request: TransferRequest,
        now: Timestamp,
    ) -> Self {
        let outbox = Outbox::hand_over(&request, &ENGAGE);
        let farewell = request.options.messages.farewell.clone();
        let state = State {
            phase: Phase::Requesting(Box::new(request)),
            outbox,
            echoes: Echoes::default(),
            end: EndOfHandoff::default(),
            leaving: false,
            text_limit: ENGAGE.text,
            farewell,
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
            read_before_leaving: false,
            poll_at: now,
            blocked_until: now,
            trouble: None,
            backlog: Backlog::default(),
            fetch: None,
        }
    }

    fn carries(&self) -> Carries {
        Carries {
            text: self.state.text_limit,
            ..ENGAGE
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
                let carries = self.carries();
                match self.state.outbox.say(id.clone(), input, &message, &carries) {
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
            Command::Receipt { message, receipt } => {
                if receipt == Receipt::Read {
                    self.has_read(&message, &mut news);
                }
            }
            Command::Leave => self.leave(&mut news),
        }
        self.settle_what_arrived(&mut news);
        // Before the chat is open there is nothing to resume, so nothing to report.
        if matches!(self.state.phase, Phase::Requesting(_)) {
            news.changed = false;
        }
        news
    }

    fn leave(&mut self, news: &mut News) {
        if std::mem::replace(&mut self.state.leaving, true) {
            return;
        }
        news.changed = true;
        self.observe([Observation::LeaveAsked], news);
        if matches!(self.state.phase, Phase::Requesting(_)) {
            return self.finish(Observation::Closed, news);
        }
        let farewell = self.state.farewell.take();
        if let Some(words) = farewell.filter(|_| self.state.end.connected_agent().is_some()) {
            let carries = self.carries();
            self.state.outbox.own(Origin::Farewell, &words, &carries);
        }
    }

    /// The user has read a message, by the id it was told with.
    fn has_read(&mut self, message: &str, news: &mut News) {
        let Phase::Open(chat) = &mut self.state.phase else {
            return;
        };
        let index = message
            .strip_prefix(chat.chat_id.as_str())
            .and_then(|rest| rest.strip_prefix(':')?.parse::<u64>().ok());
        if let Some(index) = index.filter(|index| *index > chat.read) {
            chat.read = index;
            news.changed = true;
        }
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        if self.state.end.has_ended() {
            return Next::Done;
        }
        if now < self.blocked_until {
            return Next::Wait(self.blocked_until);
        }
        match self.next_call(now) {
            Some(call) => Next::Call(call),
            None => Next::Wait(self.poll_at),
        }
    }

    /// What there is to ask or to say, most urgent first.
    fn next_call(&mut self, now: Timestamp) -> Option<Call> {
        let chat = match &self.state.phase {
            Phase::Requesting(request) => return Some(request_chat(request, &self.site)),
            Phase::Open(chat) => chat,
        };
        let download = self.next_download();
        if download.is_some() {
            return download;
        }
        if self.in_doubt {
            return Some(chat.refresh());
        }
        let outgoing = match self.state.outbox.first() {
            Some(First::Part(_, Part::File(file))) => self.next_upload(file),
            Some(First::Part(_, part)) => Some(chat.send(part.echo())),
            Some(First::Attributes(attributes)) => Some(chat.update_data(attributes)),
            None => None,
        };
        if outgoing.is_some() {
            return outgoing;
        }
        if chat.read_told < chat.read {
            return Some(chat.read_receipt());
        }
        if self.state.leaving && !std::mem::replace(&mut self.read_before_leaving, true) {
            return Some(chat.refresh());
        }
        if self.state.leaving {
            return Some(chat.call(Operation::Disconnect, "disconnect", []));
        }
        if let Some(on) = self.typing.take() {
            let path = if on { "startTyping" } else { "stopTyping" };
            return Some(chat.call(Operation::Typing, path, []));
        }
        (now >= self.poll_at).then(|| chat.refresh())
    }

    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        operation: Operation,
        answer: Result<Answer, Failure>,
    ) -> News {
        let mut news = News::default();
        match answer {
            Ok(Answer::Kept(file)) => self.fetched(file, &mut news),
            Ok(Answer::Envelope(envelope)) => match envelope.status_code {
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
                if let Some(Sent::Part(_, part)) = self.state.outbox.delivered_first(news) {
                    self.state.echoes.owe(part.echo().to_owned());
                }
            }
            Operation::UpdateData => {
                self.state.outbox.sent_first(news);
            }
            Operation::Refresh => self.in_doubt = false,
            Operation::FileLimits => self.limited(envelope, news),
            Operation::Upload => self.uploaded(news),
            Operation::ReadReceipt => self.read_told(news),
            Operation::Typing | Operation::Disconnect | Operation::Download => {}
        }
        self.poll_at = now + self.site.poll_interval;
        if operation == Operation::FileLimits {
            // Its message is the limits, and no part of the transcript.
            return;
        }
        self.read(now, operation, envelope, news);
        if operation == Operation::Disconnect {
            self.finish(Observation::Closed, news);
        }
    }

    /// The server knows how far the user has read, or does not care.
    pub(super) fn read_told(&mut self, news: &mut News) {
        if let Phase::Open(chat) = &mut self.state.phase {
            chat.read_told = chat.read;
            news.changed = true;
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
        self.state.phase = Phase::Open(Box::new(Chat {
            chat_id: chat_id.clone(),
            user_id: user_id.clone(),
            secure_key: secure_key.clone(),
            alias: envelope.alias.clone().unwrap_or_default(),
            position: 1,
            legs: BTreeMap::new(),
            limits: None,
            read: 0,
            read_told: 0,
            hole: None,
            tally: Tally::default(),
        }));
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
            if part.is_blank() {
                self.state.outbox.sent_first(news);
            } else if self.state.echoes.claim(part.echo()) {
                self.state.outbox.delivered_first(news);
            } else {
                break;
            }
        }
        self.refuse_files(news);
    }
}

impl driving::Protocol for Protocol {
    type State = State;
    type Call = Call;
    type Answer = Result<Answer, Failure>;
    type Event = Infallible;

    fn state(&self) -> &State {
        self.state()
    }

    fn command(&mut self, _now: Timestamp, command: Command) -> News {
        self.command(command)
    }

    fn event(&mut self, _now: Timestamp, event: Self::Event) -> News {
        match event {}
    }

    fn woke(&mut self, _now: Timestamp) -> News {
        News::default()
    }

    fn answer(&mut self, now: Timestamp, call: &Call, answer: Self::Answer) -> News {
        self.answer(now, call.operation, answer)
    }

    fn next(&mut self, now: Timestamp) -> Next {
        self.next(now)
    }
}
