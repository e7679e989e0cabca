//! A host and the versions it may take: what is in the project's directory, and what was before.
//!
//! One deployment at a time, so that what was asked for last is what is current.

use super::{ReleaseError, Releases};
use crate::host::{Host, StartError};
use handoff_engine::time::Millis;
use handoff_genesys::Secrets;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How often it is looked for versions that nobody needs any more.
const TIDY_EVERY: Millis = Millis::from_mins(10);

/// A host and the versions it may take. Cheap to clone.
#[derive(Clone)]
pub struct Deployments {
    host: Host,
    releases: Releases,
    secrets: Arc<dyn Secrets + Send + Sync>,
    turn: Arc<Mutex<()>>,
}

impl fmt::Debug for Deployments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployments")
            .field("releases", &self.releases)
            .finish_non_exhaustive()
    }
}

/// What became of a look at the project's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// New sessions take the version with this digest.
    Deployed(String),
    /// The directory holds the version with this digest, which new sessions take already.
    Unchanged(String),
}

/// A version that new sessions do not take. Those that they take go on.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// It has mistakes, or cannot be had.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// An account of it cannot be used.
    #[error(transparent)]
    Account(#[from] StartError),
}

impl Deployments {
    /// A host and the versions it may take.
    #[must_use]
    pub fn new(host: &Host, releases: Releases, secrets: Arc<dyn Secrets + Send + Sync>) -> Self {
        Self {
            host: host.clone(),
            releases,
            secrets,
            turn: Arc::default(),
        }
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn releases(&self) -> &Releases {
        &self.releases
    }

    /// Has new sessions take what is in the project's directory now.
    ///
    /// # Errors
    ///
    /// If that has mistakes, or an account of it cannot be used.
    pub async fn reload(&self) -> Result<Reload, DeployError> {
        let _turn = self.turn.lock().await;
        let project = self.releases.in_directory().await?;
        let digest = project.digest().to_owned();
        if self.host.project().digest() == digest {
            return Ok(Reload::Unchanged(digest));
        }
        self.host.deploy(project, &*self.secrets)?;
        Ok(Reload::Deployed(digest))
    }

    /// Has new sessions take an earlier version again, also after a restart, until what is in the
    /// directory changes.
    ///
    /// # Errors
    ///
    /// If it is not in the archive, or an account of it cannot be used.
    pub async fn go_back_to(&self, digest: &str) -> Result<(), DeployError> {
        let _turn = self.turn.lock().await;
        let project = self.releases.recall(digest).await?;
        self.host.deploy(project, &*self.secrets)?;
        Ok(self.releases.choose(digest).await?)
    }

    /// Reads the secrets again with which calls of Genesys' are checked, as [`Host::renew_secrets`].
    ///
    /// # Errors
    ///
    /// If one cannot be had.
    pub fn renew_secrets(&self) -> Result<usize, StartError> {
        self.host.renew_secrets(&*self.secrets)
    }

    /// Lets go of versions that no session needs any more, now and from time to time. The archive keeps
    /// those that were current last, to go back to.
    pub fn keep_tidy(&self) {
        let deployments = self.clone();
        self.host.spawn(async move {
            loop {
                match deployments.host.retire_versions().await {
                    Ok(gone) if gone.is_empty() => {}
                    Ok(gone) => {
                        tracing::info!(?gone, "versions that no session needs are let go of");
                    }
                    Err(error) => tracing::error!(%error, "versions cannot be looked through"),
                }
                let clock = &deployments.host.0.clock;
                drop(clock.sleep_until(clock.now() + TIDY_EVERY).await);
            }
        });
    }
}
