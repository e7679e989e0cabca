//! A disk that is full, or does not let itself be written.

use crate::power::Disk;
use crate::suite::turn;
use handoff_engine::name::{Revision, SessionId};
use handoff_store::{RedbOptions, RedbStore, Store, StoreError};
use serde_json::json;

fn open(disk: &Disk) -> Result<RedbStore, StoreError> {
    RedbStore::on(disk.clone(), &RedbOptions::default())
}

fn length(disk: &Disk) -> usize {
    let length = redb::StorageBackend::len(disk).expect("is known");
    usize::try_from(length).expect("fits")
}

#[tokio::test]
async fn a_full_disk_stops_the_store_and_with_more_room_everything_answered_is_there() {
    let s = SessionId::new("s");
    let fresh = Disk::default();
    drop(open(&fresh).expect("opens"));
    let disk = fresh.mended().full_at(length(&fresh) + (1 << 16));
    let store = open(&disk).expect("opens");
    let mut answered = 0;
    let refused = loop {
        let next = turn("s", answered + 1).remembers("x", json!("x".repeat(20_000)));
        match store.append(next.done(), &[]).await {
            Ok(()) => answered += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), "store.full");
    assert!(answered > 0);
    assert_eq!(
        refused.to_string(),
        "the disk is full (no storage space); make room, then start the host again: whatever was \
         answered is kept",
    );
    // Nothing is built upon what may or may not be there.
    let next = turn("s", answered + 1).done();
    let stopped = store.append(next, &[]).await.expect_err("is stopped");
    assert_eq!(stopped.code(), "store.stopped");
    assert!(
        stopped.to_string().contains("the disk is full"),
        "{stopped}"
    );
    let stopped = store.load(&s).await.expect_err("is stopped");
    assert_eq!(stopped.code(), "store.stopped");
    drop(store);
    let store = open(&disk.mended()).expect("opens");
    let journal = store
        .journal(&s, Revision(0), usize::MAX)
        .await
        .expect("reads");
    let found = journal.len() as u64;
    assert!(
        found == answered || found == answered + 1,
        "{found} of {answered}"
    );
    let next = turn("s", found + 1).done();
    store.append(next, &[]).await.expect("goes on");
}

#[tokio::test]
async fn a_disk_that_is_full_from_the_start_says_so() {
    let refused = open(&Disk::default().full_at(100)).expect_err("has no room");
    assert_eq!(refused.code(), "store.full");
}

#[tokio::test]
async fn a_disk_that_may_not_be_written_says_so() {
    let fresh = Disk::default();
    drop(open(&fresh).expect("opens"));
    let refused = open(&fresh.mended().read_only()).expect_err("is read-only");
    assert_eq!(refused.code(), "store.not_writable");
    let store = open(&fresh).expect("opens");
    drop(fresh.clone().read_only());
    let refused = store.append(turn("s", 1).done(), &[]).await;
    assert_eq!(
        refused.expect_err("is read-only").code(),
        "store.not_writable"
    );
}
