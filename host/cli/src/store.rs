//! `handoff store` and `handoff backup`: the file in which a host keeps its sessions.

use crate::remote::Remote;
use anyhow::{Context, anyhow, bail};
use handoff_store::{RedbStore, Store, StoreError};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The file in a host's data directory that holds its sessions.
pub(crate) const STORE_FILE: &str = "sessions.handoff";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read everything in a store that is not in use, and say whether it is whole.
    Verify {
        /// A store's file, or the data directory it is in.
        path: PathBuf,
    },
    /// Make the file of a store that is not in use as small as it can be.
    Compact {
        /// A store's file, or the data directory it is in.
        path: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// The data directory of a host that is not running.
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "url",
        conflicts_with = "url"
    )]
    data: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
    /// The file to make. It is never overwritten.
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Verify { path } => {
            let file = file_in(&path)?;
            let found = blocking({
                let file = file.clone();
                move || RedbStore::verify(file)
            })
            .await
            .map_err(|error| told(&file, error))?;
            out!(
                "'{}' is whole: {} sessions, {} turns, {} events, {} lines",
                file.display(),
                found.sessions,
                found.turns,
                found.events,
                found.lines
            );
        }
        Command::Compact { path } => {
            let file = file_in(&path)?;
            let done = blocking({
                let file = file.clone();
                move || RedbStore::compact(file)
            })
            .await
            .map_err(|error| told(&file, error))?;
            out!(
                "'{}' went from {} to {} bytes",
                file.display(),
                done.before,
                done.after
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `handoff backup`.
pub(crate) async fn backup(arguments: BackupArguments) -> anyhow::Result<ExitCode> {
    let to = arguments.to;
    match (&arguments.data, &arguments.remote.url) {
        (Some(data), _) => {
            let file = file_in(data)?;
            let store = open(&file)?;
            let made = store.backup(&to).await;
            made.map_err(|error| anyhow!("cannot make '{}': {error}", to.display()))?;
        }
        (None, Some(url)) => {
            let answer = arguments.remote.get(url, &["v1", "backup"], &[]).await?;
            download(answer, &to).await?;
        }
        (None, None) => bail!("name a data directory with --data, or a running host with --url"),
    }
    let found = blocking({
        let to = to.clone();
        move || RedbStore::verify(to)
    })
    .await
    .map_err(|error| told(&to, error))?;
    out!(
        "'{}' holds {} sessions with {} turns, and is whole",
        to.display(),
        found.sessions,
        found.turns
    );
    Ok(ExitCode::SUCCESS)
}

/// Writes what a host sends beside its place, and puts it there once it is complete.
async fn download(mut answer: reqwest::Response, to: &Path) -> anyhow::Result<()> {
    if fs::exists(to)? {
        bail!(
            "'{}' is there already; name another file, or move it away",
            to.display()
        );
    }
    let mut draft = to.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // There are conversations in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let cannot = || format!("cannot write '{}'", draft.display());
    let mut file = options.open(&draft).with_context(cannot)?;
    while let Some(part) = answer.chunk().await.context("the host broke off")? {
        file.write_all(&part).with_context(cannot)?;
    }
    file.sync_all().with_context(cannot)?;
    fs::hard_link(&draft, to).with_context(|| format!("cannot make '{}'", to.display()))?;
    fs::remove_file(&draft)?;
    Ok(())
}

/// A store's file, named by itself or by the directory it is in. It is there.
pub(crate) fn file_in(path: &Path) -> anyhow::Result<PathBuf> {
    let file = if path.is_file() {
        path.to_owned()
    } else {
        path.join(STORE_FILE)
    };
    // Opening would make it.
    if !file.is_file() {
        bail!(
            "there is no file '{}'; name the directory in which the host keeps its sessions",
            file.display()
        );
    }
    Ok(file)
}

/// Opens the store of a host that is not running.
pub(crate) fn open(file: &Path) -> anyhow::Result<RedbStore> {
    RedbStore::open(file).map_err(|error| told(file, error.error))
}

fn told(file: &Path, error: StoreError) -> anyhow::Error {
    let shown = file.display();
    match error {
        StoreError::InUse => anyhow!(
            "'{shown}' is in use: a running host keeps its file to itself. Ask that host, with --url and \
             --admin-token, or stop it"
        ),
        error => anyhow!("'{shown}': {error}"),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(StoreError::Closed))
}
