//! The session-owner stack: bots and agents, the top one in charge.

use crate::handoff::{Agent, Tally, TransferRequest};
use crate::name::{BotName, FlowId, HandoffId, NodeId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Someone who owns a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// A bot that runs a flow.
    Flow(FlowFrame),
    /// A worker bot with its handoff.
    Worker(WorkerFrame),
    /// The agent side, pushed by a node of a flow.
    Agent(AgentFrame),
}

impl Owner {
    /// What the owner is called: the bot's name, or the agent's.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Flow(frame) => frame.bot.to_string(),
            Self::Worker(frame) => frame.bot.to_string(),
            Self::Agent(frame) => match &frame.handoff.phase {
                Phase::Connected(agent) => format!("agent {}", agent.name),
                Phase::Opening | Phase::Queued => "agent".to_owned(),
            },
        }
    }

    /// The handoff the owner stands for.
    #[must_use]
    pub fn handoff(&self) -> Option<&OpenHandoff> {
        match self {
            Self::Flow(_) => None,
            Self::Worker(frame) => Some(&frame.handoff),
            Self::Agent(frame) => Some(&frame.handoff),
        }
    }

    pub(crate) fn handoff_mut(&mut self) -> Option<&mut OpenHandoff> {
        match self {
            Self::Flow(_) => None,
            Self::Worker(frame) => Some(&mut frame.handoff),
            Self::Agent(frame) => Some(&mut frame.handoff),
        }
    }
}

/// A flow that a session is in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlowFrame {
    /// The bot.
    pub bot: BotName,
    /// Its flow.
    pub flow: FlowId,
    /// The node it is at.
    pub node: NodeId,
    /// What the node waits for.
    pub waiting: Waiting,
}

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// Nothing: it is about to be entered.
    Entry,
    /// The user, or a timeout.
    Message {
        /// What the node wants to be given back, as JSON text.
        state: String,
        /// When it times out.
        until: Option<Timestamp>,
    },
    /// The owner it pushed.
    Owner {
        /// What the node wants to be given back, as JSON text.
        state: String,
    },
}

/// A worker bot that has the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerFrame {
    /// The bot.
    pub bot: BotName,
    /// Its handoff.
    pub handoff: OpenHandoff,
}

/// The agent side that has the session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AgentFrame {
    /// The handoff.
    pub handoff: OpenHandoff,
}

/// A handoff that is not over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenHandoff {
    /// Its id.
    pub id: HandoffId,
    /// What was asked for.
    pub request: TransferRequest,
    /// When it was asked for. None in handoffs from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// How far it is.
    pub phase: Phase,
    /// The last agent who was connected.
    pub last_agent: Option<Agent>,
    /// The platform's id of the conversation, once it told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// What the transport needs in order to take it up again.
    pub handle: Value,
    /// When it ends because no agent accepted.
    pub no_agent_at: Option<Timestamp>,
    /// How well the platform's messages were in order.
    #[serde(default)]
    pub tally: Tally,
    /// What the user was last told of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_told: Option<QueueTold>,
    /// Since when the user owes the agent an answer, and how many idle steps were taken since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
}

/// What the user was last told of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueTold {
    /// The text.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// What has become true since, and is told once enough time has passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The user owes the agent an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// When the agent last wrote.
    pub since: Timestamp,
    /// How many of the steps were taken since.
    pub taken: usize,
}

impl OpenHandoff {
    /// When the user is next told something of the queue.
    pub(crate) fn queue_update_at(&self) -> Option<Timestamp> {
        let told = self
            .queue_told
            .as_ref()
            .filter(|told| told.next.is_some())?;
        let updates = self.request.options.queue_updates.as_ref()?;
        Some(told.at + updates.every_ms)
    }

    /// When the next idle step is due.
    pub(crate) fn idle_at(&self) -> Option<Timestamp> {
        let idle = self.idle?;
        let step = self.request.options.user_idle.get(idle.taken)?;
        Some(idle.since + step.after_ms)
    }

    /// The effect that ends it from this side.
    pub(crate) fn leave(&self) -> super::EffectKind {
        super::EffectKind::LeaveHandoff {
            handoff: self.id.clone(),
            account: self.request.account.clone(),
            handle: self.handle.clone(),
        }
    }
}

/// How far a handoff is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Asked for.
    Opening,
    /// Accepted by the platform; waiting for an agent.
    Queued,
    /// An agent is connected.
    Connected(Agent),
}
