//! A project's directory under watch: what is saved is what new sessions take.
//!
//! Editors write in several steps, so a change counts once the directory has been quiet for a moment.
//! A version with mistakes is told and changes nothing.

use super::{ReleaseError, Releases};
use crate::host::{Host, StartError};
use handoff_genesys::Secrets;
use notify::{Event, RecursiveMode, Watcher};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the directory must be quiet.
const QUIET: Duration = Duration::from_millis(300);

/// What became of a change.
#[derive(Debug)]
pub enum Reload {
    /// New sessions take the version with this digest.
    Deployed(String),
    /// The version has mistakes, or cannot be read. The one before goes on.
    Refused(ReleaseError),
    /// An account of the version cannot be used. The one before goes on.
    Unusable(StartError),
}

/// Watches for as long as it is kept.
#[derive(Debug)]
pub struct Watching {
    /// Its dropping ends the events.
    _watcher: notify::RecommendedWatcher,
}

impl Releases {
    /// Deploys what is saved in the directory from now on, and tells what became of it.
    ///
    /// # Errors
    ///
    /// If the system does not let the directory be watched.
    pub fn watch(
        &self,
        host: &Host,
        secrets: Arc<dyn Secrets + Send + Sync>,
        tell: impl Fn(Reload) + Send + Sync + 'static,
    ) -> Result<Watching, notify::Error> {
        let (changed, changes) = mpsc::unbounded_channel();
        let root = self.directory.clone();
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
        watcher.watch(&self.directory, RecursiveMode::Recursive)?;
        let follow = follow(self.clone(), host.clone(), secrets, changes, tell);
        host.spawn(follow);
        Ok(Watching { _watcher: watcher })
    }
}

async fn follow(
    releases: Releases,
    host: Host,
    secrets: Arc<dyn Secrets + Send + Sync>,
    mut changes: mpsc::UnboundedReceiver<()>,
    tell: impl Fn(Reload),
) {
    while changes.recv().await.is_some() {
        while let Ok(Some(())) = tokio::time::timeout(QUIET, changes.recv()).await {}
        let project = match releases.in_directory().await {
            Ok(project) => project,
            Err(error) => {
                tell(Reload::Refused(error));
                continue;
            }
        };
        let digest = project.digest().to_owned();
        if host.project().digest() == digest {
            continue;
        }
        tell(match host.deploy(project, &*secrets) {
            Ok(()) => Reload::Deployed(digest),
            Err(error) => Reload::Unusable(error),
        });
    }
}

/// Whether a path below the project's directory may be part of the project. What a host keeps beside
/// it in a hidden directory is not.
fn is_part(root: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
    !inside.iter().any(hidden)
}
