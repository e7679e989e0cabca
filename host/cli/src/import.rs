//! `handoff import`: a project made of what another system's Genesys integration was configured with.

use crate::check;
use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{BOLD, DIM, GREEN, RED};
use anyhow::{Context, bail};
use handoff_engine::display::{indented, line};
use handoff_import::{ImportError, Imported, Source, dydu, kore, servisbot};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    system: System,
}

#[derive(Debug, clap::Subcommand)]
enum System {
    /// Of ServisBOT's worker and BaaS documents.
    Servisbot {
        /// JSON files, or directories of them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// What to call the project; by default, what ServisBOT calls the first worker.
        #[arg(long)]
        name: Option<String>,
        /// The AWS region of connectors that call AWS: their documents do not say it.
        #[arg(long, value_name = "REGION")]
        aws_region: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Of the settings of a Kore.ai Genesys agent and of scripts that set metadata.
    Kore {
        /// The agent's settings, TOML or JSON: the labels of Kore.ai's form and their values.
        settings: PathBuf,
        /// JavaScript files, the bot's export as JSON, or directories of them.
        scripts: Vec<PathBuf>,
        #[command(flatten)]
        target: Target,
    },
    /// Of a Dydu connector's settings and of tables of competencies.
    Dydu {
        /// The connector's settings, TOML or JSON: the labels of Dydu's form and their values.
        settings: PathBuf,
        /// Tables of competencies and queues, CSV.
        tables: Vec<PathBuf>,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
struct Target {
    /// The new project's directory. What is there is never overwritten.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (result, target) = match arguments.system {
        System::Servisbot {
            files,
            name,
            aws_region,
            target,
        } => {
            let sources = read_all(&files, &["json"])?;
            let choices = servisbot::Choices { name, aws_region };
            (servisbot::import(&sources, &choices), target)
        }
        System::Kore {
            settings,
            scripts,
            target,
        } => {
            let scripts = read_all(&scripts, &["js", "json"])?;
            (kore::import(&read(&settings)?, &scripts), target)
        }
        System::Dydu {
            settings,
            tables,
            target,
        } => {
            let tables = read_all(&tables, &["csv"])?;
            (dydu::import(&read(&settings)?, &tables), target)
        }
    };
    let imported = match result {
        Ok(imported) => imported,
        Err(ImportError(mistakes)) => {
            show_all(&mistakes, Path::new(""));
            err!("{RED}nothing was imported{RED:#}");
            return Ok(ExitCode::FAILURE);
        }
    };
    write(&imported, &target.to)?;
    show_all(&imported.notes, Path::new(""));
    let directory = target.to.display();
    out!("{GREEN}✓{GREEN:#} made {BOLD}{directory}{BOLD:#}");
    for file in &imported.files {
        out!("  {}", line(&file.path));
    }
    out!("\n{BOLD}To do{BOLD:#} {DIM}also in README.md there{DIM:#}");
    for item in &imported.to_do {
        out!("- {}", indented(item, "  "));
    }
    out!("\n{BOLD}Try it{BOLD:#}\nhandoff test {directory}\nhandoff chat {directory}\n");
    check::mistakes(&target.to, &target.nodes).await
}

/// Writes the files of a project that is not there yet.
fn write(imported: &Imported, to: &Path) -> anyhow::Result<()> {
    let is_free = match std::fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if !is_free {
        bail!(
            "'{}' is not an empty directory, and nothing is overwritten; name another one with --to",
            to.display()
        );
    }
    for file in &imported.files {
        let path = to.join(&file.path);
        let unwritable = || format!("'{}' cannot be written", path.display());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).with_context(unwritable)?;
        }
        let mut made = std::fs::File::create_new(&path).with_context(unwritable)?;
        made.write_all(file.text.as_bytes())
            .with_context(unwritable)?;
    }
    Ok(())
}

/// Files, and those of directories that have one of these endings, in order of their paths.
fn read_all(paths: &[PathBuf], endings: &[&str]) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            below(path, endings, &mut files)?;
            if files.is_empty() {
                let endings = endings.join(" or .");
                bail!("there is no .{endings} file in '{}'", path.display());
            }
            for file in files {
                sources.push(read(&file)?);
            }
        } else {
            sources.push(read(path)?);
        }
    }
    Ok(sources)
}

fn below(directory: &Path, endings: &[&str], files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("'{}' cannot be read", directory.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    paths.sort();
    for path in paths {
        let ending = path.extension().and_then(|it| it.to_str());
        let name = path.file_name().and_then(|it| it.to_str());
        if name.is_none_or(|name| name.starts_with('.')) {
            continue;
        }
        // A link may lead round in a circle.
        if path.is_dir() && path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            below(&path, endings, files)?;
        } else if ending.is_some_and(|it| endings.contains(&it)) {
            files.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Source> {
    let text = handoff_server::read_text_file(path)
        .with_context(|| format!("'{}' cannot be read", path.display()))?;
    Ok(Source {
        file: path.display().to_string(),
        text,
    })
}
