//! A project as a directory on disk.

use handoff_engine::project::{MANIFEST, ProjectFiles};
use std::io;
use std::path::{Path, PathBuf};

/// Files larger than this are no part of a project.
const MAX_FILE: u64 = 4 << 20;
/// Directories deeper than this are no part of a project.
const MAX_DEPTH: usize = 8;

/// A project's directory and the texts in it.
#[derive(Clone, Debug)]
pub struct ProjectDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// Its texts.
    pub files: ProjectFiles,
}

/// A directory that cannot be read as a project.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is none.
    #[error("'{path}' is not a project: it holds no '{MANIFEST}'. Name the directory that does")]
    NotAProject {
        /// The path.
        path: String,
    },
    /// It cannot be read.
    #[error("'{path}' cannot be read: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A file is too large to be meant.
    #[error("'{path}' is larger than {} MiB, which no file of a project may be", MAX_FILE >> 20)]
    TooLarge {
        /// The path.
        path: String,
    },
}

impl ProjectDirectory {
    /// Reads a project's directory, or that of a `project.toml`.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        let path = match path.file_name() {
            Some(name) if name == MANIFEST => path.parent().unwrap_or(Path::new(".")),
            _ => path,
        };
        if !path.join(MANIFEST).is_file() {
            return Err(DirectoryError::NotAProject {
                path: path.display().to_string(),
            });
        }
        let mut files = ProjectFiles::default();
        collect(path, "", 0, &mut files)?;
        Ok(Self {
            path: path.to_owned(),
            files,
        })
    }

    /// Where the project keeps node components of its own.
    #[must_use]
    pub fn nodes(&self) -> PathBuf {
        self.path.join("nodes")
    }
}

fn collect(
    directory: &Path,
    prefix: &str,
    depth: usize,
    files: &mut ProjectFiles,
) -> Result<(), DirectoryError> {
    let unreadable = |path: &Path, error| DirectoryError::Unreadable {
        path: path.display().to_string(),
        error,
    };
    let entries = std::fs::read_dir(directory).map_err(|error| unreadable(directory, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(directory, error))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let relative = format!("{prefix}{name}");
        if path.is_dir() {
            let foreign = ["nodes", "target", "node_modules"].contains(&name.as_str());
            if !foreign && depth < MAX_DEPTH {
                collect(&path, &format!("{relative}/"), depth + 1, files)?;
            }
            continue;
        }
        if !(name.ends_with(".json") || name.ends_with(".toml")) {
            continue;
        }
        let size = entry.metadata().map_or(0, |metadata| metadata.len());
        if size > MAX_FILE {
            return Err(DirectoryError::TooLarge { path: relative });
        }
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        files.0.insert(relative, text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_a_manifest_is_not_a_project() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let error = ProjectDirectory::read(directory.path()).expect_err("refused");
        assert!(
            error.to_string().contains("holds no 'project.toml'"),
            "{error}"
        );
    }

    #[test]
    fn flows_workers_and_scenarios_are_read_and_the_rest_is_left_alone() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
            std::fs::write(path, "{}").expect("written");
        };
        for name in [
            "project.toml",
            "flows/main.json",
            "workers/live/w.json",
            "README.md",
            ".git/x.json",
            "nodes/n.json",
        ] {
            write(name);
        }
        let project = ProjectDirectory::read(&directory.path().join("project.toml"));
        let files = project.expect("reads").files.0;
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["flows/main.json", "project.toml", "workers/live/w.json"]
        );
    }
}
