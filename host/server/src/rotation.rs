//! Secrets of webhooks read again while the host runs.

use crate::host::{Host, StartError};
use crate::versions::OfVersion;
use handoff_genesys::Secrets;

impl Host {
    /// Reads the secrets again with which calls of Genesys' are checked, of every version's accounts. What
    /// was accepted before is accepted for an hour longer. Returns how many accounts have another secret
    /// now. Blocks if the secrets' source does.
    ///
    /// # Errors
    ///
    /// If a secret cannot be had. Then the accounts concerned go on with theirs.
    pub fn renew_secrets(&self, secrets: &dyn Secrets) -> Result<usize, StartError> {
        let (mut changed, mut errors) = (0, Vec::new());
        for version in self.0.versions.all() {
            let project = &version.project;
            for (name, account) in project.accounts() {
                let Some(transport) = version.transport(name) else {
                    continue;
                };
                match transport.renew_secrets(account, &OfVersion(project, secrets)) {
                    Ok(renewed) => changed += usize::from(renewed),
                    Err(error) => errors.push(error),
                }
            }
        }
        if errors.is_empty() {
            Ok(changed)
        } else {
            Err(StartError::Accounts(errors))
        }
    }
}
