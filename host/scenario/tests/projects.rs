//! Every scenario of every project under `fixtures/projects`, on every transport it is written for.
//! One test each, named after what the scenario shows.

use handoff_engine::Engine;
use handoff_engine::handoff::TransportKind;
use handoff_scenario::{Outcome, Scenario, StageError, Told, find, play};
use handoff_server::read_components;
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

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
    let engine = engine().map_err(|error| Failed::from(format!("{error:#}")))?;
    let mut lines = Vec::new();
    let mut tell = |told: &Told| lines.push(format!("{} {:?}: {}", told.at, told.who, told.text));
    let report = runtime.block_on(play(engine, scenario, transport, &mut tell));
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

/// The standard nodes, compiled once for all scenarios.
fn engine() -> anyhow::Result<&'static Engine> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    let load = || -> anyhow::Result<Engine> {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nodes");
        let nodes = std::env::var_os("HANDOFF_NODES").map_or(built, PathBuf::from);
        let builder = Engine::builder().components(read_components(&nodes)?);
        tokio::runtime::Runtime::new()?
            .block_on(builder.build())
            .map_err(|errors| anyhow::anyhow!("{errors:?}"))
    };
    ENGINE
        .get_or_init(|| load().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error}"))
}
