//! `handoff test`: plays scenarios and says which hold.

use crate::diagnostics::{show, show_all};
use crate::engine::NodesArguments;
use crate::paint::{self, DIM, GREEN, RED};
use crate::timeline::STORE_FILE;
use anyhow::{Context, bail};
use handoff_engine::handoff::TransportKind;
use handoff_scenario::{FileError, Outcome, Scenario, StageError, Told, play_in};
use handoff_store::{MemoryStore, RedbStore, Store};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenario files, or directories that hold some.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Play on this transport only.
    #[arg(long, value_parser = parse_transport)]
    transport: Option<TransportKind>,
    /// Show every conversation, not only those that fail.
    #[arg(long)]
    show: bool,
    /// Keep the sessions, so that 'handoff timeline session-1' can tell them: each scenario's in
    /// DIR/SCENARIO/TRANSPORT.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        handoff_scenario::find(path, &mut files)?;
    }
    if files.is_empty() {
        bail!("no scenarios: there is no file 'scenarios/*.toml' under what was named");
    }
    let engine = arguments.nodes.load().await?;
    let (mut passed, mut failed) = (0, 0);
    for file in &files {
        let scenario = match Scenario::read(file) {
            Ok(scenario) => scenario,
            Err(FileError::Bad(mistakes)) => {
                show_all(&mistakes, Path::new(""));
                failed += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for transport in scenario.plays_on() {
            if arguments.transport.is_some_and(|only| only != transport) {
                continue;
            }
            let mut lines = Vec::new();
            let mut tell = |told: &Told| lines.extend(paint::told(told, true));
            let store = store_for(arguments.keep.as_deref(), file, transport)?;
            let report = play_in(store, &engine, &scenario, transport, &mut tell).await;
            let held = matches!(report.outcome, Outcome::Passed);
            let mark = if held {
                passed += 1;
                format!("{GREEN}✓{GREEN:#}")
            } else {
                failed += 1;
                format!("{RED}✗{RED:#}")
            };
            anstream::println!("{mark} {}  {DIM}{transport}{DIM:#}", scenario.name);
            if arguments.show || !held {
                for line in &lines {
                    anstream::println!("  {line}");
                }
            }
            if !held {
                explain(&scenario, &report.outcome);
            }
        }
    }
    anstream::println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where the sessions of a scenario are kept: in a new file of their own, or in memory.
fn store_for(
    keep: Option<&Path>,
    scenario: &Path,
    transport: TransportKind,
) -> anyhow::Result<Arc<dyn Store>> {
    let Some(keep) = keep else {
        return Ok(Arc::new(MemoryStore::new()));
    };
    let name = scenario.file_stem().unwrap_or_default();
    let directory = keep.join(name).join(transport.as_str());
    let file = directory.join(STORE_FILE);
    if file.exists() {
        bail!(
            "'{}' holds sessions of an earlier run; remove it, or keep these elsewhere",
            file.display()
        );
    }
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("'{}' cannot be made", directory.display()))?;
    Ok(Arc::new(RedbStore::open(file)?))
}

/// Says why a scenario did not pass.
pub(crate) fn explain(scenario: &Scenario, outcome: &Outcome) {
    match outcome {
        Outcome::Passed => {}
        Outcome::Failed(failure) => anstream::println!(
            "{RED}{}:{}{RED:#}\n  expected {}\n       got {}\n",
            scenario.path.display(),
            failure.line,
            failure.expected,
            failure.got
        ),
        Outcome::NotPlayed(StageError::Project(mistakes)) => {
            for mistake in mistakes {
                anstream::println!("{}\n", show(mistake, &scenario.project));
            }
        }
        Outcome::NotPlayed(error) => {
            anstream::println!("{RED}{}{RED:#}\n  {error}\n", scenario.path.display());
        }
    }
}

pub(crate) fn parse_transport(text: &str) -> Result<TransportKind, String> {
    let names = TransportKind::ALL.map(TransportKind::as_str);
    TransportKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("the transports are {}", names.join(", ")))
}
