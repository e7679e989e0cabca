//! The one trait all transports share, and the words that go through it.
//!
//! A transport works in tasks of its own: commands go in through a [`Link`], what happens comes out
//! as [`Report`]s. Every report carries the handle from which the handoff can be taken up again, as
//! it stands once the report counts.
//!
//! Invariant: whoever commits a report's signal, handle and settled effects as one thing can stop at
//! any point and resume without losing or doubling anything the platform allows to be recognised.

use crate::account::AccountError;
use crate::secrets::Secrets;
use async_trait::async_trait;
use handoff_engine::account::Account;
use handoff_engine::availability::{Availability, NotTold};
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::content::{Receipt, UserMessage};
use handoff_engine::handoff::{Signal, Tally, TransferRequest, TransportKind};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use handoff_engine::session::Exchanges;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::sync::mpsc;

/// One account's way to Genesys.
#[async_trait]
pub trait Transport: Send + Sync + Debug {
    /// Which of the transports this is.
    fn kind(&self) -> TransportKind;

    /// Opens a handoff. Returns at once; the work goes on in a task and what happens comes as
    /// reports. Must be called within a tokio runtime.
    ///
    /// Until the first report has come nothing can be resumed: then open again, with the same id.
    fn open(&self, handoff: HandoffId, request: TransferRequest, reports: Reports) -> Link;

    /// Takes up an open handoff from the last reported handle, after a restart or on another host,
    /// and reconciles it with what the platform remembers. `unsettled` are the says given earlier and
    /// not yet settled, in their order: they are taken in before the platform is asked anything, so that
    /// those that did arrive are recognised even if the conversation is over.
    fn resume(
        &self,
        handoff: HandoffId,
        handle: serde_json::Value,
        unsettled: Vec<Command>,
        reports: Reports,
    ) -> Link;

    /// How many agents could take a conversation in a queue, or in the account's own. Not every transport
    /// can tell.
    async fn availability(&self, queue: Option<&str>) -> Result<Availability, NotTold> {
        let _ = queue;
        let kind = self.kind();
        Err(NotTold::new(
            "availability.not_supported",
            format!("an account of transport {kind} cannot be asked for agents"),
        ))
    }

    /// A webhook call for this account: verifies it, hands its content to the handoff concerned and
    /// says what to answer. Never waits for the handoff.
    fn webhook(&self, headers: &http::HeaderMap, body: &[u8]) -> WebhookReply;

    /// Reads the secrets again with which calls for this account are checked, after their source may have
    /// changed. What was accepted before is accepted for a while longer, so that both sides need not
    /// change at once. True if something has changed. Not every transport has such secrets.
    ///
    /// # Errors
    ///
    /// If one cannot be had. Then everything stays as it is.
    fn renew_secrets(
        &self,
        account: &Account,
        secrets: &dyn Secrets,
    ) -> Result<bool, AccountError> {
        let _ = (account, secrets);
        Ok(false)
    }

    /// A call of a process-automation trigger's workflow: an event of a conversation, in the words
    /// of the notification topics. Like a webhook call, it is only a hint to look.
    fn event(&self, headers: &http::HeaderMap, body: &[u8]) -> WebhookReply {
        let _ = (headers, body);
        let kind = self.kind();
        WebhookReply::new(
            http::StatusCode::NOT_FOUND,
            format!("an account of transport {kind} takes no events"),
        )
    }
}

/// What to answer to a webhook call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookReply {
    /// The HTTP status.
    pub status: http::StatusCode,
    /// Plain text; empty on success.
    pub body: String,
    /// What became of the call.
    pub outcome: WebhookOutcome,
}

/// What became of a webhook call, for those who count them and look for what is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WebhookOutcome {
    /// A handoff has it, or it says nothing that a user would miss.
    #[default]
    Taken,
    /// It is not Genesys' own call: a wrong signature, or too long a body.
    Refused,
    /// It is signed, and older than what Genesys still delivers.
    Stale,
    /// Signed words for somebody whom no handoff here knows.
    Unclaimed {
        /// Genesys' id of the message.
        message: String,
        /// The conversation, where it is told.
        conversation: Option<String>,
    },
    /// It is signed and cannot be read.
    Unreadable {
        /// Why, without any of its words.
        why: String,
        /// The conversation, where it can be made out.
        conversation: Option<String>,
    },
}

impl WebhookOutcome {
    /// The outcome in one word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Unclaimed { .. } => "unclaimed",
            Self::Unreadable { .. } => "unreadable",
        }
    }
}

impl WebhookReply {
    /// A reply from its parts. What is no success is a refusal.
    pub fn new(status: http::StatusCode, body: impl Into<String>) -> Self {
        let outcome = if status.is_success() {
            WebhookOutcome::Taken
        } else {
            WebhookOutcome::Refused
        };
        Self {
            status,
            body: body.into(),
            outcome,
        }
    }

    /// The same reply to a call of which something else became.
    #[must_use]
    pub fn with(mut self, outcome: WebhookOutcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// Where reports go. Cheap to clone; reports to a receiver that is gone are dropped.
#[derive(Clone, Debug)]
pub struct Reports(mpsc::UnboundedSender<Report>);

impl Reports {
    /// Sends reports into a channel.
    #[must_use]
    pub fn new(sender: mpsc::UnboundedSender<Report>) -> Self {
        Self(sender)
    }

    /// A channel of reports.
    #[must_use]
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// Reports something.
    pub fn send(&self, report: Report) {
        if self.0.send(report).is_err() {
            tracing::debug!("nobody listens to the reports of this handoff any more");
        }
    }
}

/// What happened to a handoff.
#[derive(Debug)]
pub struct Report {
    /// Which handoff.
    pub handoff: HandoffId,
    /// The same happening has the same id, even after a restart.
    pub input: InputId,
    /// What happened; none if only the handle changed or effects settled.
    pub signal: Option<Signal>,
    /// From here the handoff can be resumed, once this report counts. What is secret in it is marked:
    /// an object with the one key [`SECRET`](crate::SECRET).
    pub handle: serde_json::Value,
    /// How well the platform's messages were in order, counted from the start of the handoff.
    pub tally: Tally,
    /// What passed over the wire since the report before, for the journal. Nothing depends on it.
    pub exchanges: Exchanges,
    /// The says that are settled: delivered, or given up with a notice. Says that are not are to be
    /// kept, and sent again after a resume.
    pub settled: Vec<EffectId>,
    /// Held until the report has been dealt with.
    pub busy: Busy,
}

/// The commanding end of an open handoff. Dropping it parks the driver: sockets close and polls stop,
/// the handoff itself goes on at the platform.
#[derive(Debug)]
pub struct Link {
    commands: mpsc::UnboundedSender<(Command, Busy)>,
    clock: Arc<dyn Clock>,
}

/// The driver's end of a [`Link`]. It ends when the link is dropped. Each command comes with the
/// work it is part of, to be held until it is carried out.
pub type Commands = mpsc::UnboundedReceiver<(Command, Busy)>;

impl Link {
    /// A link and its other end, for a transport's driver.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> (Self, Commands) {
        let (commands, receiver) = mpsc::unbounded_channel();
        (Self { commands, clock }, receiver)
    }

    /// Gives a command. Commands are carried out in the order given; one given after the handoff
    /// ended is dropped, and false is returned if that is already known. A say that is dropped is
    /// never settled.
    pub fn send(&self, command: Command) -> bool {
        let taken = self.commands.send((command, self.clock.busy())).is_ok();
        if !taken {
            tracing::debug!("a command came after the end of its handoff");
        }
        taken
    }
}

/// What the user's side asks of an open handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The user says something to the agent. Given again with the same id it counts once.
    Say {
        /// Settled by this id in a [`Report`].
        id: EffectId,
        /// What.
        message: UserMessage,
        /// The input that was the message, for receipts; none if the host itself says it.
        input: Option<InputId>,
    },
    /// What became of a message of the agent side's, for transports that tell.
    Receipt {
        /// The platform's id of the message.
        message: String,
        /// What became of it.
        receipt: Receipt,
    },
    /// The user types, or stopped.
    Typing {
        /// True while typing.
        on: bool,
    },
    /// Attributes that agents are to see from now on, over those already set.
    SetAttributes(BTreeMap<String, String>),
    /// The user left or the session closes: end the conversation on the platform, as well as the
    /// transport allows.
    Leave,
}
