//! Which sessions had their tokens revoked, and when.
//!
//! Tokens are not kept, so a revocation says "whatever was issued by then". Each is one line of JSON at
//! the end of a file in the data directory, on disk before it is answered. A revocation is dropped once
//! no token from before it can be valid any more. The trade-off: the file is read by one host; several
//! hosts on one store each need to be told.

use handoff_engine::name::SessionId;
use handoff_engine::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// The file's name in the data directory.
const FILE: &str = "revocations.jsonl";

/// The revocations of a host. Clones share them.
#[derive(Clone, Debug)]
pub struct Revocations(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    revoked: Mutex<Kept>,
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Kept {
    by_session: HashMap<String, Timestamp>,
    /// None if they last as long as the process.
    file: Option<File>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    session: String,
    /// Milliseconds of Unix time. Tokens issued by then are revoked.
    revoked: u64,
}

/// Revocations that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error(
    "the revoked tokens in '{path}' cannot be read or written: {error}. Make room, or give the host's \
     user the right to write there"
)]
pub struct RevocationsError {
    path: PathBuf,
    #[source]
    error: io::Error,
}

impl Revocations {
    /// How long one is kept: as long as a token may be valid at most.
    pub const KEPT_FOR: Duration = Duration::from_secs(400 * 24 * 60 * 60);

    /// Revocations for as long as the process lives.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::of(HashMap::new(), None)
    }

    fn of(by_session: HashMap<String, Timestamp>, file: Option<File>) -> Self {
        let (changes, _) = watch::channel(0);
        let revoked = Mutex::new(Kept { by_session, file });
        Self(Arc::new(Inner { revoked, changes }))
    }

    /// The revocations of a data directory. Those that concern no valid token any more are dropped.
    /// Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, RevocationsError> {
        let path = directory.join(FILE);
        let opened = read(&path).and_then(|mut by_session| {
            by_session.retain(|_, at| now.since(*at) <= Millis::from(Self::KEPT_FOR));
            let file = write(&path, &by_session)?;
            File::open(directory)?.sync_all()?;
            Ok(Self::of(by_session, Some(file)))
        });
        opened.map_err(|error| RevocationsError { path, error })
    }

    /// Revokes the tokens of a session that were issued by now. On disk when this returns. Blocks.
    ///
    /// # Errors
    ///
    /// If it cannot be written. The tokens are revoked all the same, for as long as the process lives.
    pub fn revoke(&self, session: &SessionId, now: Timestamp) -> io::Result<()> {
        let mut kept = self.kept();
        let line = Line {
            session: session.to_string(),
            revoked: now.0,
        };
        let before = kept.by_session.get(session.as_str()).copied();
        let at = before.map_or(now, |before| before.max(now));
        kept.by_session.insert(session.to_string(), at);
        let written = match &mut kept.file {
            None => Ok(()),
            Some(file) => append(file, &line).and_then(|()| file.sync_data()),
        };
        drop(kept);
        self.0.changes.send_modify(|count| *count += 1);
        written
    }

    /// When a session's tokens were revoked last.
    #[must_use]
    pub fn revoked(&self, session: &SessionId) -> Option<Timestamp> {
        self.kept().by_session.get(session.as_str()).copied()
    }

    /// Tells when there is a new revocation.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        let kept = self.0.revoked.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a file holds. A line that was cut off, by a crash or a full disk, was never answered.
fn read(path: &Path) -> io::Result<HashMap<String, Timestamp>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut by_session = HashMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let Ok(Line { session, revoked }) = serde_json::from_str(line) else {
            tracing::warn!(path = %path.display(), "a line that was cut off is skipped");
            continue;
        };
        let latest: &mut Timestamp = by_session.entry(session).or_default();
        *latest = (*latest).max(Timestamp(revoked));
    }
    Ok(by_session)
}

/// Writes the file anew as a whole, and leaves it open at its end.
fn write(path: &Path, revoked: &HashMap<String, Timestamp>) -> io::Result<File> {
    let draft = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    for (session, at) in revoked {
        let line = Line {
            session: session.clone(),
            revoked: at.0,
        };
        append(&mut file, &line)?;
    }
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    Ok(file)
}

fn append(file: &mut File, line: &Line) -> io::Result<()> {
    let line = serde_json::to_string(line)?;
    // The one before may have been cut off.
    file.write_all(format!("\n{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_outlives_a_restart_and_a_line_cut_off_is_no_obstacle() {
        let folder = tempfile::tempdir().expect("a folder");
        let (ana, rui) = (SessionId::new("ana"), SessionId::new("rui"));
        let now = Timestamp(1_790_000_000_000);
        let opened = Revocations::open(folder.path(), now).expect("opens");
        opened.revoke(&ana, now).expect("is kept");
        let path = folder.path().join(FILE);
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"{\"session\":\"ru").expect("is written");
        let read_again = Revocations::open(folder.path(), now).expect("opens again");
        assert_eq!(read_again.revoked(&ana), Some(now));
        assert_eq!(read_again.revoked(&rui), None);
        read_again.revoke(&rui, now).expect("is kept");
        let later = now + Millis::from(Revocations::KEPT_FOR) + Millis(1);
        let opened = Revocations::open(folder.path(), now).expect("opens again");
        assert_eq!(opened.revoked(&rui), Some(now));
        let opened = Revocations::open(folder.path(), later).expect("opens again");
        assert_eq!(
            opened.revoked(&ana),
            None,
            "every token of then has expired"
        );
    }
}
