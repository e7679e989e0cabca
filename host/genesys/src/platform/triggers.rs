//! Process automation triggers: what starts a workflow.

use super::call::Platform;
use super::error::PlatformError;
use serde::Deserialize;

/// A trigger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trigger {
    #[serde(default)]
    pub(crate) name: String,
    /// With `{id}` as it stands.
    #[serde(default)]
    pub(crate) topic_name: String,
    #[serde(default)]
    pub(crate) enabled: bool,
}

#[derive(Deserialize)]
struct Triggers {
    #[serde(default)]
    entities: Vec<Trigger>,
}

impl Platform {
    /// The organisation's triggers, the first few hundred at least.
    pub(crate) async fn triggers(&self) -> Result<Vec<Trigger>, PlatformError> {
        let path = "/api/v2/processautomation/triggers".to_owned();
        let (doing, permission) = ("list triggers", "processautomation:trigger:view");
        let page: Triggers = self
            .get(path, &[("pageSize", "200")], doing, permission)
            .await?;
        Ok(page.entities)
    }
}
