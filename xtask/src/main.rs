//! Chores of this repository: `cargo xtask <chore>`. One file per chore.

mod bench;
mod build_nodes;
mod demo;
mod dependencies;
mod fuzz;
mod soak;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Chores of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Build every flow node, and every misbehaving one of the fixtures, as a component.
    BuildNodes,
    /// Watch customers being handed to an agent and coming back.
    Demo {
        /// Passed on to `handoff demo`, for example `--transport engage-chat-v2`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check: format, lints, tests, scenarios, documentation.
    Test,
    /// Feed every parser with what nobody foresaw, for a while.
    Fuzz {
        /// For how long, per target.
        #[arg(long, default_value_t = 20)]
        seconds: u32,
        /// One target, by the name of its file in fuzz/fuzz_targets; all by default.
        #[arg(long)]
        target: Option<String>,
    },
    /// Kill a server again and again while people talk through it, and compare what both sides have.
    Soak {
        /// Passed on, for example `--talks 5000 --seed 7`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure. Compare ratios of one run, not times of two.
    Bench {
        /// Passed on to the benchmarks, for example a filter.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> anyhow::Result<()> {
    match chore {
        Chore::BuildNodes => {
            let nodes = build_nodes::run(build_nodes::Scope::NodesAndFixtures)?;
            eprintln!("Nodes are in {}", nodes.display());
            Ok(())
        }
        Chore::Demo { arguments } => demo::run(&arguments),
        Chore::Test => test::run(),
        Chore::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Chore::Soak { arguments } => soak::run(&arguments),
        Chore::Bench { arguments } => bench::run(&arguments),
    }
}
