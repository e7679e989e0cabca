//! What is kept of a ticket once it is over.

use handoff_node::{Context, EndReason, Port, SessionEnd};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{TICKET_CLOSED, UNAVAILABLE, USER_LEFT};

/// Where the host keeps Genesys' id of the last conversation.
pub(crate) const CONVERSATION: &str = "LastConversationId";

/// How far a ticket got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    /// An agent had it when the user left.
    Assigned,
    /// The agent closed it, or the user did before an agent had it.
    Closed,
    /// No agent could be found.
    Unavailable,
    /// It could not be raised, or broke.
    Error,
}

/// Where the flow goes once the ticket is over, and what is kept of it. What is not known is left
/// out.
pub(crate) fn of(end: &SessionEnd, context: &impl Context) -> (Port, Value) {
    let (port, status) = match end.reason {
        EndReason::AgentLeft => (TICKET_CLOSED, Status::Closed),
        EndReason::UserLeft if end.last_agent.is_some() => (USER_LEFT, Status::Assigned),
        EndReason::UserLeft => (USER_LEFT, Status::Closed),
        EndReason::Error if end.has_code("transfer.no_agent") => (UNAVAILABLE, Status::Unavailable),
        // Completed is how a bot ends, never a handoff.
        EndReason::Error | EndReason::Completed => (Port::ERROR, Status::Error),
    };
    let mut response = json!({ "status": status });
    if let Some(agent) = &end.last_agent {
        response["assignedTo"] = json!(agent);
    }
    if let Some(id) = context.get(CONVERSATION) {
        response["ticketId"] = id;
    }
    if !end.code().is_empty() {
        response["reason"] = json!(end.code());
    }
    (port, response)
}
