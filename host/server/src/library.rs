//! The node components a host can run, found in directories.

use handoff_engine::name::NodeType;
use handoff_engine::node::{LoadError, Node, Runtime};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Node types by name.
#[derive(Clone, Debug, Default)]
pub struct NodeLibrary(pub BTreeMap<NodeType, Arc<Node>>);

/// A component that cannot be added to a library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// There is no such directory.
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
    /// A file is not a node.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Two files have a node type of the same name.
    #[error("the node type '{node_type}' is in two files, {first} and {second}; remove one")]
    Twice {
        /// The node type.
        node_type: NodeType,
        /// A file.
        first: String,
        /// Another file.
        second: String,
    },
}

impl NodeLibrary {
    /// Loads every `*.wasm` file of some directories. All mistakes are reported at once.
    pub async fn load(runtime: &Runtime, directories: &[PathBuf]) -> Result<Self, Vec<LibraryError>> {
        let mut errors = Vec::new();
        let mut loading = JoinSet::new();
        for directory in directories {
            match components(directory) {
                Ok(files) => {
                    for file in files {
                        let runtime = runtime.clone();
                        loading.spawn(async move {
                            let node = load(&runtime, &file).await;
                            (file, node)
                        });
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        let mut loaded: Vec<(PathBuf, Node)> = Vec::new();
        while let Some(joined) = loading.join_next().await {
            match joined {
                Ok((file, Ok(node))) => loaded.push((file, node)),
                Ok((_, Err(error))) => errors.push(error),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            }
        }
        loaded.sort_by(|a, b| a.0.cmp(&b.0));
        let mut nodes: BTreeMap<NodeType, Arc<Node>> = BTreeMap::new();
        let mut files: BTreeMap<NodeType, String> = BTreeMap::new();
        for (file, node) in loaded {
            let node_type = node.descriptor().node_type.clone();
            let file = file.display().to_string();
            match files.get(&node_type) {
                Some(first) => errors.push(LibraryError::Twice {
                    node_type,
                    first: first.clone(),
                    second: file,
                }),
                None => {
                    files.insert(node_type.clone(), file);
                    nodes.insert(node_type, Arc::new(node));
                }
            }
        }
        if errors.is_empty() {
            Ok(Self(nodes))
        } else {
            Err(errors)
        }
    }
}

fn components(directory: &Path) -> Result<Vec<PathBuf>, LibraryError> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Err(LibraryError::NoDirectory {
            path: directory.display().to_string(),
        });
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "wasm"))
        .collect();
    files.sort();
    Ok(files)
}

async fn load(runtime: &Runtime, file: &Path) -> Result<Node, LibraryError> {
    let bytes = std::fs::read(file).map_err(|error| LibraryError::Unreadable {
        path: file.display().to_string(),
        error,
    })?;
    let name = file.display().to_string();
    Ok(Node::load(runtime, &name, &bytes).await?)
}
