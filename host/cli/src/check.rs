//! `handoff check`: what is wrong with a project, and with --org, at Genesys.

use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{GREEN, RED};
use crate::preflight::{self, OrgArguments};
use handoff_engine::diagnostic::Severity;
use handoff_scenario::{StageError, load_project};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's directory.
    project: PathBuf,
    #[command(flatten)]
    org: OrgArguments,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    arguments.org.check()?;
    let engine = arguments.nodes.load().await?;
    match load_project(&engine, &arguments.project).await {
        Ok(project) if arguments.org.is_asked() => {
            show_all(project.warnings(), &arguments.project);
            preflight::run(project, &arguments.project, &arguments.org).await
        }
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
