//! What a turn did, for the journal: enough to tell later what happened and why.

use super::CloseReason;
use crate::availability::Asked;
use crate::egress::Call;
use crate::handoff::{HandoffEnd, Signal};
use crate::name::{BotName, EffectId, HandoffId, InputId, NodeId, NodeType, Port};
use serde::{Deserialize, Serialize};

/// One thing that happened in a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A node was called and decided.
    Stepped {
        /// Whose flow.
        bot: BotName,
        /// The node.
        node: NodeId,
        /// Its type.
        node_type: NodeType,
        /// Why it was called.
        trigger: String,
        /// What it decided.
        decision: StepDecision,
    },
    /// A node did not come to a decision, or its decision could not be carried out.
    Failed(NodeError),
    /// A node wrote a log line.
    Logged {
        /// The node.
        node: NodeId,
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// The line.
        text: String,
    },
    /// A node sent a request over HTTP, or wanted to.
    Called {
        /// The node.
        node: NodeId,
        /// What, and what came of it.
        call: Call,
    },
    /// A node asked how many agents there are.
    AskedForAgents {
        /// The node.
        node: NodeId,
        /// What, and what was told.
        asked: Asked,
    },
    /// An owner was pushed; the stack as it is now.
    Pushed {
        /// Names of the owners, the one in charge last.
        stack: Vec<String>,
    },
    /// An owner was popped; the stack as it is now.
    Popped {
        /// Names of the owners, the one in charge last.
        stack: Vec<String>,
    },
    /// A transport reported something.
    Signalled {
        /// The handoff.
        handoff: HandoffId,
        /// What.
        signal: Signal,
    },
    /// A handoff ended.
    HandoffEnded {
        /// The handoff.
        handoff: HandoffId,
        /// How.
        end: HandoffEnd,
    },
    /// Something came for a handoff that is over.
    Late {
        /// The handoff.
        handoff: HandoffId,
        /// Whether it is what an agent wrote, and the user got it all the same. Nothing else is used.
        #[serde(default, skip_serializing_if = "is_false")]
        told: bool,
    },
    /// A message of the user's reached nobody.
    Undelivered {
        /// The input that was the message.
        message: InputId,
    },
    /// The outside was asked to do something: an effect of this turn.
    Asked(EffectId),
    /// The input changed nothing.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The session closed.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// What a node decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepDecision {
    /// To go on by a port.
    Leave {
        /// The port.
        port: Port,
        /// Where it leads; none ends the flow.
        to: Option<NodeId>,
    },
    /// To wait for the user.
    Wait,
    /// To push a bot.
    PushBot(BotName),
    /// To hand over to an agent.
    Transfer,
    /// To close the session.
    Close,
}

/// What went wrong in a node. Templates read it as `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeError {
    /// The node.
    pub node: NodeId,
    /// Stable code.
    pub code: String,
    /// What happened, where, and what to do about it.
    pub message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}
