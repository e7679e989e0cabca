//! `handoff schema`: what the files of a project may hold, for editors.

use anyhow::{Context, bail};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which one: project, flow, worker, connector or scenario. Left out, their names are listed.
    #[arg(conflicts_with = "all")]
    name: Option<String>,
    /// Writes all of them into a directory, each as NAME.schema.json.
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let schemas = schemas();
    if let Some(directory) = &arguments.all {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("'{}' cannot be made", directory.display()))?;
        for (name, schema) in &schemas {
            let file = directory.join(format!("{name}.schema.json"));
            std::fs::write(&file, in_lines(schema)?)
                .with_context(|| format!("'{}' cannot be written", file.display()))?;
            out!("{}", file.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let Some(wanted) = &arguments.name else {
        for (name, _) in &schemas {
            out!("{name}");
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some((_, schema)) = schemas.iter().find(|(name, _)| name == wanted) else {
        let names: Vec<&str> = schemas.iter().map(|(name, _)| *name).collect();
        bail!(
            "there is no schema '{wanted}'; there are {}",
            names.join(", ")
        );
    };
    crate::output::print_text(&in_lines(schema)?);
    Ok(ExitCode::SUCCESS)
}

fn schemas() -> Vec<(&'static str, Value)> {
    let mut schemas = handoff_engine::project::schemas().to_vec();
    schemas.push(("scenario", handoff_scenario::schema()));
    schemas
}

fn in_lines(schema: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(schema)? + "\n")
}
