//! A session as its user may see it.

use super::event::ClosedJson;
use handoff_engine::session::{Owner, Phase, Session, Status};
use serde::Serialize;
use utoipa::ToSchema;

/// A session as of its last turn.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(in crate::http) struct SessionJson {
    id: String,
    /// How many turns it has been through.
    revision: u64,
    /// Whether it goes on.
    open: bool,
    /// Who is in charge; nobody once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<OwnerJson>,
    /// Why it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<ClosedJson>,
    /// Since when it is over, in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
}

/// Who is in charge.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[schema(as = Owner)]
pub(in crate::http) enum OwnerJson {
    /// A bot.
    Bot {
        /// Its name.
        name: String,
    },
    /// The agent side.
    Agent {
        phase: PhaseJson,
        /// The agent's display name, once one is connected.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}

/// How far a handoff is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Phase)]
pub(in crate::http) enum PhaseJson {
    /// Asked for.
    Opening,
    /// Waiting for an agent.
    Queued,
    /// An agent is connected.
    Connected,
}

impl From<&Session> for SessionJson {
    fn from(from: &Session) -> Self {
        let (closed, closed_at) = match &from.status {
            Status::Open => (None, None),
            Status::Closed { reason, at } => (Some(reason.into()), Some(at.to_iso())),
        };
        Self {
            id: from.id.to_string(),
            revision: from.revision.0,
            open: from.is_open(),
            owner: from.owner().filter(|_| from.is_open()).map(OwnerJson::from),
            closed,
            closed_at,
        }
    }
}

impl From<&Owner> for OwnerJson {
    fn from(from: &Owner) -> Self {
        let Some(handoff) = from.handoff() else {
            return Self::Bot { name: from.name() };
        };
        let (phase, name) = match &handoff.phase {
            Phase::Opening => (PhaseJson::Opening, None),
            Phase::Queued => (PhaseJson::Queued, None),
            Phase::Connected(agent) => (PhaseJson::Connected, Some(agent.name.clone())),
        };
        Self::Agent { phase, name }
    }
}
