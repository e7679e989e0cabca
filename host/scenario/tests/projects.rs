//! Every scenario of every project under `fixtures/projects`, on every transport it is written for.
//! One test each, named after what the scenario shows.

mod support;

use handoff_engine::handoff::TransportKind;
use handoff_scenario::{Outcome, Scenario, StageError, Told, find, play};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    find(&workspace.join("fixtures/projects"), &mut files)?;
    let mut trials = Vec::new();
    for file in files {
        let scenario = Scenario::read(&file)?;
        for transport in scenario.plays_on() {
            let name = format!("{} [{transport}]", scenario.name);
            let scenario = scenario.clone();
            trials.push(Trial::test(name, move || run(&scenario, transport)));
        }
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn run(scenario: &Scenario, transport: TransportKind) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut lines = Vec::new();
    let mut tell = |told: &Told| lines.push(format!("{} {:?}: {}", told.at, told.who, told.text));
    let report = runtime.block_on(async {
        let engine = support::engine().await;
        play(engine, scenario, transport, &mut tell).await
    });
    let why = match report.outcome {
        Outcome::Passed => return Ok(()),
        Outcome::Failed(failure) => format!(
            "{}:{}\n  expected {}\n       got {}",
            scenario.path.display(),
            failure.line,
            failure.expected,
            failure.got
        ),
        Outcome::NotPlayed(StageError::Project(mistakes)) => mistakes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
        Outcome::NotPlayed(error) => error.to_string(),
    };
    Err(format!("{}\n{why}", lines.join("\n")).into())
}
