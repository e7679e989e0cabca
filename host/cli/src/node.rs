//! `handoff node`: looking at node components.

use crate::engine::{CacheArguments, NodesArguments, compiling, spinner};
use crate::paint::{BOLD, DIM};
use anyhow::bail;
use handoff_engine::display::{indented, line};
use handoff_engine::node::{Descriptor, Limits, Node, PortKind, Runtime};
use handoff_engine::{Component, Progress};
use handoff_server::{read_component, read_components};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::task::JoinSet;

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
        #[command(flatten)]
        cache: CacheArguments,
    },
    /// Compile components into the cache, so that no start has to. For images of containers: give --cache
    /// and --cache-key there and to what runs in it, as the same user.
    Precompile {
        /// Components, and directories of them. None are the standard ones.
        files: Vec<PathBuf>,
        #[command(flatten)]
        nodes: NodesArguments,
    },
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Inspect { file, json, cache } => inspect(&file, json, &cache).await,
        Command::Precompile { files, nodes } => precompile(&files, &nodes).await,
    }
}

async fn precompile(files: &[PathBuf], nodes: &NodesArguments) -> anyhow::Result<ExitCode> {
    let mut components = Vec::new();
    for file in files {
        if file.is_dir() {
            components.extend(read_components(file)?);
        } else {
            components.push(read_component(file)?);
        }
    }
    if files.is_empty() {
        components = nodes.components()?;
    }
    let Some(location) = nodes.cache() else {
        bail!("there is no cache directory; name one with --cache");
    };
    let runtime = Runtime::with_cache(nodes.limits(), Some(&location))?;
    if !runtime.keeps_compiled() {
        bail!(
            "nothing can be kept in '{}'; the warning above says why",
            location.directory.display()
        );
    }
    let total = components.len();
    let spinner = spinner("compiling nodes");
    let mut loading = JoinSet::new();
    for Component { name, bytes } in components {
        let runtime = runtime.clone();
        loading.spawn(async move {
            let node = Node::load(&runtime, &name, &bytes).await;
            (name, node.map(drop))
        });
    }
    let (mut done, mut refused) = (0, Vec::new());
    while let Some(loaded) = loading.join_next().await {
        let (component, loaded) = loaded?;
        done += 1;
        refused.extend(
            loaded
                .err()
                .map(|error| format!("{error} [{}]", error.code())),
        );
        spinner.set_message(compiling(&Progress {
            component,
            done,
            total,
        }));
    }
    spinner.finish_and_clear();
    if !refused.is_empty() {
        refused.sort();
        bail!("{}", refused.join("\n"));
    }
    anstream::println!(
        "{total} nodes are compiled in {}",
        location.directory.display()
    );
    Ok(ExitCode::SUCCESS)
}

async fn inspect(file: &Path, json: bool, cache: &CacheArguments) -> anyhow::Result<ExitCode> {
    let Component { name, bytes } = read_component(file)?;
    let runtime = Runtime::with_cache(Limits::default(), cache.location().as_ref())?;
    let spinner = spinner("compiling the node");
    let node = Node::load(&runtime, &name, &bytes).await;
    spinner.finish_and_clear();
    let node = node.map_err(|error| anyhow::anyhow!("{error} [{}]", error.code()))?;
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
    out!("{}", self_described(descriptor));
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

/// What a node says of itself. It is not trusted: none of it looks like what this command says.
fn self_described(descriptor: &Descriptor) -> String {
    let mut text = format!(
        "{BOLD}{}{BOLD:#} {}  {DIM}{}{DIM:#}\n  │ {}\n\n{BOLD}Config{BOLD:#}\n",
        line(descriptor.node_type.as_str()),
        line(&descriptor.version),
        line(&descriptor.label),
        indented(descriptor.summary.trim_end(), "  │ ")
    );
    let required: Vec<&str> = descriptor.config["required"]
        .as_array()
        .map(|names| names.iter().filter_map(serde_json::Value::as_str).collect())
        .unwrap_or_default();
    let properties = descriptor.config["properties"].as_object();
    for (name, schema) in properties.into_iter().flatten() {
        let summary = schema["title"]
            .as_str()
            .or_else(|| schema["description"].as_str())
            .unwrap_or_default();
        let summary = line(summary.lines().next().unwrap_or_default());
        let mark = if required.contains(&name.as_str()) {
            "*"
        } else {
            " "
        };
        text += &format!("  {:<18}{mark} {summary}\n", line(name));
    }
    text += &format!("{BOLD}Ports{BOLD:#}");
    for port in &descriptor.ports {
        let kind = match port.kind {
            PortKind::Success => "",
            PortKind::Failure => " (failure)",
        };
        text += &format!("\n  {:<18}  {}{kind}", line(&port.name), line(&port.label));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_node_cannot_forge_what_this_command_says() {
        let nasty = "x\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{9b}1m\u{202e}\r\nImports\nImports\n  (none)";
        let descriptor: Descriptor = serde_json::from_value(json!({
            "type": "say", "version": nasty, "label": nasty, "summary": nasty,
            "config": {"properties": {nasty: {"title": nasty}}, "required": [nasty]},
            "ports": [{"name": nasty, "label": nasty, "kind": "success"}],
        }))
        .expect("a descriptor");
        let shown = anstream::adapter::strip_str(&self_described(&descriptor)).to_string();
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown}"
        );
        assert!(!shown.contains('\u{202e}'));
        assert!(
            shown.lines().all(|line| !line.starts_with("Imports")),
            "{shown}"
        );
        assert!(shown.contains("  │ Imports"), "{shown}");
    }
}
