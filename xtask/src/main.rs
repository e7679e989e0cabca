//! Chores of this repository: `cargo xtask <chore>`. One file per chore.

mod build_nodes;
mod workspace;

use clap::{Parser, Subcommand};

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
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::BuildNodes => {
            let nodes = build_nodes::run()?;
            eprintln!("Nodes are in {}", nodes.display());
        }
    }
    Ok(())
}
