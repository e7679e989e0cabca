//! `cargo xtask demo`: builds what the demonstration needs, and plays it.

use crate::build_nodes::{self, Scope};
use crate::workspace::{Workspace, cargo, run_in};

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let nodes = build_nodes::run(Scope::Nodes)?;
    let mut demo = cargo();
    demo.args(["run", "--package", "handoff-cli", "--", "demo"])
        .args(arguments)
        .env("HANDOFF_NODES", nodes);
    run_in(&workspace, "the demonstration", &mut demo)
}
