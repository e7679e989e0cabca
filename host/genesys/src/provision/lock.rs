//! What was provisioned, by id: a name can change at Genesys, an id cannot.

use handoff_engine::name::AccountName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The ids of everything that was provisioned for a project. Whoever runs the command keeps it, beside the
/// project, and gives it again. It holds no secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// By account, the ids of its integrations by name.
    #[serde(default)]
    pub integrations: BTreeMap<AccountName, BTreeMap<String, String>>,
}

impl Lock {
    pub(super) fn id(&self, account: &AccountName, integration: &str) -> Option<&str> {
        let id = self.integrations.get(account)?.get(integration)?;
        Some(id)
    }

    pub(super) fn remember(&mut self, account: &AccountName, integration: &str, id: &str) {
        self.integrations
            .entry(account.clone())
            .or_default()
            .insert(integration.to_owned(), id.to_owned());
    }
}
