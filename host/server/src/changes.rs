//! Directories under watch, for what is to follow a project as it is written.

use notify::{Event, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;

/// How long the directories must be quiet: editors write in several steps.
const QUIET: Duration = Duration::from_millis(300);

/// Changes of the files below some directories, for as long as this is kept. What is kept there in
/// hidden directories is not looked at.
#[derive(Debug)]
pub struct Changes {
    changes: mpsc::UnboundedReceiver<()>,
    /// Its dropping ends the events.
    _watcher: notify::RecommendedWatcher,
}

impl Changes {
    /// Watches directories.
    ///
    /// # Errors
    ///
    /// If the system does not let them be watched.
    pub fn of<'a>(directories: impl IntoIterator<Item = &'a Path>) -> Result<Self, notify::Error> {
        let roots: Vec<PathBuf> = directories.into_iter().map(Path::to_owned).collect();
        let (changed, changes) = mpsc::unbounded_channel();
        let within = roots.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let concerns = |event: Event| {
                let seen = !event.kind.is_access();
                seen && event.paths.iter().any(|path| is_seen(&within, path))
            };
            // An error means that something may have been missed.
            if event.map_or(true, concerns) {
                // Without a receiver nobody looks any more.
                let _ = changed.send(());
            }
        })?;
        for root in &roots {
            watcher.watch(root, RecursiveMode::Recursive)?;
        }
        Ok(Self {
            changes,
            _watcher: watcher,
        })
    }

    /// Waits until something has changed and the directories have been quiet for a moment.
    pub async fn next(&mut self) {
        if self.changes.recv().await.is_none() {
            // The watcher is gone: nothing will ever come.
            std::future::pending::<()>().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, self.changes.recv()).await {}
    }
}

/// Whether a path is not in a hidden directory below one that is watched. What begins with two dots is
/// not hidden: Kubernetes swaps the link `..data` when the files of a ConfigMap change.
fn is_seen(roots: &[PathBuf], path: &Path) -> bool {
    let inside = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    let hidden = |part: &std::ffi::OsStr| {
        let part = part.to_string_lossy();
        part.starts_with('.') && !part.starts_with("..")
    };
    !inside.unwrap_or(path).iter().any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_are_not_seen_and_the_swap_of_a_config_map_is() {
        let roots = [PathBuf::from("/p")];
        for (path, seen) in [
            ("/p/flows/main.json", true),
            ("/p/..data", true),
            ("/p/flows/..2026_12_01/main.json", true),
            ("/p/.handoff/sessions", false),
            ("/p/flows/.main.json.swp", false),
        ] {
            assert_eq!(is_seen(&roots, Path::new(path)), seen, "{path}");
        }
    }
}
