//! `cargo xtask fuzz`: every fuzz target for a while, one line for each.
//!
//! The targets are built once, with coverage instrumentation and no sanitizer, which a stable
//! toolchain can do. They have a target directory of their own inside the workspace's: the build takes
//! minutes, and in the shared one its lock would keep every other cargo command waiting.

use crate::workspace::{Workspace, cargo, run_in};
use anyhow::{Context, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The version the targets were last run with.
const INSTALL: &str = "cargo install cargo-fuzz --locked --version 0.13.2";

/// The longest input, bytes: long enough for a whole conversation.
const LONGEST_INPUT: usize = 16 * 1024;

/// One input may take this long, seconds.
const PATIENCE: u32 = 10;

pub(crate) fn run(seconds: u32, target: Option<&str>) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let fuzzing = Fuzzing::of(&workspace)?;
    let targets = fuzzing.targets(target)?;
    ensure!(
        has_cargo_fuzz(),
        "cargo-fuzz is not installed. Run '{INSTALL}' and then this again."
    );

    eprintln!("building {} targets", targets.len());
    let mut build = cargo();
    build.args(["fuzz", "build", "--dev", "--sanitizer", "none"]);
    build.arg("--target-dir").arg(&fuzzing.built);
    build.args(target);
    run_in(&workspace, "the build of the fuzz targets", &mut build)?;

    let mut broken = Vec::new();
    for name in &targets {
        let run = fuzzing.run(name, seconds)?;
        eprintln!("{name:20} {run}");
        if !run.status.success() {
            broken.push(name.as_str());
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    bail!(
        "{} found something. Mend it, and keep the input as a file in fuzz/seeds/<target>.",
        broken.join(", ")
    )
}

/// Where things are.
struct Fuzzing {
    folder: PathBuf,
    built: PathBuf,
    host: String,
}

/// How a target's run went.
struct Run {
    status: ExitStatus,
    inputs: String,
    coverage: String,
    /// The input that broke something, and what it broke.
    crash: Option<(PathBuf, String)>,
    log: PathBuf,
}

impl Fuzzing {
    fn of(workspace: &Workspace) -> anyhow::Result<Self> {
        Ok(Self {
            folder: workspace.workspace_root.join("fuzz"),
            built: workspace.target_directory.join("fuzz"),
            host: host()?,
        })
    }

    /// The targets to run, by name.
    fn targets(&self, wanted: Option<&str>) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(self.folder.join("fuzz_targets"))? {
            let file = entry?.path();
            let name = file.file_stem().and_then(|name| name.to_str());
            all.push(name.context("targets have plain names")?.to_owned());
        }
        all.sort();
        match wanted {
            None => Ok(all),
            Some(name) if all.iter().any(|other| other == name) => Ok(vec![name.to_owned()]),
            Some(name) => bail!(
                "there is no fuzz target '{name}'; there are {}",
                all.join(", ")
            ),
        }
    }

    /// Runs a target. What it learns is kept in `fuzz/corpus` for the next time.
    fn run(&self, name: &str, seconds: u32) -> anyhow::Result<Run> {
        let corpus = made(self.folder.join("corpus").join(name))?;
        let artifacts = made(self.folder.join("artifacts").join(name))?;
        let log = made(self.built.join("logs"))?.join(name);
        let binary = self.built.join(&self.host).join("debug").join(name);
        let status = Command::new(&binary)
            .arg(&corpus)
            .arg(self.folder.join("seeds").join(name))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST_INPUT}"))
            .arg(format!("-timeout={PATIENCE}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg("-print_final_stats=1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .status()
            .with_context(|| format!("{} can't be started", binary.display()))?;
        let words = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Ok(Run {
            status,
            inputs: last(&words, "stat::number_of_executed_units:"),
            coverage: last(&words, " cov:"),
            crash: crash(&words),
            log,
        })
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>9} runs, coverage {:>6}, ",
            self.inputs, self.coverage
        )?;
        match &self.crash {
            None if self.status.success() => f.write_str("no crash"),
            None => write!(f, "FAILED ({}); see {}", self.status, self.log.display()),
            Some((input, why)) => write!(f, "CRASH: {why}\n    input: {}", input.display()),
        }
    }
}

/// The word after the last occurrence of a label.
fn last(words: &str, label: &str) -> String {
    let after = words.rsplit_once(label).map(|(_, after)| after);
    let word = after.and_then(|after| after.split_whitespace().next());
    word.unwrap_or("?").to_owned()
}

/// The input libFuzzer wrote away, and what it says is wrong with it: the panic's message, or that it
/// took too long or too much memory.
fn crash(words: &str) -> Option<(PathBuf, String)> {
    let (_, input) = words.rsplit_once("Test unit written to ")?;
    let input = input.lines().next()?.trim();
    let mut lines = words.lines();
    let panic = lines
        .find(|line| line.contains("panicked at"))
        .and_then(|_| lines.next());
    let error = || words.lines().find(|line| line.contains("ERROR: libFuzzer"));
    let why = panic.or_else(error).unwrap_or("it says nothing of why");
    Some((PathBuf::from(input), why.trim().to_owned()))
}

fn made(folder: PathBuf) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
    Ok(folder)
}

/// The target triple of this machine: where cargo-fuzz builds.
fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(Path::new(&rustc)).arg("-vV").output()?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = words.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

fn has_cargo_fuzz() -> bool {
    Command::new("cargo-fuzz")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}
