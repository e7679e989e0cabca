//! Node components in a directory.

use handoff_engine::Component;
use std::path::{Path, PathBuf};

/// A directory of components that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ComponentsError {
    /// There is none.
    #[error(
        "no node components: '{path}' is not a directory. Build them with 'cargo xtask build-nodes', \
         or name their directory with --nodes or HANDOFF_NODES"
    )]
    NoDirectory {
        /// The path.
        path: String,
    },
    /// A file cannot be read.
    #[error("'{path}' cannot be read: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        #[source]
        error: std::io::Error,
    },
}

/// Reads every `*.wasm` file of a directory, in order of their names.
pub fn read_components(directory: &Path) -> Result<Vec<Component>, ComponentsError> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Err(ComponentsError::NoDirectory {
            path: directory.display().to_string(),
        });
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "wasm"))
        .collect();
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn read(file: &Path) -> Result<Component, ComponentsError> {
    let name = file.display().to_string();
    match std::fs::read(file) {
        Ok(bytes) => Ok(Component { name, bytes }),
        Err(error) => Err(ComponentsError::Unreadable { path: name, error }),
    }
}
