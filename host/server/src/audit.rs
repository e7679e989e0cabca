//! The audit log: what operators did.
//!
//! One line of JSON for each call with an operator's token: who by the token's name, when, from where,
//! which route and what of, and what came of it. Neither tokens nor what people say are in it. Lines are
//! written by a thread of their own, so that a slow disk delays no answer; what does not fit into its
//! queue is lost, which is logged and counted in the next line. The same goes to the log under the
//! target `audit`.

use handoff_engine::time::Timestamp;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

/// Lines that wait to be written at most.
const QUEUE: usize = 4096;

/// Where the audit log goes. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Audit(Option<Arc<Writer>>);

#[derive(Debug)]
struct Writer {
    jobs: SyncSender<Job>,
    lost: AtomicU64,
}

#[derive(Debug)]
enum Job {
    Line(String),
    Reopen,
    Flush(SyncSender<()>),
}

/// What an operator did.
#[derive(Debug, Serialize)]
pub(crate) struct AuditRecord<'r> {
    /// ISO 8601.
    pub(crate) at: String,
    /// The name of the token.
    pub(crate) operator: &'r str,
    /// Where the call came from, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    pub(crate) method: &'r str,
    /// As it was registered.
    pub(crate) route: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The code of the error, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'static str>,
    /// Whether what people said was asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) revealed: bool,
    /// Lines before this one that could not be written.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) lost: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Audit {
    /// An audit log in a file, at the end of what is there. Nobody but the user may read one that is
    /// made. Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let (jobs, incoming) = sync_channel(QUEUE);
        let path = path.to_owned();
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write(&path, file, &incoming))?;
        let lost = AtomicU64::new(0);
        Ok(Self(Some(Arc::new(Writer { jobs, lost }))))
    }

    pub(crate) fn record(&self, mut record: AuditRecord<'_>) {
        tracing::info!(
            target: "audit",
            operator = record.operator,
            method = record.method,
            route = record.route,
            session = record.session,
            project = record.project,
            version = record.version,
            status = record.status,
            error = record.error,
            "an operator's call"
        );
        let Some(writer) = &self.0 else { return };
        record.lost = writer.lost.swap(0, Ordering::Relaxed);
        let lost = record.lost + 1;
        let written = serde_json::to_string(&record).map_err(drop);
        let written = written.and_then(|line| {
            let sent = writer.jobs.try_send(Job::Line(line));
            sent.map_err(|error| match error {
                TrySendError::Full(_) | TrySendError::Disconnected(_) => (),
            })
        });
        if written.is_err() {
            writer.lost.fetch_add(lost, Ordering::Relaxed);
            tracing::error!("a line of the audit log is lost: its file does not keep up");
        }
    }

    /// Opens the file again by its name, as after a rotation of logs.
    pub fn reopen(&self) {
        if let Some(writer) = &self.0 {
            drop(writer.jobs.try_send(Job::Reopen));
        }
    }

    /// Waits until what was recorded is written. Blocks.
    pub fn flush(&self) {
        if let Some(writer) = &self.0 {
            let (done, waits) = sync_channel(1);
            if writer.jobs.send(Job::Flush(done)).is_ok() {
                let _ = waits.recv();
            }
        }
    }
}

/// When something happened, as the log has it.
pub(crate) fn time(at: Timestamp) -> String {
    at.to_iso()
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write(path: &Path, mut file: File, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Line(line) => {
                if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
                    tracing::error!(path = %path.display(), %error, "the audit log cannot be written");
                }
            }
            Job::Reopen => match open(path) {
                Ok(opened) => file = opened,
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "the audit log cannot be opened again");
                }
            },
            Job::Flush(done) => {
                drop(file.sync_data());
                let _ = done.send(());
            }
        }
    }
}
