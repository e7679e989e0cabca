//! The chat as a value: commands, answers and time in; requests, signals and deadlines out.
//!
//! One request is under way at a time. Whether a text arrived is decided by the transcript: after a
//! request whose outcome is unknown the next one is a refresh, and a text of ours found in it is not
//! sent again. The same rule, applied to the position in the handle, makes a resume safe.

use super::trouble::{Failure, Trouble, describe};
use super::wire::{Envelope, Event, EventKind, Form, ParticipantKind, Status};
use crate::attributes::attributes;
use crate::echoes::{Echoes, is_blank};
use crate::end::{Departure, EndOfHandoff, LegId, Observation, UNNAMED_AGENT};
use crate::outbox::{Given, Outbox, Outgoing};
use crate::report::News;
use crate::retry::Backoff;
use crate::transport::Command;
use handoff_engine::handoff::{Agent, IdentityField, Signal, Target, TransferRequest};
use handoff_engine::name::{AccountName, HandoffId};
use handoff_engine::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

/// What the protocol needs to know about the account.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) account: AccountName,
    pub(super) url: String,
    pub(super) service: String,
    pub(super) queue_attribute: String,
    pub(super) poll_interval: Millis,
}

/// A request to GMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// After the base address; empty for the base itself.
    pub(super) path: String,
    pub(super) form: Form,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    RequestChat,
    Refresh,
    Send,
    UpdateData,
    Typing,
    Disconnect,
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
    phase: Phase,
    outbox: Outbox,
    echoes: Echoes,
    end: EndOfHandoff,
    leaving: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Phase {
    Requesting(Box<TransferRequest>),
    Open(Chat),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chat {
    chat_id: String,
    user_id: String,
    secure_key: String,
    /// Names the server instance, and may change with every answer.
    alias: String,
    /// The index of the first event not yet seen.
    position: u64,
    /// The leg of each participant who is an agent and has not left.
    legs: BTreeMap<i64, LegId>,
}

/// One chat.
#[derive(Debug)]
pub(super) struct Protocol {
    site: Site,
    handoff: HandoffId,
    state: State,
    typing: Option<bool>,
    /// Look at the transcript before sending anything.
    in_doubt: bool,
    poll_at: Timestamp,
    /// Nothing is asked before this.
    blocked_until: Timestamp,
    trouble: Option<Streak>,
}

/// Failures in a row.
#[derive(Clone, Copy, Debug)]
struct Streak {
    since: Timestamp,
    count: u32,
}

impl Protocol {
    pub(super) fn open(
        site: Site,
        handoff: HandoffId,
        request: TransferRequest,
        now: Timestamp,
    ) -> Self {
        let mut outbox = Outbox::default();
        if let Some(text) = request.opening_text.clone().filter(|text| !is_blank(text)) {
            outbox.say(None, text);
        }
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
            Command::Say { id, text } => match self.state.outbox.say(Some(id.clone()), text) {
                Given::Queued => news.changed = true,
                Given::Known => {}
                Given::Settled => news.settled.push(id),
            },
            Command::SetAttributes(attributes) => {
                self.state.outbox.attributes(attributes);
                news.changed = true;
            }
            Command::Typing { on } => self.typing = Some(on),
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
            Some(Outgoing::Say { text, .. }) => return Next::Call(chat.send(text)),
            Some(Outgoing::Attributes(attributes)) => {
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
                if let Some(Outgoing::Say { id, text }) = self.state.outbox.settle_first() {
                    news.settled.extend(id);
                    self.state.echoes.owe(text);
                }
            }
            Operation::UpdateData => {
                self.state.outbox.settle_first();
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

    /// Takes in the transcript part of an answer.
    fn read(&mut self, envelope: &Envelope, news: &mut News) {
        let Phase::Open(chat) = &mut self.state.phase else {
            return;
        };
        if let Some(alias) = &envelope.alias
            && *alias != chat.alias
        {
            chat.alias.clone_from(alias);
            news.changed = true;
        }
        let from = chat.position;
        let mut events: Vec<_> = envelope
            .messages
            .iter()
            .filter(|event| event.index >= from)
            .collect();
        events.sort_by_key(|event| event.index);
        events.dedup_by_key(|event| event.index);
        let after_last = events.last().map_or(from, |event| event.index + 1);
        let position = envelope.next_position.unwrap_or(0).max(after_last);
        news.changed |= position != from;
        chat.position = position;

        let ended = envelope.chat_ended == Some(true);
        let mut over = ended;
        for event in events {
            over |= self.happened(event, ended, news);
        }
        if over {
            self.finish(Observation::Closed, news);
        }
    }

    /// Takes in one event; true if it means that the chat is over.
    fn happened(&mut self, event: &Event, ended: bool, news: &mut News) -> bool {
        let key = format!("engage:{}", event.index);
        match (event.from.kind, event.kind) {
            (ParticipantKind::Client, EventKind::Message) => {
                self.state
                    .echoes
                    .seen(event.text.as_deref().unwrap_or_default());
            }
            (ParticipantKind::Client, EventKind::ParticipantLeft) => {
                if self.state.end.connected_agent().is_some() {
                    self.observe([Observation::CustomerGone], news);
                }
                return true;
            }
            (ParticipantKind::Client, _) => {}
            (ParticipantKind::Agent, EventKind::ParticipantJoined) => {
                self.agent_joined(event, news);
            }
            (ParticipantKind::Agent, EventKind::ParticipantLeft) => {
                self.agent_left(event, ended, news);
            }
            (_, EventKind::Message | EventKind::PushUrl) => {
                if let Some(text) = event.text.clone().filter(|text| !text.is_empty()) {
                    news.tell(key, self.message(event, text));
                }
            }
            (_, EventKind::TypingStarted) => news.tell(key, Signal::Typing { on: true }),
            (_, EventKind::TypingStopped) => news.tell(key, Signal::Typing { on: false }),
            (_, EventKind::FileUploaded) => news.notice(
                key,
                "genesys.file_not_carried",
                format!(
                    "{} sent {}, which this transport does not carry to the user.",
                    name_of(event),
                    file_of(event)
                ),
            ),
            (_, EventKind::Notice | EventKind::CustomNotice | EventKind::IdleAlert) => {
                if let Some(text) = event.text.clone().filter(|text| !text.is_empty()) {
                    news.notice(key, "genesys.platform_notice", text);
                }
            }
            (
                _,
                EventKind::ParticipantJoined
                | EventKind::ParticipantLeft
                | EventKind::NicknameUpdated
                | EventKind::FileDeleted
                | EventKind::IdleClose
                | EventKind::Unknown,
            ) => {}
        }
        false
    }

    fn agent_joined(&mut self, event: &Event, news: &mut News) {
        let participant = participant_of(event);
        let leg = LegId::new(format!("{participant}@{}", event.index));
        if let Phase::Open(chat) = &mut self.state.phase {
            chat.legs.insert(participant, leg.clone());
        }
        let agent = agent_of(event);
        self.observe([Observation::Connected { leg, agent }], news);
    }

    /// An agent left. Unless the chat ended with it, the conversation was passed on, and without
    /// another agent in it the user waits again.
    fn agent_left(&mut self, event: &Event, ended: bool, news: &mut News) {
        let participant = participant_of(event);
        let leg = match &mut self.state.phase {
            Phase::Open(chat) => chat.legs.remove(&participant),
            Phase::Requesting(_) => None,
        };
        let leg = leg.unwrap_or_else(|| LegId::new(participant.to_string()));
        let departure = if ended {
            Departure::Disconnected
        } else {
            Departure::Transferred
        };
        let gone = Observation::Gone {
            leg,
            agent: Some(agent_of(event)),
            departure,
        };
        self.observe([gone], news);
        if !ended && self.state.end.connected_agent().is_none() {
            let key = format!("engage:{}", event.index);
            self.observe([Observation::Queued { key, queue: None }], news);
        }
    }

    fn message(&self, event: &Event, text: String) -> Signal {
        let chat = match &self.state.phase {
            Phase::Open(chat) => chat.chat_id.as_str(),
            Phase::Requesting(_) => "",
        };
        let person = matches!(
            event.from.kind,
            ParticipantKind::Agent | ParticipantKind::Supervisor
        );
        Signal::Message {
            message_id: format!("{chat}:{}", event.index),
            from: person.then(|| agent_of(event)),
            text,
            at: Timestamp(event.utc_time.unwrap_or_default()),
        }
    }

    /// `statusCode` 2: repeating is useless.
    fn refused(
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
                self.give_up_first(&describe(&envelope.errors), news);
                self.in_doubt = true;
            }
            Operation::Typing => {}
        }
        self.poll_at = now;
    }

    /// No answer in the protocol's words, or one that says to try again.
    fn failed(&mut self, now: Timestamp, operation: Operation, failure: &Failure, news: &mut News) {
        if operation == Operation::Typing {
            return;
        }
        if let Failure::Status { status, .. } = failure
            && matches!(operation, Operation::Send | Operation::UpdateData)
            && is_about_the_request(*status)
        {
            self.give_up_first(&failure.to_string(), news);
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

    fn observe(&mut self, batch: impl IntoIterator<Item = Observation>, news: &mut News) {
        self.state.end.observe_into(batch, news);
    }

    /// Ends the handoff. What can no longer be sent is said before the end.
    fn finish(&mut self, last: Observation, news: &mut News) {
        self.settle_what_arrived(news);
        while self.state.outbox.first().is_some() {
            self.give_up_first("the chat is over", news);
        }
        self.observe([last], news);
    }

    /// Settles what comes first as undeliverable.
    fn give_up_first(&mut self, why: &str, news: &mut News) {
        match self.state.outbox.settle_first() {
            Some(Outgoing::Say { id, text }) => {
                let key = match &id {
                    Some(id) => format!("say/{id}/not_delivered"),
                    None => "opening/not_delivered".to_owned(),
                };
                news.notice(
                    key,
                    "genesys.message_not_delivered",
                    format!(
                        "A message of {} characters from the user did not reach the agent: {why}.",
                        text.chars().count()
                    ),
                );
                news.settled.extend(id);
            }
            Some(Outgoing::Attributes(attributes)) => {
                let names: Vec<_> = attributes.keys().map(String::as_str).collect();
                let names = names.join(", ");
                news.notice(
                    format!("attributes/{names}/not_delivered"),
                    "genesys.attributes_not_delivered",
                    format!("The attributes {names} did not reach the agent: {why}."),
                );
            }
            None => {}
        }
        news.changed = true;
    }

    /// Settles the texts that need no sending: those found in the transcript, and blank ones, which
    /// Genesys refuses.
    fn settle_what_arrived(&mut self, news: &mut News) {
        while let Some(Outgoing::Say { text, .. }) = self.state.outbox.first() {
            if !is_blank(text) && !self.state.echoes.claim(text) {
                return;
            }
            if let Some(Outgoing::Say { id, .. }) = self.state.outbox.settle_first() {
                news.settled.extend(id);
                news.changed = true;
            }
        }
    }
}

impl Chat {
    fn call<const N: usize>(
        &self,
        operation: Operation,
        path: &str,
        fields: [(&str, String); N],
    ) -> Call {
        let mut form = vec![
            ("userId".to_owned(), self.user_id.clone()),
            ("secureKey".to_owned(), self.secure_key.clone()),
            ("alias".to_owned(), self.alias.clone()),
        ];
        form.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        Call {
            operation,
            path: format!("/{}/{path}", self.chat_id),
            form,
        }
    }

    fn refresh(&self) -> Call {
        let position = ("transcriptPosition", self.position.to_string());
        self.call(Operation::Refresh, "refresh", [position])
    }

    fn send(&self, text: &str) -> Call {
        let position = ("transcriptPosition", self.position.to_string());
        let message = ("message", text.to_owned());
        self.call(Operation::Send, "send", [message, position])
    }

    fn update_data(&self, attributes: &BTreeMap<String, String>) -> Call {
        let mut call = self.call(Operation::UpdateData, "updateData", []);
        call.form.extend(user_data(attributes));
        call
    }
}

/// Whether an HTTP status blames what was sent, and not who sent it, where to, or how often.
fn is_about_the_request(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 403 | 404 | 408 | 410 | 429)
}

fn request_chat(request: &TransferRequest, site: &Site) -> Call {
    let identity = &request.options.identity;
    let fields = [
        ("nickname", &identity.nickname),
        ("firstName", &identity.first_name),
        ("lastName", &identity.last_name),
        ("emailAddress", &identity.email_address),
        ("subject", &request.options.subject),
    ];
    let mut form: Form = fields
        .into_iter()
        .filter_map(|(name, value)| {
            let value = value.clone().filter(|value| !value.is_empty())?;
            Some((name.to_owned(), value))
        })
        .collect();
    let unnamed = [IdentityField::Mobile, IdentityField::ExternalId];
    let attributes = attributes(request, &site.queue_attribute, &unnamed);
    form.extend(user_data(&attributes));
    Call {
        operation: Operation::RequestChat,
        path: String::new(),
        form,
    }
}

fn user_data(attributes: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    attributes
        .iter()
        .map(|(name, value)| (format!("userData[{name}]"), value.clone()))
}

fn participant_of(event: &Event) -> i64 {
    event.from.participant_id.unwrap_or_default()
}

fn name_of(event: &Event) -> &str {
    let name = event.from.nickname.as_deref();
    name.filter(|name| !name.is_empty())
        .unwrap_or(UNNAMED_AGENT)
}

fn agent_of(event: &Event) -> Agent {
    Agent {
        id: None,
        name: name_of(event).to_owned(),
    }
}

fn file_of(event: &Event) -> String {
    let name = event
        .user_data
        .as_ref()
        .and_then(|data| data.get("file-name"))
        .and_then(|name| name.as_str());
    name.map_or_else(|| "a file".to_owned(), |name| format!("the file '{name}'"))
}
