//! `handoff timeline`: what happened in a session, from its journal.

use crate::remote::Remote;
use crate::store;
use anyhow::{Context, bail};
use handoff_engine::name::{Revision, SessionId};
use handoff_engine::time::Timestamp;
use handoff_server::timeline::{Redaction, Timeline};
use handoff_store::{Store, StoreError};
use reqwest::Url;
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How many sessions are named to whoever asks for one that is not there.
const EXAMPLES: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The session's id.
    session: String,
    /// The data directory of a host that is not running, as 'handoff serve' was given it.
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "url",
        conflicts_with = "url"
    )]
    data: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
    /// How it is told.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The file to write, instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show what people said and who they are. Keys are not shown even so.
    #[arg(long)]
    reveal: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// A line for each thing that happened.
    Text,
    /// For tools.
    Json,
    /// One page without anything beside it, for a browser.
    Html,
}

impl Format {
    /// As the route calls it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let told = match (&arguments.data, &arguments.remote.url) {
        (Some(data), _) => read(data, &arguments).await?,
        (None, Some(url)) => ask(url, &arguments).await?,
        (None, None) => bail!("name a data directory with --data, or a running host with --url"),
    };
    match &arguments.output {
        Some(file) => {
            write(file, &told)
                .with_context(|| format!("'{}' cannot be written", file.display()))?;
        }
        None => crate::output::print_text(&told),
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells a session from the file in a data directory.
async fn read(data: &Path, arguments: &Arguments) -> anyhow::Result<String> {
    let session = &arguments.session;
    let file = store::file_in(data)?;
    let shown = file.display();
    let store = store::open(&file)?;
    let id = SessionId::new(session);
    let turns = store.journal(&id, Revision::default(), usize::MAX).await?;
    if turns.is_empty() {
        let others = some_sessions(&store).await?;
        let others = if others.is_empty() {
            "it holds none".to_owned()
        } else {
            format!("it holds, for example, {}", others.join(", "))
        };
        bail!("there is no session '{session}' in '{shown}'; {others}");
    }
    let pending = store.pending_effects(&id).await?;
    let redaction = if arguments.reveal {
        Redaction::Revealed
    } else {
        Redaction::Private
    };
    let timeline = Timeline::of(&turns, redaction).with_pending(&pending);
    Ok(match arguments.format {
        Format::Text => timeline.to_text(),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&timeline)?),
        Format::Html => timeline.to_html(),
    })
}

/// Has a running host tell a session.
async fn ask(url: &Url, arguments: &Arguments) -> anyhow::Result<String> {
    let route = ["v1", "sessions", &arguments.session, "timeline"];
    let reveal = if arguments.reveal { "true" } else { "false" };
    let query = [("format", arguments.format.as_str()), ("reveal", reveal)];
    let answer = arguments.remote.get(url, &route, &query).await?;
    Ok(answer.text().await?)
}

/// Sessions that are easy to find: those with something open, something due, or closed.
async fn some_sessions(store: &impl Store) -> Result<Vec<String>, StoreError> {
    let end_of_time = Timestamp(u64::MAX);
    let due = store.due(end_of_time, EXAMPLES).await?;
    let mut found: BTreeSet<SessionId> = due.into_iter().map(|due| due.session).collect();
    found.extend(store.closed_before(end_of_time, EXAMPLES).await?);
    if found.len() < EXAMPLES {
        found.extend(store.unfinished().await?);
    }
    let some = found.into_iter().take(EXAMPLES);
    Ok(some.map(|session| format!("'{session}'")).collect())
}

/// Writes a file that nobody else may read: there is a conversation in it.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
