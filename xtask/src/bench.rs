//! `cargo xtask bench`: every benchmark of the workspace, in one run.

use crate::build_nodes::{self, Scope};
use crate::workspace::{Workspace, cargo, run_in};

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let nodes = build_nodes::run(Scope::NodesAndFixtures)?;
    let mut bench = cargo();
    let packages = ["handoff-engine", "handoff-store", "load"];
    bench
        .arg("bench")
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .args(["--benches", "--"])
        .args(arguments)
        .env("HANDOFF_NODES", nodes);
    run_in(&workspace, "the benchmarks", &mut bench)
}
