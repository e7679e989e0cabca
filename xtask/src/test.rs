//! `cargo xtask test`: every check, the quick ones first.

use crate::build_nodes::{self, Scope};
use crate::dependencies;
use crate::workspace::{Workspace, cargo, run_in};
use std::time::Instant;

/// Property tests draw the same cases each time, so that a run that fails fails again, and on the change
/// that broke it. `PROPTEST_RNG_SEED=... PROPTEST_CASES=... cargo test` looks further.
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";

pub(crate) fn run() -> anyhow::Result<()> {
    let begun = Instant::now();
    let workspace = Workspace::load()?;

    say("format");
    let mut format = cargo();
    format.args(["fmt", "--all", "--check"]);
    run_in(
        &workspace,
        "the format check ('cargo fmt --all' mends it)",
        &mut format,
    )?;

    say("node components");
    let nodes = build_nodes::run(Scope::NodesAndFixtures)?;

    say("lints");
    let mut lints = cargo();
    lints.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    run_in(&workspace, "clippy", &mut lints)?;

    say("tests and scenarios");
    let mut tests = cargo();
    tests
        .args(["test", "--workspace", "--lib", "--bins", "--tests"])
        .env("HANDOFF_NODES", &nodes);
    if std::env::var_os(PROPTEST_SEED).is_none() {
        tests.env(PROPTEST_SEED, "1");
    }
    run_in(&workspace, "the tests", &mut tests)?;

    say("documentation");
    let mut examples = cargo();
    examples.args(["test", "--workspace", "--doc"]);
    run_in(
        &workspace,
        "the examples in the documentation",
        &mut examples,
    )?;
    let mut pages = cargo();
    pages
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    run_in(&workspace, "the documentation", &mut pages)?;

    say("licences, bans, sources and advisories of dependencies");
    dependencies::check(&workspace)?;

    eprintln!("\nAll checks passed in {} s.", begun.elapsed().as_secs());
    Ok(())
}

fn say(what: &str) {
    eprintln!("\n=== {what}");
}
