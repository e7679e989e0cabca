//! What a designer sets on a `checkAvailability` node.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::hours::BusinessHours;

/// When agents count as available.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The exact name of the Genesys queue. Left out, it is the account's own, where it has one.
    #[schemars(extend("format" = "queue", "examples" = ["Customer Support"]))]
    pub(crate) queue: Option<String>,
    /// The account of the project that has the agents. Left out, it is the default account.
    #[schemars(extend("format" = "account"))]
    pub(crate) account: Option<String>,
    /// When agents work. Left out, they may work at any time.
    pub(crate) business_hours: Option<BusinessHours>,
    /// On: an agent has to be free this moment. Off: it is enough that one is on queue.
    #[serde(default)]
    pub(crate) idle_agents_only: bool,
    /// How many conversations may wait before the user.
    #[schemars(extend("examples" = [10]))]
    pub(crate) max_waiting: Option<u32>,
    /// How many minutes the user may have to wait, as Genesys estimates it.
    #[schemars(extend("examples" = [15]))]
    pub(crate) max_wait_minutes: Option<u32>,
    /// What to take for granted where the platform does not tell, as Genesys Engage does not.
    #[serde(default)]
    pub(crate) when_unknown: WhenUnknown,
    /// The context key for what was found: available, reason, counts, and when it opens.
    #[serde(default = "availability")]
    #[schemars(extend("format" = "context-key", "examples" = ["availability"]))]
    pub(crate) store_in: String,
}

/// What to take for granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum WhenUnknown {
    /// That there are agents: the handoff itself will tell.
    #[default]
    Available,
    /// That there are none.
    Unavailable,
}

fn availability() -> String {
    "availability".to_owned()
}
