//! Node components in a directory.

use handoff_engine::Component;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files larger than this are no nodes.
const MAX_FILE: u64 = 64 << 20;

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
    /// Something that is no file.
    #[error("'{path}' is no file; put the component itself there")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// A file is too large to be a node.
    #[error("'{path}' is larger than {} MiB, which no node may be", MAX_FILE >> 20)]
    TooLarge {
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
    files.iter().map(|file| read_component(file)).collect()
}

/// Reads one component. What is no regular file is not opened, as it may never end.
///
/// # Errors
///
/// If it is no file, or larger than any node, or cannot be read.
pub fn read_component(file: &Path) -> Result<Component, ComponentsError> {
    let name = file.display().to_string();
    let unreadable = |error| ComponentsError::Unreadable {
        path: name.clone(),
        error,
    };
    let found = std::fs::metadata(file).map_err(unreadable)?;
    if !found.is_file() {
        return Err(ComponentsError::NotAFile { path: name });
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let read = opened.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(ComponentsError::TooLarge { path: name });
    }
    Ok(Component { name, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_never_ends_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.wasm");
        std::fs::create_dir(&file).expect("is made");
        let refused = read_components(folder.path()).expect_err("is refused");
        assert!(matches!(refused, ComponentsError::NotAFile { .. }));
        std::fs::remove_dir(&file).expect("is removed");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/dev/zero", &file).expect("is made");
            let refused = read_components(folder.path()).expect_err("is refused");
            assert!(matches!(refused, ComponentsError::NotAFile { .. }));
            std::fs::remove_file(&file).expect("is removed");
        }
        let sparse = std::fs::File::create(&file).expect("is made");
        sparse.set_len(MAX_FILE + 1).expect("is grown");
        let refused = read_components(folder.path()).expect_err("is refused");
        assert!(matches!(refused, ComponentsError::TooLarge { .. }));
    }
}
