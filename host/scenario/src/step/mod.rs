//! The steps of a scenario: things that are done, and things that must hold.
//!
//! A step is a table whose first word says what it is: `{ user = "hi" }`,
//! `{ agent = "kim", does = "accept" }`, `{ context = { SessionEndReason = "AgentLeft" } }`.

mod parse;
mod verbs;

pub(crate) use parse::parse_step;
pub(crate) use verbs::schema;

use handoff_engine::handoff::{Tally, TransportKind};
use handoff_engine::project::Span;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// One step and its place.
#[derive(Clone, Debug)]
pub struct Step {
    /// Line of the file, from 1.
    pub line: usize,
    /// The transports it is for; none for all.
    pub on: Option<Vec<TransportKind>>,
    /// How long it may take to hold; none for as long as anything may.
    pub within: Option<Span>,
    /// What it is.
    pub kind: StepKind,
}

/// What goes with any step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) on: Option<Vec<TransportKind>>,
    pub(crate) within: Option<Span>,
}

/// What a step is. The first group is done, the second must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// The user writes.
    UserSays {
        /// The text.
        text: String,
        /// The client's own id of the message; none makes one up.
        id: Option<String>,
    },
    /// The user sends a file.
    UserAttaches {
        /// The text that goes with it.
        text: String,
        /// The file's name; its ending says of which kind it is.
        file: String,
        /// How long it is, in bytes; none for a small real file.
        bytes: Option<u64>,
    },
    /// The user picks what the last message offered under this label.
    UserPicks(String),
    /// The user does something else.
    UserDoes(UserAct),
    /// An agent does something.
    Agent(String, AgentAct),
    /// An agent tries something that their desk has no way to do on this transport.
    AgentCannot(String, AgentAct),
    /// Time passes.
    Advance(Span),
    /// The clock jumps: what falls due on the way is late.
    Jump(Span),
    /// The user comes again: another session, which all further steps are about.
    Start,
    /// The host is stopped, and another one started on the same store.
    Restart,
    /// Another version of the project is published while the host runs.
    Publish {
        /// Its directory, relative to the project's.
        project: String,
        /// The codes with which it is refused; then nothing changes.
        refused: Option<Vec<String>>,
    },
    /// From now on an API answers so.
    ApiAnswers {
        /// Scheme, host and port of its address.
        origin: String,
        /// The status.
        status: u16,
        /// The body: text as it is, anything else as JSON.
        body: Value,
    },
    /// Something goes wrong at Genesys: a fault of the simulator.
    Fault(Map<String, Value>),
    /// Somebody calls the webhook of an account, as Genesys does with what an agent writes.
    Webhook(WebhookCall),
    /// An account's integrations are provisioned, as `handoff provision` does.
    Provision(Provision),
    /// An administrator changes an integration at Genesys.
    Admin(AdminAct),
    /// An account is looked at, as `handoff check --org` does.
    Preflight(Preflight),

    /// The next message is a bot's, with this text. `*` stands for anything.
    BotSays(String),
    /// The next message is the host's or the platform's.
    SystemSays(String),
    /// The next message is an agent's.
    UserHears {
        /// The text.
        text: String,
        /// The agent's name.
        from: Option<String>,
        /// What comes with it, each as Genesys calls it and what it says: `Attachment bill.png`,
        /// `QuickReply Yes; No`, `Card *`.
        with: Vec<String>,
    },
    /// The user sees a sign.
    UserSees(Sign),
    /// The transport reported a signal of this kind, such as `agent-declined`.
    Signal(String),
    /// The transport told the person who can fix something.
    Notice {
        /// Its code.
        code: String,
        /// Words that its message holds.
        mentions: Vec<String>,
    },
    /// At least as many messages were missing, came again, or came out of order.
    Tally(Tally),
    /// No further message has come.
    Silence,
    /// Every event that the user was shown has an id of its own and keeps it.
    LastingIds,
    /// An agent has a message of the user's before them.
    AgentHears(String, String),
    /// An agent has a file of the user's before them.
    AgentReceives(String, String),
    /// An agent sees the user type.
    AgentSeesTyping(String),
    /// How far the agent's last message got, as Genesys spells it: `sent`, `delivery-success`, `read`.
    Receipt(String),
    /// These are all messages of the user's in the last conversation, in order.
    Heard(Vec<String>),
    /// An agent sees these participant attributes.
    AgentSees(String, Map<String, Value>),
    /// How an agent is occupied.
    AgentIs(String, Occupation),
    /// These keys of the context have these values.
    Context(Map<String, Value>),
    /// These keys are not in the context.
    ContextLacks(Vec<String>),
    /// Names of the owners, the one in charge last.
    Stack(Vec<String>),
    /// The node the flow in charge is at.
    AtNode(String),
    /// Whether the session goes on, and why not.
    Session {
        /// `open` or `closed`.
        open: bool,
        /// Why it closed.
        reason: Option<String>,
    },
    /// How many handoffs of the session have ended.
    HandoffsEnded(usize),
    /// How many conversations there ever were at Genesys.
    Conversations(usize),
    /// An API got a request; `nothing` if none did.
    Called {
        /// Method and address, `POST https://api.example.com/mail`.
        what: String,
        /// What its body holds, at least: members of JSON, fields of a form, or the text.
        with: Option<Value>,
        /// Headers that it holds, at least.
        headers: Map<String, Value>,
    },
    /// What the host counts.
    Metric {
        /// The metric's name.
        name: String,
        /// Labels of the samples that are meant.
        labels: BTreeMap<String, String>,
        /// What they add up to.
        is: f64,
    },
    /// Nothing that the session's journal keeps holds this text.
    JournalLacks(String),
    /// How many network calls were made to Genesys.
    Requests(usize),
    /// The transport that the last conversation came by.
    Over(TransportKind),
    /// The queue in which the last conversation waits, or last waited.
    Queue(String),
    /// The identity fields that the last conversation was started with.
    Identity(Map<String, Value>),
    /// Identity fields that were not sent.
    IdentityLacks(Vec<String>),
    /// The last conversation goes on at Genesys, or was ended by someone.
    Conversation(String),
    /// What the user did last was refused with this code.
    Refused(String),
    /// The finer detail of how the last handoff ended.
    EndDetail {
        /// Its code.
        code: String,
        /// Words that its message holds.
        mentions: Vec<String>,
    },
    /// What went wrong last in a node.
    Error {
        /// Its code.
        code: String,
        /// Words that its message holds.
        mentions: Vec<String>,
    },
}

/// A webhook call that a scenario makes, about the last conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookCall {
    /// The account.
    pub account: String,
    /// The agent's words.
    pub says: String,
    /// What it is signed with.
    pub signature: Signature,
    /// The HTTP status it is answered with.
    pub answers: u16,
}

/// How a webhook call is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// With the account's secret.
    Good,
    /// With another one.
    Bad,
    /// With the account's secret, and another body.
    OfAnotherBody,
    /// Not at all.
    Missing,
}

/// What provisioning an account has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provision {
    /// The account.
    pub account: String,
    /// Whether what was changed at Genesys is overwritten.
    pub mend: bool,
    /// Names of the integrations that are created.
    pub creates: Vec<String>,
    /// Everything else that is done, as codes, in order.
    pub does: Vec<String>,
    /// What is found changed and left so, as codes, in order.
    pub drift: Vec<String>,
    /// What people have to do, as codes, in order.
    pub by_hand: Vec<String>,
    /// Words that tell it.
    pub mentions: Vec<String>,
}

/// What an administrator does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAct {
    /// Gives an integration another name.
    Rename {
        /// Its name.
        integration: String,
        /// The new one.
        to: String,
    },
    /// Deletes an integration.
    Delete {
        /// Its name.
        integration: String,
    },
    /// Has an integration post to another address.
    Point {
        /// Its name.
        integration: String,
        /// The address.
        to: String,
    },
}

/// What looking at an account has to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preflight {
    /// The account.
    pub account: String,
    /// Codes of findings.
    pub finds: Vec<String>,
    /// Codes that are not found.
    pub lacks: Vec<String>,
    /// Words that findings of the codes hold.
    pub mentions: Vec<String>,
    /// How much the worst finding matters: `ok`, `hint`, `warning` or `error`.
    pub worst: Option<String>,
}

/// What a user can do but write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserAct {
    /// Leaves.
    Leave,
    /// Begins to type.
    Type,
    /// Stops typing.
    StopTyping,
    /// Has got the agent's last message.
    Receive,
    /// Has seen the agent's last message.
    Read,
}

/// What a user sees beside messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// The agent types.
    Typing,
    /// The agent stopped.
    StoppedTyping,
    /// A message of the user's arrived.
    Delivered,
    /// A message of the user's was seen.
    Read,
    /// A message of the user's did not arrive.
    Failed,
}

/// What an agent can do.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentAct {
    /// Answers.
    Accept,
    /// Refuses.
    Decline,
    /// Ends the conversation.
    Close,
    /// Begins to type.
    Type,
    /// Stops typing.
    StopTyping,
    /// Ends after-call work.
    FinishAfterCallWork,
    /// Takes conversations from now on.
    GoOnQueue,
    /// Takes none any more.
    GoOffQueue,
    /// Writes.
    Say(String),
    /// Sends a file of this name.
    Send(String),
    /// Sends structured content, as Genesys writes it.
    Offer {
        /// The text that goes with it.
        text: String,
        /// The items.
        content: Vec<Value>,
    },
    /// Hands the conversation to a queue.
    TransferToQueue(String),
    /// Hands the conversation to an agent.
    TransferToAgent(String),
}

/// How an agent is occupied with the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occupation {
    /// It rings.
    Alerting,
    /// They talk.
    Connected,
    /// The work after it.
    AfterCallWork,
    /// None.
    Idle,
}
