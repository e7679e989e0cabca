//! `handoff test`: plays scenarios and says which hold.

use crate::diagnostics::{show, show_all};
use crate::engine::NodesArguments;
use crate::paint::{self, DIM, GREEN, RED};
use anyhow::bail;
use handoff_engine::handoff::TransportKind;
use handoff_scenario::{FileError, Outcome, Scenario, StageError, Told, play};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
            let report = play(&engine, &scenario, transport, &mut tell).await;
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
