//! `cargo xtask build-nodes`: the node components, where host and tests look for them.
//!
//! One cargo call builds everything, so that cargo shows its progress and does nothing when nothing
//! changed. Files are replaced only when their content differs: what is cached by modification time
//! stays valid. Folders of the machine are kept out of the components, so that the same source has
//! the same digest everywhere; sessions are pinned to digests.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use crate::workspace::{Workspace, cargo};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "node";

/// Which components to build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The nodes, which are all that a flow needs.
    Nodes,
    /// The nodes and the misbehaving ones of the fixtures, which only tests need.
    NodesAndFixtures,
}

/// Builds the components. Returns the folder that holds them: `<node>.wasm` for every node,
/// `fixtures/<fixture>.wasm` for every misbehaving one.
pub(crate) fn run(scope: Scope) -> anyhow::Result<PathBuf> {
    let workspace = Workspace::load()?;
    let folder = workspace.target_directory.join("nodes");
    // By package name, where its component goes.
    let mut wanted = BTreeMap::new();
    for node in workspace
        .members_in("nodes")
        .filter(|node| node.folder_name() != "sdk")
    {
        wanted.insert(
            node.name.clone(),
            folder.join(format!("{}.wasm", node.folder_name())),
        );
    }
    let fixtures = (scope == Scope::NodesAndFixtures)
        .then(|| workspace.members_in("fixtures/components"))
        .into_iter()
        .flatten();
    for fixture in fixtures {
        let file = folder.join(format!("fixtures/{}.wasm", fixture.folder_name()));
        wanted.insert(fixture.name.clone(), file);
    }

    require_target()?;
    for (package, built) in build(&workspace, wanted.keys())? {
        if let Some(file) = wanted.remove(&package) {
            replace(&file, &built)?;
        }
    }
    if let Some(package) = wanted.keys().next() {
        bail!("{package} made no component. Its Cargo.toml needs crate-type = [\"cdylib\"].");
    }
    Ok(folder)
}

/// Fetches the target where it is missing. Where that cannot be, says what to do: cargo would only say
/// that it can't find the standard library.
fn require_target() -> anyhow::Result<()> {
    if has_target()? {
        return Ok(());
    }
    // It fails where the toolchain is not rustup's.
    let _ = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    ensure!(
        has_target()?,
        "the target {TARGET} is missing; run: rustup target add {TARGET}"
    );
    Ok(())
}

fn has_target() -> anyhow::Result<bool> {
    let rustc = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("rustc can't be started")?;
    let library = String::from_utf8_lossy(&rustc.stdout);
    Ok(rustc.status.success() && Path::new(library.trim()).is_dir())
}

/// Builds packages in one cargo call. Gives the component of each.
fn build<'a>(
    workspace: &Workspace,
    packages: impl Iterator<Item = &'a String>,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut build = cargo()
        .current_dir(&workspace.workspace_root)
        .args(["build", "--target", TARGET, "--profile", PROFILE])
        .args(["--message-format", "json-render-diagnostics"])
        .args(["--config", &without_folders(workspace)?])
        .args(packages.flat_map(|package| ["--package", package]))
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo can't be started")?;
    let messages = build.stdout.take().expect("stdout is piped");
    let mut components = BTreeMap::new();
    for line in BufReader::new(messages).lines() {
        let message: Message = serde_json::from_str(&line?).context("cargo's message")?;
        let Message::CompilerArtifact {
            manifest_path,
            filenames,
        } = message
        else {
            continue;
        };
        let package = workspace.package_at(&manifest_path);
        let component = filenames
            .into_iter()
            .find(|file| file.extension().is_some_and(is_wasm));
        if let (Some(package), Some(component)) = (package, component) {
            components.insert(package.name.clone(), component);
        }
    }
    ensure!(
        build.wait()?.success(),
        "the nodes can't be built; cargo said why"
    );
    Ok(components)
}

/// Cargo configuration under which panic messages name files relative to the checkout, or to cargo's
/// own folder.
fn without_folders(workspace: &Workspace) -> anyhow::Result<String> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .context("cargo's folder is unknown; set CARGO_HOME")?;
    let flags = [
        format!("--remap-path-prefix={}=cargo", cargo_home.display()),
        format!(
            "--remap-path-prefix={}=handoff",
            workspace.workspace_root.display()
        ),
    ];
    // A JSON array of strings is a TOML one too.
    Ok(format!(
        "target.{TARGET}.rustflags={}",
        serde_json::to_string(&flags)?
    ))
}

/// What cargo reports of a build, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        manifest_path: PathBuf,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

fn is_wasm(extension: &std::ffi::OsStr) -> bool {
    extension == "wasm"
}

/// Puts a file's content under another name, unless it is there already. Whoever reads at the same
/// time sees the old file or the new one, never half of it.
fn replace(file: &Path, built: &Path) -> anyhow::Result<()> {
    let content = fs::read(built).with_context(|| format!("reading {}", built.display()))?;
    if fs::read(file).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let written = || {
        fs::create_dir_all(file.parent().expect("a file is in a folder"))?;
        let fresh = file.with_extension(format!("{}.new", std::process::id()));
        fs::write(&fresh, &content)?;
        fs::rename(&fresh, file)
    };
    written().with_context(|| format!("writing {}", file.display()))
}
