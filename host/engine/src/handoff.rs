//! What a handoff is asked to be, what it reports, and how it ends.
//!
//! These are the words between the engine and a transport: the engine asks with a
//! [`TransferRequest`], a transport answers with [`Signal`]s, the last of them [`Signal::Ended`].

use crate::content::{Content, Receipt};
use crate::name::{AccountName, InputId};
use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One of the four ways to reach a Genesys agent.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum TransportKind {
    /// Genesys Engage, Chat API version 2, by polling.
    EngageChatV2,
    /// Genesys Cloud WebChat version 2, by guest API and event stream. Genesys is removing it.
    CloudWebchat,
    /// Genesys Cloud Web Messaging, by guest socket.
    CloudWebMessaging,
    /// Genesys Cloud Open Messaging, by signed webhook and notifications socket.
    CloudOpenMessaging,
}

impl TransportKind {
    /// All transports of this version.
    pub const ALL: [Self; 4] = [
        Self::EngageChatV2,
        Self::CloudWebchat,
        Self::CloudWebMessaging,
        Self::CloudOpenMessaging,
    ];

    /// The name used in project files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EngageChatV2 => "engage-chat-v2",
            Self::CloudWebchat => "cloud-webchat",
            Self::CloudWebMessaging => "cloud-web-messaging",
            Self::CloudOpenMessaging => "cloud-open-messaging",
        }
    }

    /// Identity fields without which the platform refuses to start a chat. They are checked before
    /// any network call. Engage's own API takes a nickname or a first and last name; ServisBOT's
    /// integration requires all three.
    #[must_use]
    pub fn required_identity(self) -> &'static [IdentityField] {
        match self {
            Self::EngageChatV2 => &[
                IdentityField::Nickname,
                IdentityField::FirstName,
                IdentityField::LastName,
            ],
            Self::CloudWebchat | Self::CloudWebMessaging | Self::CloudOpenMessaging => &[],
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fields by which a user is introduced to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityField {
    /// `nickname`
    Nickname,
    /// `firstName`
    FirstName,
    /// `lastName`
    LastName,
    /// `emailAddress`
    EmailAddress,
    /// `mobile`
    Mobile,
    /// `externalId`
    ExternalId,
}

impl IdentityField {
    /// All fields, in the order agents read them.
    pub const ALL: [Self; 6] = [
        Self::Nickname,
        Self::FirstName,
        Self::LastName,
        Self::EmailAddress,
        Self::Mobile,
        Self::ExternalId,
    ];

    /// The name used in flows and in the context.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nickname => "nickname",
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::EmailAddress => "emailAddress",
            Self::Mobile => "mobile",
            Self::ExternalId => "externalId",
        }
    }
}

/// Who the user is, as agents will see it. Absent is absent: never sent as empty text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Identity {
    /// What the user is called in the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Given name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// The user's id in the embedder's system; the same id reaches the same history on transports
    /// that keep one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

impl Identity {
    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: IdentityField) -> Option<&str> {
        match field {
            IdentityField::Nickname => self.nickname.as_deref(),
            IdentityField::FirstName => self.first_name.as_deref(),
            IdentityField::LastName => self.last_name.as_deref(),
            IdentityField::EmailAddress => self.email_address.as_deref(),
            IdentityField::Mobile => self.mobile.as_deref(),
            IdentityField::ExternalId => self.external_id.as_deref(),
        }
    }

    /// Sets a field.
    pub fn set(&mut self, field: IdentityField, value: Option<String>) {
        *match field {
            IdentityField::Nickname => &mut self.nickname,
            IdentityField::FirstName => &mut self.first_name,
            IdentityField::LastName => &mut self.last_name,
            IdentityField::EmailAddress => &mut self.email_address,
            IdentityField::Mobile => &mut self.mobile,
            IdentityField::ExternalId => &mut self.external_id,
        } = value;
    }
}

/// Who is to get a transferred session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A queue by its name, matched exactly: case and spaces count.
    Queue(String),
    /// Whoever the account's own routing picks.
    AnyAgent,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(name) => write!(f, "queue '{name}'"),
            Self::AnyAgent => f.write_str("any agent"),
        }
    }
}

/// Texts shown to the user as a handoff goes on. Absent texts are not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HandoffMessages {
    /// When the handoff is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// When the first agent has accepted. `{agentName}` is the agent, here and in the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// When another agent has taken the conversation over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_changed: Option<String>,
    /// When the agent has closed the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_left: Option<String>,
    /// When the user has left the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_left: Option<String>,
    /// When no agent accepted in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_agent: Option<String>,
    /// What the agent reads when the user has left. Absent is [`FAREWELL`]; on Engage it is nothing,
    /// because agents see there who leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub farewell: Option<String>,
}

/// What an agent reads when the user has left, unless the flow says it otherwise.
pub const FAREWELL: &str = "The user has left the conversation.";

/// How much of what was said before the handoff the agent gets to read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transcript {
    /// Nothing.
    #[default]
    None,
    /// All of it.
    Full,
    /// The last lines, as many.
    Last(usize),
    /// This text instead, for example a summary.
    Text(String),
}

/// The `options` object of a transfer, as nodes write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TransferOptions {
    /// Who the user is. Fields left out are taken from context keys of the same name.
    pub identity: Identity,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Genesys priority; higher is sooner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Names of skills the agent should have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
    /// Language the agent should speak, as Genesys names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The competency of the bot that could not help, for accounts that route by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub competency: Option<String>,
    /// Attributes for this handoff, over those of the session.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Texts shown as the handoff goes on.
    pub messages: HandoffMessages,
    /// What the agent gets to read of the conversation so far.
    #[serde(skip_serializing_if = "Transcript::is_none")]
    pub transcript: Transcript,
    /// How long to wait for an agent. Absent waits as long as Genesys does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_agent_timeout_ms: Option<Millis>,
    /// The text by which the user leaves the agent, for example `/end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_end_command: Option<String>,
    /// What the user is told of the queue while waiting. Absent is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_updates: Option<QueueUpdates>,
    /// What happens while the user does not answer the agent, in order. Nothing, unless it is asked for:
    /// Genesys has timeouts of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_idle: Vec<IdleStep>,
}

/// What the user is told of the queue while waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueueUpdates {
    /// With `{position}` (1 is next), `{minutes}` (whole ones, rounded up) and `{seconds}` filled in.
    pub text: String,
    /// Instead of it, where the platform does not tell what the text needs, or where that is over a limit.
    /// Absent is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// The least time between two of them. What has not changed is not told again.
    #[serde(default = "QueueUpdates::every")]
    pub every_ms: Millis,
    /// Above this position the user is not told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_position: Option<u32>,
    /// Above this wait the user is not told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wait_ms: Option<Millis>,
}

impl QueueUpdates {
    fn every() -> Millis {
        Millis::from_secs(60)
    }
}

/// Something that happens while the user does not answer the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IdleStep {
    /// How long after the agent's last message.
    pub after_ms: Millis,
    /// What the user is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the user leaves the agent then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leave: bool,
}

/// A complete request to open a handoff: everything a transport needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferRequest {
    /// The account, resolved.
    pub account: AccountName,
    /// Who is to get it.
    pub target: Target,
    /// Everything else, with identity and attributes completed from the session.
    pub options: TransferOptions,
    /// What the user wrote last, for transports that open with a message of the user's.
    pub opening_text: Option<String>,
    /// What was said before, for the agent to read first: a line each, `name: text`. A transport
    /// sends as many lines in one message as fit, and splits longer ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<String>,
}

impl Transcript {
    /// Whether the agent gets to read nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// An agent, as users see one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The platform's id, where it tells one.
    pub id: Option<String>,
    /// Display name.
    pub name: String,
}

impl Agent {
    /// Whether both are the same agent: by id where both have one, else by name.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(one), Some(another)) => one == another,
            _ => self.name == other.name,
        }
    }
}

/// What a transport tells the engine, whatever the platform calls it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Signal {
    /// The platform accepted the handoff.
    Opened {
        /// The platform's id of the conversation, for support tickets.
        conversation: Option<String>,
    },
    /// The user waits in a queue; again after a decline or a transfer.
    Queued {
        /// The queue's name, where known.
        queue: Option<String>,
    },
    /// Where the user stands in the queue.
    QueuePosition {
        /// 1 is next; none if the platform tells only how long it may take.
        position: Option<u32>,
        /// How long it may take, in milliseconds.
        estimated_wait: Option<Millis>,
    },
    /// It rings at an agent's desk. Ringing is not answered.
    AgentAlerting {
        /// Who, where known.
        agent: Option<Agent>,
    },
    /// An agent declined, or let it ring out; the platform goes on looking.
    AgentDeclined {
        /// Who, where known.
        agent: Option<Agent>,
    },
    /// An agent is connected.
    AgentJoined {
        /// Who.
        agent: Agent,
    },
    /// An agent is no longer connected, and the handoff goes on: a transfer to another agent or queue.
    AgentLeft {
        /// Who.
        agent: Agent,
    },
    /// The agent side says something to the user.
    Message {
        /// The platform's id of the message.
        message_id: String,
        /// Who; none for the platform itself.
        from: Option<Agent>,
        /// Plain text; empty if there is only content.
        text: String,
        /// What comes with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        content: Vec<Content>,
        /// When, by the platform's clock.
        at: Timestamp,
    },
    /// What became of a message of the user's, where the platform tells.
    Receipt {
        /// The input that was the message.
        message: InputId,
        /// What became of it.
        receipt: Receipt,
    },
    /// An agent types, or stopped.
    Typing {
        /// True while typing.
        on: bool,
    },
    /// Something went wrong that the handoff survives, or something was sent in a lesser form.
    Notice {
        /// Stable code, for example `genesys.message_not_delivered`.
        code: String,
        /// One sentence for the person who can fix it.
        message: String,
    },
    /// The handoff is over. Reported once and last.
    Ended(HandoffEnd),
}

/// How well what a platform sent was in order, counted over one handoff. Whatever it says, every
/// message was delivered once and in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Messages that were missing when later ones had come, and had to be fetched or given up.
    pub gaps: u64,
    /// Messages that came again.
    pub repeats: u64,
    /// Messages that came after later ones.
    pub reorders: u64,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            gaps: self.gaps + other.gaps,
            repeats: self.repeats + other.repeats,
            reorders: self.reorders + other.reorders,
        }
    }
}

/// Why a handoff ended: the three values of ServisBOT's `SessionEndReason`, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionEndReason {
    /// The user left.
    UserLeft,
    /// The agent closed the conversation.
    AgentLeft,
    /// It could not start, or broke.
    Error,
}

impl SessionEndReason {
    /// The value as it stands in the context.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserLeft => "UserLeft",
            Self::AgentLeft => "AgentLeft",
            Self::Error => "Error",
        }
    }
}

impl fmt::Display for SessionEndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Finer grain beside an end reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndDetail {
    /// Stable, for example `transfer.no_agent` or `genesys.queue_not_visible`.
    pub code: String,
    /// What happened and what to do about it, for the person who can.
    pub message: String,
}

impl EndDetail {
    /// A detail from its two parts.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

/// How a handoff ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffEnd {
    /// One of three.
    pub reason: SessionEndReason,
    /// More; always present for [`SessionEndReason::Error`].
    pub detail: Option<EndDetail>,
}

impl HandoffEnd {
    /// The agent closed the conversation.
    #[must_use]
    pub fn agent_left() -> Self {
        Self {
            reason: SessionEndReason::AgentLeft,
            detail: None,
        }
    }

    /// The user left.
    #[must_use]
    pub fn user_left() -> Self {
        Self {
            reason: SessionEndReason::UserLeft,
            detail: None,
        }
    }

    /// It broke.
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason: SessionEndReason::Error,
            detail: Some(EndDetail::new(code, message)),
        }
    }
}
