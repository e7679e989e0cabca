//! What every account with an OAuth client is asked: who it is, and its queues.

use super::finding::{Finding, foretold};
use super::queues;
use crate::platform::{Organization, Platform, PlatformError};

/// What there was to see.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) organization: Organization,
    pub(super) queues: queues::Seen,
}

/// Looks, unless the client is not let in: then nothing else can be seen.
pub(super) async fn look(platform: &Platform, queues: &[String]) -> Result<Seen, PlatformError> {
    Ok(Seen {
        organization: platform.organization().await?,
        queues: queues::look(platform, queues).await,
    })
}

/// What it means that the client is not let in.
pub(super) fn shut_out(error: &PlatformError) -> Finding {
    Finding::error(foretold(error.code()), error.to_string()).help(
        "in Genesys, see Admin, Integrations, OAuth: the client exists, is active, and its grant type is \
         Client Credentials",
    )
}

impl Seen {
    pub(super) fn let_in(&self, client: &str) -> Finding {
        let Organization { id, name } = &self.organization;
        Finding::ok(
            "org.credentials",
            format!("OAuth client '{client}' is let in to the organisation '{name}' ({id})."),
        )
    }
}
