//! A project's directory under watch: what is saved is what new sessions take.
//!
//! Editors write in several steps, so a change counts once the directory has been quiet for a moment.
//! A version with mistakes is told and changes nothing.

use super::deploying::{DeployError, Deployments, Reload};
use notify::{Event, RecursiveMode, Watcher};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the directory must be quiet.
const QUIET: Duration = Duration::from_millis(300);

/// Watches for as long as it is kept.
#[derive(Debug)]
pub struct Watching {
    /// Its dropping ends the events.
    _watcher: notify::RecommendedWatcher,
}

impl Deployments {
    /// Deploys what is saved in the project's directory from now on, and tells what became of it.
    ///
    /// # Errors
    ///
    /// If the system does not let the directory be watched.
    pub fn watch(
        &self,
        tell: impl Fn(Result<Reload, DeployError>) + Send + Sync + 'static,
    ) -> Result<Watching, notify::Error> {
        let (changed, changes) = mpsc::unbounded_channel();
        let directory = self.releases().directory();
        let root = directory.to_owned();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let concerns = |event: Event| {
                let seen = !event.kind.is_access();
                seen && event.paths.iter().any(|path| is_part(&root, path))
            };
            // An error means that something may have been missed.
            if event.map_or(true, concerns) {
                // Without a receiver the host has stopped.
                let _ = changed.send(());
            }
        })?;
        watcher.watch(directory, RecursiveMode::Recursive)?;
        self.host().spawn(follow(self.clone(), changes, tell));
        Ok(Watching { _watcher: watcher })
    }
}

async fn follow(
    deployments: Deployments,
    mut changes: mpsc::UnboundedReceiver<()>,
    tell: impl Fn(Result<Reload, DeployError>),
) {
    while changes.recv().await.is_some() {
        while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {}
        let outcome = deployments.reload().await;
        if !matches!(outcome, Ok(Reload::Unchanged(_))) {
            tell(outcome);
        }
    }
}

/// Whether a path below the project's directory may be part of the project. What a host keeps beside
/// it in a hidden directory is not.
fn is_part(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
    !inside.iter().any(hidden)
}
