//! What a message costs in a session of 10,000: bytes written, time to append, time and bytes to read one event.
//!
//! Quote the ratios; the times are this machine's.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use handoff_engine::content::UserMessage;
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_engine::session::{
    Effect, EffectKind, Input, InputKind, Position, Sender, Session, Speaker, TranscriptLine, Turn,
};
use handoff_engine::time::Timestamp;
use handoff_store::{RedbOptions, RedbStore, Store};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const MESSAGES: u64 = 10_000;
const TEXT: usize = 200;

/// Storage that counts what goes through it.
#[derive(Debug)]
struct Counting {
    inner: InMemoryBackend,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    read: AtomicU64,
    written: AtomicU64,
}

impl StorageBackend for Counting {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.counts
            .read
            .fetch_add(out.len() as u64, Ordering::Relaxed);
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.counts
            .written
            .fetch_add(data.len() as u64, Ordering::Relaxed);
        self.inner.write(offset, data)
    }
}

fn session() -> Session {
    let session = serde_json::json!({
        "id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "revision": 0, "project": "d".repeat(64),
        "channel": "web", "status": "open", "stack": [], "context": {"name": "Ana"}, "attributes": {},
        "last_message": null, "last_handoff": null, "last_error": null, "inactive_at": null,
    });
    serde_json::from_value(session).expect("is a session")
}

fn next(session: &mut Session) -> Turn {
    session.revision = session.revision.next();
    session.lines += 1;
    let text: String = format!(
        "{:x}",
        session.revision.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    );
    let text = text.repeat(TEXT / text.len() + 1)[..TEXT].to_owned();
    let at = Timestamp(1_790_000_000_000 + session.revision.0);
    let effect = format!("{}/{}/1", session.id, session.revision);
    Turn {
        session: session.clone(),
        at,
        input: Input {
            id: InputId::new(format!("user:{}", session.revision)),
            kind: InputKind::UserMessage(UserMessage::text(&text)),
        },
        journal: Vec::new(),
        effects: vec![Effect {
            id: effect.as_str().into(),
            kind: EffectKind::SendToUser {
                from: Sender::System,
                text: text.clone(),
                content: Vec::new(),
                message: None,
            },
        }],
        said: vec![TranscriptLine {
            speaker: Speaker::User,
            text,
            at,
        }],
        deadlines: Vec::new(),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::main]
async fn main() {
    let counts = Arc::new(Counts::default());
    let backend = Counting {
        inner: InMemoryBackend::new(),
        counts: Arc::clone(&counts),
    };
    // A small cache, so that what is read is seen to be read.
    let options = RedbOptions {
        cache: 1 << 20,
        ..RedbOptions::default()
    };
    let store = RedbStore::on(backend, &options).expect("opens");
    let mut session = session();
    let id: SessionId = session.id.clone();
    println!(
        "messages   records/message   pages/message   append     read one event   of it from storage"
    );
    let mut took = Vec::new();
    let (mut records, mut pages) = (store.record_bytes(), 0);
    for message in 1..=MESSAGES {
        let turn = next(&mut session);
        let settled = vec![turn.effects[0].id.clone()];
        let begun = Instant::now();
        store
            .append(Arc::new(turn), &settled)
            .await
            .expect("is taken");
        took.push(begun.elapsed());
        if [100, 1_000, MESSAGES].contains(&message) {
            let written = counts.written.load(Ordering::Relaxed);
            let count = took.len() as u64;
            let appended = median(std::mem::take(&mut took));
            let mut reads = Vec::new();
            let before = counts.read.load(Ordering::Relaxed);
            for number in 0..50 {
                let after = Position {
                    revision: Revision(1 + number * (message - 1) / 50),
                    effect: 1,
                };
                let begun = Instant::now();
                let page = store.events(&id, after, 1).await.expect("reads");
                reads.push(begun.elapsed());
                assert_eq!(page.len(), 1);
            }
            let read = (counts.read.load(Ordering::Relaxed) - before) / 50;
            println!(
                "{message:>8}   {:>13} B   {:>11} B   {appended:>8.0?}   {:>14.0?}   {read} B",
                (store.record_bytes() - records) / count,
                (written - pages) / count,
                median(reads),
            );
            (records, pages) = (store.record_bytes(), written);
        }
    }
}
