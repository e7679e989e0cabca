//! `handoff check`: what is wrong with a project.

use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{GREEN, RED};
use handoff_engine::diagnostic::Severity;
use handoff_scenario::{StageError, load_project};
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
    let engine = arguments.nodes.load().await?;
    match load_project(&engine, &arguments.project).await {
        Ok(project) => {
            show_all(project.warnings(), &arguments.project);
            anstream::println!(
                "{GREEN}✓{GREEN:#} {}{}: {} bots, {} accounts, {} node types in use",
                project.name(),
                project
                    .environment()
                    .map(|name| format!(" in {name}"))
                    .unwrap_or_default(),
                project.bots().count(),
                project.accounts().count(),
                project.nodes().count()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(StageError::Project(mistakes)) => {
            show_all(&mistakes, &arguments.project);
            let errors = mistakes
                .iter()
                .filter(|mistake| mistake.severity == Severity::Error)
                .count();
            let word = if errors == 1 { "mistake" } else { "mistakes" };
            anstream::eprintln!("{RED}{errors} {word}{RED:#}");
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}
