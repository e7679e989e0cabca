//! What 100,000 parked sessions cost: bytes on disk, memory, and time to be ready again.
//!
//! `cargo bench -p handoff-store --bench parked`. A process makes them; others, fresh ones, open the
//! file, once as it was closed and once as a crash left it.

#[path = "../tests/suite/sample.rs"]
#[allow(dead_code)]
mod sample;

use handoff_engine::name::SessionId;
use handoff_engine::session::DeadlineKind;
use handoff_engine::time::Timestamp;
use handoff_store::{Recovery, RedbOptions, RedbStore, Store};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const SESSIONS: u64 = 100_000;

/// Appends that are under way at once.
const AT_ONCE: u64 = 1000;

/// Turns of each session before it is parked.
const TURNS: u64 = 3;

/// The session that is due, before any other.
const DUE: u64 = SESSIONS / 2;

#[allow(clippy::print_stdout)]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = Runtime::new().expect("a runtime");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "ready", path] => runtime.block_on(ready(Path::new(path))),
        [_, "crash", path] => runtime.block_on(crash(Path::new(path), Recovery::Thorough)),
        [_, "crash, quick", path] => runtime.block_on(crash(Path::new(path), Recovery::Quick)),
        _ => {
            // Beside what is built, since folders for temporary files may be in memory.
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
            let path = folder.path().join("sessions.handoff");
            runtime.block_on(park(&path));
            let bytes = std::fs::metadata(&path).expect("is there").len();
            println!("the file has {} MB", bytes >> 20);
            println!("\nas it was closed:");
            again("ready", &path);
            again("crash", &path);
            println!("\nas a crash left it:");
            again("ready", &path);
            again("crash, quick", &path);
            println!("\nas a crash left it, with quick recovery:");
            again("ready", &path);
        }
    }
}

fn again(what: &str, path: &Path) {
    let mut process = Command::new(std::env::current_exe().expect("is a file"));
    let ended = process.arg(what).arg(path).status().expect("starts");
    assert!(ended.success() || what != "ready");
}

#[allow(clippy::print_stdout)]
async fn park(path: &Path) {
    let since = Instant::now();
    let store = Arc::new(RedbStore::open(path).expect("is made"));
    for first in (0..SESSIONS).step_by(AT_ONCE as usize) {
        let mut sessions = JoinSet::new();
        for session in first..first + AT_ONCE {
            let store = Arc::clone(&store);
            sessions.spawn(async move {
                for revision in 1..=TURNS {
                    store
                        .append(turn(session, revision), &[])
                        .await
                        .expect("is taken");
                }
            });
        }
        sessions.join_all().await;
    }
    println!(
        "{SESSIONS} sessions of {TURNS} turns parked in {:?}",
        since.elapsed()
    );
}

fn name(session: u64) -> SessionId {
    SessionId::new(format!("session-{session}"))
}

/// About 2 KB of session, which waits for its user.
fn turn(session: u64, revision: u64) -> Arc<handoff_engine::session::Turn> {
    let due = if session == DUE {
        1
    } else {
        1_000_000 + session
    };
    sample::turn(name(session).as_str(), revision)
        .remembers("notes", json!("x".repeat(2000)))
        .due(DeadlineKind::Inactivity, due)
        .done()
}

/// What a host does when it starts.
#[allow(clippy::print_stdout)]
async fn ready(path: &Path) {
    let since = Instant::now();
    let store = RedbStore::open(path).expect("opens");
    let opened = since.elapsed();
    let unfinished = store.unfinished().await.expect("reads");
    let next = store.next_due().await.expect("reads");
    let ready = since.elapsed();
    println!(
        "  open after {opened:?}, ready after {ready:?} with {} to take up",
        unfinished.len()
    );
    let since = Instant::now();
    let due = store.due(Timestamp(1), 100).await.expect("reads");
    let found = since.elapsed();
    assert_eq!((next, due.len()), (Some(Timestamp(1)), 1));
    println!("  the one that is due found in {found:?}");
    println!("  its session loaded in {:?}", load(&store, DUE).await);
    println!("  {} MB of memory", resident() >> 20);
    for session in (0..SESSIONS).step_by(10) {
        load(&store, session).await;
    }
    println!(
        "  {} MB after a tenth of the sessions was read",
        resident() >> 20
    );
}

async fn load(store: &RedbStore, session: u64) -> Duration {
    let since = Instant::now();
    let loaded = store.load(&name(session)).await.expect("reads");
    assert!(loaded.is_some());
    since.elapsed()
}

/// Dies in the middle of its work.
async fn crash(path: &Path, recovery: Recovery) {
    let options = RedbOptions {
        recovery,
        ..RedbOptions::default()
    };
    let store = RedbStore::open_with(path, &options).expect("opens");
    let found = store
        .load(&name(DUE))
        .await
        .expect("reads")
        .expect("is there");
    let more = turn(DUE, found.revision.0 + 1);
    store.append(more, &[]).await.expect("is taken");
    std::process::abort();
}

/// Bytes of memory this process has; 0 where that is not told.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes
        .and_then(|number| number.parse().ok())
        .unwrap_or(0_u64)
        << 10
}
