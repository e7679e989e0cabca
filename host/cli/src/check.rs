//! `handoff check`: what is wrong with a project.

use crate::diagnostics::show_all;
use crate::paint::{GREEN, RED};
use crate::venue::NodesArguments;
use handoff_engine::project::Project;
use handoff_server::{NodeLibrary, ProjectDirectory};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's directory.
    project: PathBuf,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let directory = ProjectDirectory::read(&arguments.project)?;
    let venue = arguments.nodes.load().await?;
    let mut nodes = venue.nodes.0;
    if directory.nodes().is_dir() {
        match NodeLibrary::load(&venue.runtime, &[directory.nodes()]).await {
            Ok(own) => nodes.extend(own.0),
            Err(errors) => {
                for error in errors {
                    anstream::eprintln!("{RED}error{RED:#}: {error}\n");
                }
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    match Project::load(&directory.files, &nodes).await {
        Ok(project) => {
            show_all(project.warnings(), &directory.path);
            anstream::println!(
                "{GREEN}✓{GREEN:#} {}: {} bots, {} accounts, {} node types in use",
                project.name(),
                project.bots().count(),
                project.accounts().count(),
                project.nodes().count()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(mistakes) => {
            show_all(&mistakes, &directory.path);
            let word = if mistakes.len() == 1 { "mistake" } else { "mistakes" };
            anstream::eprintln!("{RED}{} {word}{RED:#}", mistakes.len());
            Ok(ExitCode::FAILURE)
        }
    }
}
