//! `cargo xtask soak`: a server that is killed again and again under load, for as long as is asked for.

use crate::build_nodes::{self, Scope};
use crate::workspace::{Workspace, cargo, run_in};

pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let nodes = build_nodes::run(Scope::NodesAndFixtures)?;
    let mut build = cargo();
    build.args(["build", "--package", "crashes", "--bins"]);
    run_in(&workspace, "the build of the server", &mut build)?;
    let mut soak = cargo();
    soak.args(["run", "--package", "crashes", "--bin", "soak", "--"])
        .args(arguments)
        .env("HANDOFF_NODES", nodes);
    run_in(&workspace, "the soak", &mut soak)
}
