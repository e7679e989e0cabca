//! `handoff check`: what is wrong with a project, and with --org, at Genesys.

use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{GREEN, RED};
use crate::preflight::{self, OrgArguments};
use handoff_engine::diagnostic::Severity;
use handoff_engine::display::line;
use handoff_scenario::{StageError, load_project};
use std::path::{Path, PathBuf};
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
    if !arguments.org.is_asked() {
        return mistakes(&arguments.project, &arguments.nodes).await;
    }
    let engine = arguments.nodes.load().await?;
    match load_project(&engine, &arguments.project).await {
        Ok(project) => {
            show_all(project.warnings(), &arguments.project);
            preflight::run(project, &arguments.project, &arguments.org).await
        }
        Err(error) => refused(error, &arguments.project),
    }
}

/// Shows every mistake and warning of a project.
pub(crate) async fn mistakes(path: &Path, nodes: &NodesArguments) -> anyhow::Result<ExitCode> {
    let engine = nodes.load().await?;
    let project = match load_project(&engine, path).await {
        Ok(project) => project,
        Err(error) => return refused(error, path),
    };
    show_all(project.warnings(), path);
    out!(
        "{GREEN}✓{GREEN:#} {}{}: {} bots, {} accounts, {} node types in use",
        line(project.name()),
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

fn refused(error: StageError, path: &Path) -> anyhow::Result<ExitCode> {
    let StageError::Project(mistakes) = error else {
        return Err(error.into());
    };
    show_all(&mistakes, path);
    let errors = mistakes
        .iter()
        .filter(|mistake| mistake.severity == Severity::Error)
        .count();
    let word = if errors == 1 { "mistake" } else { "mistakes" };
    err!("{RED}{errors} {word}{RED:#}");
    Ok(ExitCode::FAILURE)
}
