//! What cargo knows about this workspace.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// The workspace, as `cargo metadata` tells it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Where cargo builds; honours `CARGO_TARGET_DIR` and cargo's configuration.
    pub(crate) target_directory: PathBuf,
    /// The checkout.
    pub(crate) workspace_root: PathBuf,
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    manifest_path: PathBuf,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let output = cargo()
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .context("cargo can't be started")?;
        ensure!(
            output.status.success(),
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).context("cargo metadata is not as expected")
    }

    /// The members directly inside a folder of the checkout.
    pub(crate) fn members_in(&self, folder: &str) -> impl Iterator<Item = &Package> {
        let folder = self.workspace_root.join(folder);
        self.packages
            .iter()
            .filter(move |package| package.folder().parent() == Some(&folder))
    }

    /// The member with this manifest.
    pub(crate) fn package_at(&self, manifest: &Path) -> Option<&Package> {
        self.packages
            .iter()
            .find(|package| package.manifest_path == manifest)
    }
}

impl Package {
    /// The package's own folder.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path
            .parent()
            .expect("a manifest is in a folder")
    }

    /// The name of that folder.
    pub(crate) fn folder_name(&self) -> &str {
        let name = self.folder().file_name().and_then(|name| name.to_str());
        name.expect("folders of this workspace have plain names")
    }
}

/// The cargo that runs this chore.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command in the checkout. `what` says what failed if it fails.
pub(crate) fn run_in(
    workspace: &Workspace,
    what: &str,
    command: &mut Command,
) -> anyhow::Result<()> {
    let status = command
        .current_dir(&workspace.workspace_root)
        .status()
        .with_context(|| format!("{what} can't be started"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}
