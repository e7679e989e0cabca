//! The steps of a scenario: things that are done, and things that must hold.
//!
//! A step is a table whose first word says what it is: `{ user = "hi" }`,
//! `{ agent = "kim", does = "accept" }`, `{ context = { SessionEndReason = "AgentLeft" } }`.

mod parse;

pub(crate) use parse::parse_step;

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
    /// What it is.
    pub kind: StepKind,
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
