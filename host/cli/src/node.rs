//! `handoff node`: looking at node components.

use crate::paint::{BOLD, DIM};
use handoff_engine::display::{indented, line};
use handoff_engine::node::{Limits, Node, PortKind, Runtime};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Load a component as the host would, and show what it says about itself and may do.
    Inspect {
        /// The component.
        file: PathBuf,
        /// Print the whole descriptor as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Command::Inspect { file, json } = arguments.command;
    let name = file.display().to_string();
    let bytes = std::fs::read(&file).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    let runtime = Runtime::new(Limits::default())?;
    let node = Node::load(&runtime, &name, &bytes)
        .await
        .map_err(|error| anyhow::anyhow!("{error} [{}]", error.code()))?;
    let descriptor = node.descriptor();
    if json {
        out!("{}", serde_json::to_string_pretty(descriptor)?);
        return Ok(ExitCode::SUCCESS);
    }
    let digest: String = node
        .digest()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    out!(
        "{BOLD}{}{BOLD:#} {}  {DIM}{}{DIM:#}",
        line(descriptor.node_type.as_str()),
        line(&descriptor.version.to_string()),
        line(&descriptor.label)
    );
    // What the node says of itself never looks like what this command says of the node.
    out!("  │ {}\n", indented(descriptor.summary.trim_end(), "  │ "));
    out!("{BOLD}Config{BOLD:#}");
    let required: Vec<&str> = descriptor.config["required"]
        .as_array()
        .map(|names| names.iter().filter_map(serde_json::Value::as_str).collect())
        .unwrap_or_default();
    let properties = descriptor.config["properties"].as_object();
    for (name, schema) in properties.into_iter().flatten() {
        let text = schema["title"]
            .as_str()
            .or_else(|| schema["description"].as_str())
            .unwrap_or_default();
        let text = text.lines().next().unwrap_or_default();
        let mark = if required.contains(&name.as_str()) {
            "*"
        } else {
            " "
        };
        let (name, text) = (line(name), line(text));
        out!("  {name:<18}{mark} {text}");
    }
    out!("{BOLD}Ports{BOLD:#}");
    for port in &descriptor.ports {
        let kind = match port.kind {
            PortKind::Success => "",
            PortKind::Failure => " (failure)",
        };
        let (name, label) = (line(port.name.as_str()), line(&port.label));
        out!("  {name:<18}  {label}{kind}");
    }
    out!("{BOLD}Imports{BOLD:#}");
    for import in node.imports() {
        out!("  {}", line(&import.to_string()));
    }
    out!(
        "{DIM}{} bytes, sha256 {digest}, {} examples; --json shows everything{DIM:#}",
        bytes.len(),
        descriptor.examples.len()
    );
    Ok(ExitCode::SUCCESS)
}
