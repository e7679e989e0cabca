//! `handoff test`: plays scenarios and says which hold.

mod junit;
mod plays;

use crate::diagnostics::{show, show_all};
use crate::engine::NodesArguments;
use crate::paint::{DIM, GREEN, RED};
use anyhow::{Context, bail};
use handoff_engine::Engine;
use handoff_engine::display::{block, indented, line};
use handoff_engine::handoff::TransportKind;
use handoff_scenario::{FileError, Outcome, Scenario, StageError};
use handoff_server::Changes;
use plays::{Played, play_all};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
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
    /// Scenarios that are played at once. Left out, as many as there are processors.
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,
    /// Write a report in JUnit's XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Play again whenever something in the projects is saved, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// Keep the sessions, so that 'handoff timeline session-1' can tell them: each scenario's in
    /// DIR/SCENARIO/TRANSPORT.
    #[arg(long, value_name = "DIR", conflicts_with = "watch")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let engine = arguments.nodes.load().await?;
    if !arguments.watch {
        let scenarios = Scenarios::read(&arguments)?;
        return arguments.play(&engine, &scenarios).await;
    }
    loop {
        let scenarios = Scenarios::read(&arguments)?;
        let directories = scenarios.directories();
        let changes = Changes::of(directories.iter().map(PathBuf::as_path));
        let mut changes = changes.context("the projects' directories cannot be watched")?;
        arguments.play(&engine, &scenarios).await?;
        err!("{DIM}waiting for changes{DIM:#}");
        tokio::select! {
            () = changes.next() => {}
            ended = tokio::signal::ctrl_c() => {
                ended?;
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

/// The scenarios that were named.
struct Scenarios {
    good: Vec<Scenario>,
    /// Files that are no scenarios, each with its mistakes.
    bad: Vec<(PathBuf, FileError)>,
}

impl Scenarios {
    fn read(arguments: &Arguments) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in &arguments.paths {
            handoff_scenario::find(path, &mut files)?;
        }
        if files.is_empty() {
            bail!("no scenarios: there is no file 'scenarios/*.toml' under what was named");
        }
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for file in files {
            match Scenario::read(&file) {
                Ok(scenario) => good.push(scenario),
                Err(error @ FileError::Bad(_)) => bad.push((file, error)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { good, bad })
    }

    /// Where a change may change what they come to.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let of_good = self.good.iter().flat_map(|scenario| {
            let own = scenario.path.parent().map(Path::to_owned);
            own.into_iter().chain([scenario.project.clone()])
        });
        let of_bad = self.bad.iter().filter_map(|(file, _)| file.parent());
        let all = of_good.chain(of_bad.map(Path::to_owned));
        // A directory and another way to it are one.
        all.map(|it| it.canonicalize().unwrap_or(it)).collect()
    }
}

impl Arguments {
    async fn play(&self, engine: &Engine, scenarios: &Scenarios) -> anyhow::Result<ExitCode> {
        for (_, error) in &scenarios.bad {
            if let FileError::Bad(mistakes) = error {
                show_all(mistakes, Path::new(""));
            }
        }
        let all = play_all(self, engine, &scenarios.good, |played| self.tell(played)).await?;
        let passed = all.iter().filter(|played| played.held()).count();
        let failed = all.len() - passed + scenarios.bad.len();
        out!("{passed} passed, {failed} failed");
        if let Some(file) = &self.junit {
            junit::write(file, &all, &scenarios.bad)?;
        }
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn tell(&self, played: &Played) {
        let held = played.held();
        let mark = if held {
            format!("{GREEN}✓{GREEN:#}")
        } else {
            format!("{RED}✗{RED:#}")
        };
        let scenario = &played.report.scenario;
        let transport = match scenario.as_configured {
            true => "as configured",
            false => played.report.transport.as_str(),
        };
        out!("{mark} {}  {DIM}{transport}{DIM:#}", line(&scenario.name));
        if self.show || !held {
            for line in &played.lines {
                out!("  {line}");
            }
        }
        if !held {
            out!(
                "{RED}{}{RED:#}\n",
                explain(scenario, &played.report.outcome)
            );
        }
    }
}

/// Why a scenario did not pass: the place on the first line, then what is wrong there.
pub(crate) fn explain(scenario: &Scenario, outcome: &Outcome) -> String {
    let path = scenario.path.display();
    match outcome {
        Outcome::Passed => String::new(),
        Outcome::Failed(failure) => format!(
            "{path}:{}{RED:#}\n  expected {}\n       got {}",
            failure.line,
            indented(&failure.expected, "           "),
            indented(&failure.got, "           ")
        ),
        Outcome::NotPlayed(StageError::Project(mistakes)) => {
            let shown = mistakes.iter().map(|it| show(it, &scenario.project));
            format!("{path}{RED:#}\n{}", shown.collect::<Vec<_>>().join("\n\n"))
        }
        Outcome::NotPlayed(error) => {
            format!("{path}{RED:#}\n  {}", block(&error.to_string()))
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
