//! `handoff worker`: making ServisBOT worker bots.

use anyhow::{Context, bail};
use handoff_engine::project::{WorkerData, WorkerFile, WorkerType};
use handoff_server::ProjectDirectory;
use serde_json::Map;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a Genesys live chat worker in a project: its file, and its entry among the bots.
    Create {
        /// The project's directory.
        project: PathBuf,
        /// The bot's name, for example GenesysLivechatAlpha.
        name: String,
        /// Digital Channel URL of the Genesys Engage site.
        #[arg(long)]
        genesys_url: String,
        /// The chat service's name.
        #[arg(long)]
        genesys_service_name: String,
        /// What it is for.
        #[arg(long, default_value = "Live chat for genesys")]
        description: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Command::Create {
        project,
        name,
        genesys_url,
        genesys_service_name,
        description,
    } = &arguments.command;
    let directory = ProjectDirectory::read(project)?;
    let plain = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    if name.is_empty() || !name.chars().all(plain) {
        bail!("'{name}' cannot be a bot's name; use letters, digits, '-' and '_'");
    }
    let file = format!("workers/{name}.json");
    let path = directory.path.join(&file);
    let manifest_path = directory.path.join("project.toml");
    let manifest = handoff_server::read_text_file(&manifest_path)?;
    let header = format!("[bots.{name}]");
    let known: toml::Table = manifest
        .parse()
        .with_context(|| format!("{} cannot be read", manifest_path.display()))?;
    let has_bot = known
        .get("bots")
        .is_some_and(|bots| bots.get(name).is_some());
    if path.exists() || has_bot {
        bail!("the project has a bot '{name}' already; choose another name, or edit {file}");
    }
    let worker = WorkerFile {
        description: description.clone(),
        name: name.clone(),
        worker_type: WorkerType::GenesysLivechatV2,
        enabled: true,
        config: Map::new(),
        data: WorkerData {
            genesys_url: genesys_url.clone(),
            genesys_service_name: genesys_service_name.clone(),
            slash_commands: BTreeMap::new(),
            quick_responses: Vec::new(),
            on_join_events: Vec::new(),
            queue_update_config: None,
            auto_disconnect_events: Vec::new(),
        },
        rest: Map::new(),
    };
    let text = serde_json::to_string_pretty(&worker)? + "\n";
    std::fs::create_dir_all(directory.path.join("workers"))?;
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    let manifest = format!("{}\n\n{header}\nworker = \"{file}\"\n", manifest.trim_end());
    std::fs::write(&manifest_path, manifest)
        .with_context(|| format!("{} cannot be written", manifest_path.display()))?;
    out!("Made {file} and its entry in project.toml.");
    out!(
        "Push it from a flow: {{\"type\": \"pushBotSoStack\", \"config\": {{\"bot\": \"{name}\"}}}}"
    );
    Ok(ExitCode::SUCCESS)
}
