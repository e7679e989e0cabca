//! Turns per second on disk, for sessions that are written to at once.
//!
//! `cargo bench -p handoff-store --bench appends`. The ratio to look at is `shared` over `alone`: what
//! sharing an fsync is worth, beside the same store with an fsync for each turn.

#[path = "../tests/suite/sample.rs"]
#[allow(dead_code)]
mod sample;

use divan::Bencher;
use divan::counter::ItemsCount;
use handoff_engine::session::{DeadlineKind, Turn};
use handoff_store::{Recovery, RedbOptions, RedbStore, Store};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const SESSIONS: [usize; 4] = [1, 8, 64, 512];

/// Turns of each session that are measured together.
const TURNS: u64 = 4;

fn main() {
    divan::main();
}

/// Sessions that talk.
struct Talk {
    store: Arc<RedbStore>,
    sessions: usize,
    revision: u64,
    _folder: TempDir,
}

impl Talk {
    fn new(sessions: usize, options: &RedbOptions) -> Self {
        // Beside what is built, since folders for temporary files may be in memory.
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let folder = folder.expect("a folder");
        let path = folder.path().join("sessions.handoff");
        let store = RedbStore::open_with(path, options).expect("is made");
        Self {
            store: Arc::new(store),
            sessions,
            revision: 0,
            _folder: folder,
        }
    }

    /// What each session is going to append: about 2 KB of session, one message, one deadline.
    fn next(&mut self) -> Vec<Vec<Arc<Turn>>> {
        let revisions = self.revision + 1..=self.revision + TURNS;
        self.revision += TURNS;
        let turn = |session: usize, revision: u64| {
            sample::turn(&format!("session-{session}"), revision)
                .remembers("notes", json!("x".repeat(2000)))
                .asks("Your order is on its way.")
                .due(DeadlineKind::Inactivity, revision * 1000)
                .done()
        };
        (0..self.sessions)
            .map(|session| revisions.clone().map(|next| turn(session, next)).collect())
            .collect()
    }

    async fn append(&self, turns: Vec<Vec<Arc<Turn>>>) {
        let mut sessions = JoinSet::new();
        for turns in turns {
            let store = Arc::clone(&self.store);
            sessions.spawn(async move {
                for turn in turns {
                    let settled: Vec<_> = turn.effects.iter().map(|e| e.id.clone()).collect();
                    store.append(turn, &settled).await.expect("is taken");
                }
            });
        }
        sessions.join_all().await;
    }
}

fn run(bencher: Bencher<'_, '_>, sessions: usize, options: &RedbOptions) {
    let runtime = Runtime::new().expect("a runtime");
    let talk = std::cell::RefCell::new(Talk::new(sessions, options));
    bencher
        .counter(ItemsCount::new(sessions * TURNS as usize))
        .with_inputs(|| talk.borrow_mut().next())
        .bench_local_values(|turns| runtime.block_on(talk.borrow().append(turns)));
}

#[divan::bench(args = SESSIONS, sample_count = 12, sample_size = 1)]
fn shared(bencher: Bencher<'_, '_>, sessions: usize) {
    run(bencher, sessions, &RedbOptions::default());
}

#[divan::bench(args = SESSIONS, sample_count = 4, sample_size = 1)]
fn alone(bencher: Bencher<'_, '_>, sessions: usize) {
    let options = RedbOptions {
        batch: 1,
        ..RedbOptions::default()
    };
    run(bencher, sessions, &options);
}

#[divan::bench(args = SESSIONS, sample_count = 12, sample_size = 1)]
fn shared_with_quick_recovery(bencher: Bencher<'_, '_>, sessions: usize) {
    let options = RedbOptions {
        recovery: Recovery::Quick,
        ..RedbOptions::default()
    };
    run(bencher, sessions, &options);
}
