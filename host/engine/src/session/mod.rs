//! A session: one user's conversation from start to close, as plain data.
//!
//! Everything a session is stands in [`Session`]; between turns nothing else is kept. It holds no
//! instance, task or timer, so a parked session costs what its JSON costs.

mod event;
mod exchange;
mod history;
mod input;
mod journal;
mod limits;
mod owner;
mod turn;

pub use event::{Position, UserEvent, UserEventKind};
pub use exchange::{Exchange, Exchanges, Way};
pub use history::{History, HistoryError, MAX_TRANSCRIPT_LINES, NoHistory};
pub use input::{DeadlineKind, Input, InputKind, MAX_MESSAGE, Refusal};
pub use journal::{Entry, NodeError, StepDecision};
pub use limits::SessionLimits;
pub use owner::{
    AgentFrame, FlowFrame, Idle, OpenHandoff, Owner, Phase, QueueTold, Waiting, WorkerFrame,
};
pub use turn::{Deadline, Effect, EffectKind, Sender, Turn};

use crate::handoff::{Agent, EndDetail, HandoffEnd, Tally};
use crate::name::{AccountName, BotName, Revision, SessionId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Context key that says how the last handoff ended.
pub const SESSION_END_REASON: &str = "SessionEndReason";
/// Context key that holds the last agent who was connected: `{"AgentName": ...}`.
pub const LAST_KNOWN_AGENT: &str = "LastKnownAgent";
/// Context key with the platform's id of the conversation, for support tickets.
pub const LAST_CONVERSATION: &str = "LastConversationId";
/// Context key with the finer detail of an end: `{"code": ..., "message": ...}`.
pub const SESSION_END_DETAIL: &str = "SessionEndDetail";

/// Messages that a session keeps for the next agent.
const FOR_AGENT: usize = 50;

/// A conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// How many turns it has been through.
    pub revision: Revision,
    /// Digest of the project it is pinned to.
    pub project: String,
    /// The channel it came by, which may choose an account.
    pub channel: Option<String>,
    /// When it started, and how; none in sessions from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// Open or closed.
    pub status: Status,
    /// Who owns it; the last one is in charge.
    pub stack: Vec<Owner>,
    /// The flow context.
    pub context: BTreeMap<String, Value>,
    /// What agents will see.
    pub attributes: BTreeMap<String, String>,
    /// How many lines were said. What they say is history, which a session does not carry along:
    /// every turn has its own lines in [`Turn::said`].
    #[serde(default)]
    pub lines: u64,
    /// How many bytes of text were said and received, counted against [`SessionLimits::bytes`].
    #[serde(default)]
    pub bytes: u64,
    /// What the user wrote last.
    pub last_message: Option<UserText>,
    /// How the last handoff ended.
    pub last_handoff: Option<EndedHandoff>,
    /// What last went wrong in a node.
    pub last_error: Option<NodeError>,
    /// When the session closes for inactivity. None while an agent owns it.
    pub inactive_at: Option<Timestamp>,
    /// How well the platform's messages were in order, over the handoffs that are over.
    #[serde(default)]
    pub past_tally: Tally,
    /// What bots have said to the agent who is to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub for_agent: Vec<String>,
    /// How many handoffs were asked for since the user last said something.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub handoffs_in_a_row: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_none_yet(count: &u32) -> bool {
    *count == 0
}

/// The beginning of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// The bot that was asked for; none is the project's start bot.
    pub bot: Option<BotName>,
}

/// Whether a session goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It does.
    Open,
    /// It does not.
    Closed {
        /// Why.
        reason: CloseReason,
        /// Since when.
        at: Timestamp,
    },
}

/// Why a session closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CloseReason {
    /// The flow reached its end.
    Completed,
    /// The agent closed the conversation and the bot was not to resume.
    AgentLeft,
    /// The user left.
    UserLeft,
    /// The user was silent for longer than the project allows.
    Inactivity,
    /// Something went wrong.
    Error(EndDetail),
}

impl CloseReason {
    /// The reason in one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "Completed",
            Self::AgentLeft => "AgentLeft",
            Self::UserLeft => "UserLeft",
            Self::Inactivity => "Inactivity",
            Self::Error(_) => "Error",
        }
    }
}

/// Something the user wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserText {
    /// The input's id.
    pub id: String,
    /// Plain text.
    pub text: String,
}

/// One line of what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// Who.
    pub speaker: Speaker,
    /// What.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Who said a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// The user.
    User,
    /// A bot, by name.
    Bot(String),
    /// An agent, by name.
    Agent(String),
    /// The host or the platform.
    System,
}

/// A handoff that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedHandoff {
    /// How it ended.
    pub end: HandoffEnd,
    /// The last agent who was connected.
    pub last_agent: Option<Agent>,
    /// The platform's id of the conversation, where it told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// Whose it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
}

impl Session {
    /// A session before its first input.
    #[must_use]
    pub fn new(id: SessionId, project: &crate::project::Project) -> Self {
        Self {
            id,
            revision: Revision::default(),
            project: project.digest().to_owned(),
            channel: None,
            started: None,
            status: Status::Open,
            stack: Vec::new(),
            context: BTreeMap::new(),
            attributes: BTreeMap::new(),
            lines: 0,
            bytes: 0,
            last_message: None,
            last_handoff: None,
            last_error: None,
            inactive_at: None,
            past_tally: Tally::default(),
            for_agent: Vec::new(),
            handoffs_in_a_row: 0,
        }
    }

    /// How well the platform's messages were in order, over all handoffs of the session.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let open = self.handoff().map(|handoff| handoff.tally);
        self.past_tally + open.unwrap_or_default()
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status == Status::Open
    }

    /// Who is in charge.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        self.stack.last()
    }

    /// The open handoff of the owner in charge.
    #[must_use]
    pub fn handoff(&self) -> Option<&OpenHandoff> {
        self.owner().and_then(Owner::handoff)
    }

    /// The names of the owners, the one in charge last.
    #[must_use]
    pub fn stack_names(&self) -> Vec<String> {
        self.stack.iter().map(Owner::name).collect()
    }

    /// Every point in time at which something is due, given that nothing happens before.
    #[must_use]
    pub fn deadlines(&self) -> Vec<Deadline> {
        if !self.is_open() {
            return Vec::new();
        }
        let inactivity = self.inactive_at.map(|at| (DeadlineKind::Inactivity, at));
        let node = match self.owner() {
            Some(Owner::Flow(FlowFrame {
                waiting: Waiting::Message { until, .. },
                ..
            })) => until.map(|at| (DeadlineKind::Node, at)),
            _ => None,
        };
        let no_agent = self
            .handoff()
            .and_then(|handoff| handoff.no_agent_at)
            .map(|at| (DeadlineKind::NoAgent, at));
        let idle = self
            .handoff()
            .and_then(OpenHandoff::idle_at)
            .map(|at| (DeadlineKind::UserIdle, at));
        let queue = self
            .handoff()
            .and_then(OpenHandoff::queue_update_at)
            .map(|at| (DeadlineKind::QueueUpdate, at));
        [inactivity, node, no_agent, idle, queue]
            .into_iter()
            .flatten()
            .map(|(kind, at)| Deadline { kind, at })
            .collect()
    }

    /// Keeps what a bot says to the agent who is to come. Returns false if that is too much by now.
    #[must_use]
    pub(crate) fn keep_for_agent(&mut self, text: String) -> bool {
        let fits = self.for_agent.len() < FOR_AGENT;
        if fits {
            self.for_agent.push(text);
        }
        fits
    }
}
