//! The handoff as a value: commands, frames, answers and time in; requests, signals and deadlines out.
//!
//! One request is under way on the socket at a time, so texts arrive in the order given and each is
//! known to have arrived before the next. What keeps the socket is in `line`, what is sent in `sending`
//! and `uploading`, what comes in in `hearing`, what was missed in `reading`, the Platform API's view in
//! `tracking`, beginning and end in `opening`, `closing` and `leaving`; this file decides what is next.

use super::line::{Awaited, Line, What};
use super::reading::Reading;
use super::state::{Phase, Progress, State};
use super::token::Tokens;
use super::tracking::Tracking;
use super::trouble::Trouble;
use super::uploading::Upload;
use super::wire::{Action, Configuration, Frame, Page, Request};
use crate::carry::WEB_MESSAGING;
use crate::driving;
use crate::following::{Snapshot, Subject};
use crate::media::File;
use crate::outbox::Given;
use crate::platform::conversations::Conversation;
use crate::report::News;
use crate::transport::Command;
use crate::unreadable::unreadable;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::name::HandoffId;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use uuid::Uuid;

/// The custom attribute by which the conversation is found through the Platform API.
pub(super) const HANDOFF_ATTRIBUTE: &str = "handoff.id";

/// What a handoff has to know of its account.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) deployment: String,
    pub(super) queue_attribute: String,
    pub(super) tokens: Tokens,
    /// Whether there is an OAuth client.
    pub(super) has_platform: bool,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    /// The deployment's configuration.
    Configuration,
    /// A queue by its exact name.
    FindQueue(String),
    /// All queues there are to be seen.
    ListQueues,
    /// The guest's socket.
    Connect,
    /// A text frame.
    Send(Box<Request>),
    /// A ping frame.
    Ping,
    /// A page of the history, counted from 1.
    History { jwt: String, page: u32 },
    /// A file's bytes.
    ReadFile(String),
    /// A file to the address Genesys gave.
    Put {
        url: String,
        headers: BTreeMap<String, String>,
        file: File,
    },
    /// The conversation with everyone in it.
    Look { conversation: String },
    /// A user's name.
    Name(String),
    /// How long the queue may take.
    EstimatedWait { queue: String },
    /// Attributes of the customer participant.
    SetAttributes {
        conversation: String,
        participant: String,
        attributes: BTreeMap<String, String>,
    },
    /// The end of the customer's part.
    Disconnect {
        conversation: String,
        participant: String,
    },
    /// The end of everyone's part.
    DisconnectAll { conversation: String },
}

/// What a call came to.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Configuration(Box<Configuration>),
    /// The queues' ids.
    Queues(Vec<String>),
    Page(Box<Page>),
    File(File),
    Conversation(Box<Conversation>),
    Name(Option<String>),
    Wait(Option<Millis>),
    Done,
}

/// What happens without our asking.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A text frame came.
    Frame(String),
    /// The other side is there.
    Alive,
    /// The socket is gone.
    Lost { why: String },
    /// Something happened to the conversation.
    Changed,
    /// A conversation of the queue changed.
    Seen(Arc<Snapshot>),
    /// From now on the Platform API's events come; what happened before may have been missed.
    Followed,
    /// None come, for this reason.
    Unfollowed { why: String },
}

/// What to do next.
pub(super) type Next = driving::Next<Call>;

/// One handoff.
#[derive(Debug)]
pub(super) struct Protocol {
    pub(super) handoff: HandoffId,
    pub(super) site: Site,
    pub(super) state: State,
    pub(super) line: Line,
    pub(super) reading: Reading,
    pub(super) tracking: Tracking,
    pub(super) upload: Upload,
    /// The user types, and when that was last shown.
    pub(super) typing: bool,
    pub(super) typing_shown: Option<Timestamp>,
    /// When the agent's typing is over, and what began it.
    pub(super) agent_typing: Option<(Timestamp, String)>,
    /// The last typing that was heard, against repeats.
    pub(super) typing_heard: VecDeque<String>,
    /// Genesys takes two messages a second.
    pub(super) next_message: Timestamp,
    /// The attributes that went with the message under way.
    pub(super) carried: BTreeMap<String, String>,
    /// When the first thing in the outbox was first tried.
    pub(super) first_tried: Option<Timestamp>,
    /// How often what is under way has failed.
    pub(super) failures: u32,
    /// Since when the user has been leaving.
    pub(super) leaving_since: Option<Timestamp>,
    /// Whether the history was asked for once more because of that.
    pub(super) looked_back: bool,
    /// Numbers requests that are told apart by nothing else.
    serial: u64,
}

impl Protocol {
    pub(super) fn open(
        handoff: HandoffId,
        request: &TransferRequest,
        site: Site,
        now: Timestamp,
    ) -> Self {
        let state = State::begin(&handoff, request, &site);
        Self::new(handoff, state, site, now)
    }

    pub(super) fn resume(handoff: HandoffId, state: State, site: Site, now: Timestamp) -> Self {
        let mut protocol = Self::new(handoff, state, site, now);
        protocol.line.missed_something();
        if let Some(talk) = protocol.state.talk_mut() {
            // What was sent since the handle was taken is not in it.
            talk.progress = talk.progress.max(Progress::Begun);
        }
        protocol.close_on(now);
        protocol
    }

    fn new(handoff: HandoffId, state: State, site: Site, now: Timestamp) -> Self {
        Self {
            handoff,
            site,
            state,
            line: Line::new(now),
            reading: Reading::default(),
            tracking: Tracking::new(now),
            upload: Upload::None,
            typing: false,
            typing_shown: None,
            agent_typing: None,
            typing_heard: VecDeque::new(),
            next_message: Timestamp(0),
            carried: BTreeMap::new(),
            first_tried: None,
            failures: 0,
            leaving_since: None,
            looked_back: false,
            serial: 0,
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// What is to be followed through the Platform API.
    pub(super) fn subjects(&self) -> Vec<Subject> {
        let tracked = &self.state.tracked;
        match &tracked.conversation {
            _ if !self.site.has_platform => Vec::new(),
            Some(conversation) => vec![Subject::Conversation(conversation.clone())],
            None => tracked.queues.iter().cloned().map(Subject::Queue).collect(),
        }
    }

    pub(super) fn command(&mut self, now: Timestamp, command: Command) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        match command {
            Command::Say { id, message, input } => {
                let outbox = &mut self.state.outbox;
                match outbox.say(id.clone(), input, &message, &WEB_MESSAGING) {
                    Given::Queued => news.changed = true,
                    Given::Known => {}
                    Given::Settled => news.settled.push(id),
                }
            }
            Command::SetAttributes(attributes) => {
                self.state.riding.extend(attributes);
                self.fit_attributes(&mut news);
                news.changed = true;
            }
            Command::Typing { on } => self.typing = on,
            // The guest's wire has none.
            Command::Receipt { .. } => {}
            Command::Leave => self.leave(now, &mut news),
        }
        self.conclude(now, &mut news);
        news
    }

    pub(super) fn event(&mut self, now: Timestamp, event: Event) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        match event {
            Event::Frame(text) => {
                self.line.heard(now);
                match serde_json::from_str::<Frame>(&text) {
                    Ok(frame) => self.frame(now, &frame, &mut news),
                    Err(error) => {
                        let why = unreadable(&error);
                        tracing::warn!(handoff = %self.handoff, why, "a frame cannot be read");
                    }
                }
            }
            Event::Alive => self.line.heard(now),
            Event::Lost { why } => self.lost(now, &Trouble::Unreachable { why }, &mut news),
            Event::Changed => self.tracking.watch.look_now(now),
            Event::Seen(snapshot) => self.seen_in_queue(now, &snapshot, &mut news),
            Event::Followed => self.followed(now),
            Event::Unfollowed { why } => self.unfollowed(now, &why, &mut news),
        }
        self.conclude(now, &mut news);
        news
    }

    /// The time waited for has come.
    pub(super) fn woke(&mut self, now: Timestamp) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        self.agent_stopped_typing(now, &mut news);
        self.tell_what_is_due(now, &mut news);
        // The line may end the handoff; nothing is told after that.
        self.line_woke(now, &mut news);
        if self.state.end.has_ended() {
            return news;
        }
        self.reading.woke(now);
        self.leaving_woke(now, &mut news);
        self.conclude(now, &mut news);
        news
    }

    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        call: &Call,
        answer: Result<Answer, Trouble>,
    ) -> News {
        let mut news = News::default();
        if self.state.end.has_ended() {
            return news;
        }
        match answer {
            Ok(answer) => self.succeeded(now, call, answer, &mut news),
            Err(trouble) => self.failed(now, call, &trouble, &mut news),
        }
        self.conclude(now, &mut news);
        news
    }

    fn succeeded(&mut self, now: Timestamp, call: &Call, answer: Answer, news: &mut News) {
        match (call, answer) {
            (_, Answer::Configuration(configuration)) => {
                self.failures = 0;
                self.configured(&configuration);
            }
            (_, Answer::Queues(ids)) => {
                self.failures = 0;
                self.queues_found(ids);
            }
            (Call::Connect, _) => self.line.opened(now),
            (Call::Ping, _) => self.line.pinged(now),
            (_, Answer::Page(page)) => self.page_read(now, *page, news),
            (_, Answer::File(file)) => self.file_read(file, news),
            (Call::Put { .. }, _) => self.file_put(now),
            (_, Answer::Conversation(conversation)) => self.looked(now, &conversation, news),
            (Call::Name(user), Answer::Name(name)) => self.tracking.watch.named(now, user, name),
            (_, Answer::Wait(wait)) => self.tracking.wait.estimated(now, wait, news),
            (Call::SetAttributes { attributes, .. }, _) => {
                self.tracking.calm();
                self.rode(attributes);
                news.changed = true;
            }
            (Call::Disconnect { .. } | Call::DisconnectAll { .. }, _) => {
                self.disconnected(now, news);
            }
            // Neither is shown: they hold what was said, and tokens.
            _ => tracing::debug!("an answer that changes nothing"),
        }
    }

    /// What follows whatever happened.
    fn conclude(&mut self, now: Timestamp, news: &mut News) {
        self.settle_what_needs_no_sending(news);
        self.leave_on(now, news);
        self.finish_if_done(now, news);
        if matches!(self.state.phase, Phase::Opening(_)) && !self.state.end.has_ended() {
            // Before the session is known there is nothing to resume.
            news.changed = false;
        }
        if let (true, Some(talk)) = (news.changed || !news.told.is_empty(), self.state.talk()) {
            news.tally = Some(talk.order.tally());
        }
    }

    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        if self.state.end.has_ended() {
            return Next::Done;
        }
        if now >= self.line.blocked_until
            && let Some(call) = self.next_preparation()
        {
            return Next::Call(call);
        }
        if let Some(call) = self.next_platform(now).or_else(|| self.next_on_line(now)) {
            return Next::Call(call);
        }
        Next::Wait(self.deadline(now))
    }

    /// The deployment is known.
    fn configured(&mut self, configuration: &Configuration) {
        if let Some(opening) = self.state.opening_mut() {
            opening.deployment = Some(super::deployment::Deployment::of(configuration));
        }
    }

    fn next_on_line(&mut self, now: Timestamp) -> Option<Call> {
        if matches!(self.state.phase, Phase::Opening(_)) && self.next_preparation().is_some() {
            return None;
        }
        if let Some(call) = self.next_connection(now) {
            return Some(call);
        }
        if !self.line.is_up() {
            return None;
        }
        if let Some(call) = self.next_reading(now) {
            return Some(call);
        }
        if !self.line.is_free() {
            return None;
        }
        if self.state.talk().is_none_or(|talk| talk.closing.is_some())
            || self.reading.holds_up()
            || now < self.line.blocked_until
        {
            return None;
        }
        self.next_outgoing(now)
            .or_else(|| self.next_leaving(now))
            .or_else(|| self.next_typing(now))
    }

    /// When something is due although nothing happens.
    fn deadline(&self, now: Timestamp) -> Timestamp {
        let far = now + Millis::from_mins(5);
        let blocked = Some(self.line.blocked_until).filter(|until| *until > now);
        let typing = self.agent_typing.as_ref().map(|(until, _)| *until);
        let pace = Some(self.next_message).filter(|at| *at > now && self.has_something_to_send());
        [
            blocked,
            typing,
            pace,
            self.line.deadline(now),
            self.reading.deadline(now),
            self.tracking.deadline(now, &self.state),
            self.leaving_deadline(),
            self.closing_deadline(),
            self.due(),
        ]
        .into_iter()
        .flatten()
        .fold(far, Timestamp::min)
    }

    /// A request on the socket, to be answered before the next.
    pub(super) fn ask(&mut self, now: Timestamp, what: What, action: Action) -> Call {
        self.serial += 1;
        let tracing = self.id_of(&format!("request/{}", self.serial));
        self.ask_as(now, what, action, tracing)
    }

    pub(super) fn ask_as(
        &mut self,
        now: Timestamp,
        what: What,
        action: Action,
        tracing: String,
    ) -> Call {
        self.line.await_answer(Awaited {
            until: now + what.patience(),
            tracing: tracing.clone(),
            what,
        });
        self.request(action, tracing)
    }

    /// A request whose answer does not matter.
    pub(super) fn mention(&mut self, action: Action) -> Call {
        self.serial += 1;
        let tracing = self.id_of(&format!("mention/{}", self.serial));
        self.request(action, tracing)
    }

    fn request(&self, action: Action, tracing: String) -> Call {
        Call::Send(Box::new(Request {
            action,
            token: self.state.guest.token(),
            tracing_id: Some(tracing),
        }))
    }

    /// An id of this handoff's, the same on every attempt and every host.
    pub(super) fn id_of(&self, what: &str) -> String {
        let name = format!("{}/{what}", self.handoff);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
    }
}

impl driving::Protocol for Protocol {
    type State = State;
    type Call = Call;
    type Answer = Result<Answer, Trouble>;
    type Event = Event;

    fn state(&self) -> &State {
        self.state()
    }

    fn command(&mut self, now: Timestamp, command: Command) -> News {
        self.command(now, command)
    }

    fn event(&mut self, now: Timestamp, event: Self::Event) -> News {
        self.event(now, event)
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.woke(now)
    }

    fn answer(&mut self, now: Timestamp, call: &Call, answer: Self::Answer) -> News {
        self.answer(now, call, answer)
    }

    fn next(&mut self, now: Timestamp) -> Next {
        self.next(now)
    }
}
