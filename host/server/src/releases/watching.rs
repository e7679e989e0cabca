//! A project's directory under watch: what is saved is what new sessions take.
//!
//! A version with mistakes is told and changes nothing.

use super::deploying::{DeployError, Deployments, Reload};
use crate::changes::Changes;

impl Deployments {
    /// Deploys what is saved in the project's directory from now on, and tells what became of it.
    ///
    /// # Errors
    ///
    /// If the system does not let the directory be watched.
    pub fn watch(
        &self,
        tell: impl Fn(Result<Reload, DeployError>) + Send + Sync + 'static,
    ) -> Result<(), notify::Error> {
        let changes = Changes::of([self.releases().directory()])?;
        self.host().spawn(follow(self.clone(), changes, tell));
        Ok(())
    }
}

async fn follow(
    deployments: Deployments,
    mut changes: Changes,
    tell: impl Fn(Result<Reload, DeployError>),
) {
    loop {
        changes.next().await;
        let outcome = deployments.reload().await;
        if !matches!(outcome, Ok(Reload::Unchanged(_))) {
            tell(outcome);
        }
    }
}
