//! `handoff demo`: customers being handed to an agent and coming back.

use crate::engine::NodesArguments;
use crate::paint::{self, BOLD, DIM, GREEN, RED};
use crate::test::explain;
use anyhow::bail;
use handoff_engine::Engine;
use handoff_engine::display::line;
use handoff_engine::handoff::TransportKind;
use handoff_scenario::{Outcome, Scenario, Told, play};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Milliseconds between two lines, so that eyes can follow.
const PACE: u64 = 50;

/// What is played if nothing is said, and on which transport.
const SHOW: [(&str, TransportKind); 2] = [
    (
        "fixtures/projects/servisbot/scenarios/handed-over-and-back.toml",
        TransportKind::EngageChatV2,
    ),
    (
        "fixtures/projects/sentione/scenarios/resume-on.toml",
        TransportKind::CloudOpenMessaging,
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Scenario files to play instead of this project's two.
    scenarios: Vec<PathBuf>,
    /// Play everything on this transport.
    #[arg(long, value_parser = crate::test::parse_transport)]
    transport: Option<TransportKind>,
    /// Show every step of every node as well.
    #[arg(long)]
    steps: bool,
    /// Milliseconds between two lines.
    #[arg(long, default_value_t = PACE)]
    pace: u64,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let shown = shown(&arguments)?;
    let engine = arguments.nodes.load().await?;
    let begun = Instant::now();
    let mut failed = 0;
    for (scenario, transport) in &shown {
        if !perform(&engine, scenario, *transport, &arguments).await {
            failed += 1;
        }
    }
    let took = begun.elapsed().as_secs_f32();
    if failed > 0 {
        out!(
            "{RED}{failed} of {} did not go as scripted.{RED:#}",
            shown.len()
        );
        return Ok(ExitCode::FAILURE);
    }
    out!(
        "{GREEN}✓{GREEN:#} {} conversations handed over and back in {took:.1} s: real WebAssembly nodes, \
         real transports, a simulated Genesys.",
        shown.len()
    );
    out!("{DIM}Talk to it yourself: handoff chat fixtures/projects/sentione{DIM:#}");
    Ok(ExitCode::SUCCESS)
}

fn shown(arguments: &Arguments) -> anyhow::Result<Vec<(Scenario, TransportKind)>> {
    let mut shown = Vec::new();
    if arguments.scenarios.is_empty() {
        for (path, transport) in SHOW {
            if !Path::new(path).is_file() {
                bail!(
                    "'{path}' is not here; run this in the root of the checkout, or name scenario files"
                );
            }
            let transport = arguments.transport.unwrap_or(transport);
            shown.push((Scenario::read(Path::new(path))?, transport));
        }
        return Ok(shown);
    }
    for path in &arguments.scenarios {
        let scenario = Scenario::read(path)?;
        let own = scenario.transports.as_ref().and_then(|own| own.first());
        let transport = arguments.transport.or(own.copied());
        shown.push((
            scenario,
            transport.unwrap_or(TransportKind::CloudOpenMessaging),
        ));
    }
    Ok(shown)
}

async fn perform(
    engine: &Engine,
    scenario: &Scenario,
    transport: TransportKind,
    arguments: &Arguments,
) -> bool {
    out!(
        "{BOLD}{}{BOLD:#}  {DIM}{transport}{DIM:#}",
        line(&scenario.name)
    );
    let (steps, pace) = (arguments.steps, Duration::from_millis(arguments.pace));
    let mut tell = move |told: &Told| {
        if let Some(line) = paint::told(told, steps) {
            out!("{line}");
            // A reader's pace, not the conversation's: its clock is simulated.
            std::thread::sleep(pace);
        }
    };
    let report = play(engine, scenario, transport, &mut tell).await;
    out!();
    match &report.outcome {
        Outcome::Passed => true,
        outcome => {
            out!("{RED}{}{RED:#}\n", explain(scenario, outcome));
            false
        }
    }
}
