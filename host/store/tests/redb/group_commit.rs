//! Sessions that are written to at once share an fsync.

use crate::power::Disk;
use crate::suite::{effect, turn};
use handoff_engine::name::{InputId, Revision, SessionId};
use handoff_store::{AppendError, RedbOptions, RedbStore, Store};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use tokio::task::JoinHandle;

const SESSIONS: usize = 200;

fn open(disk: &Disk) -> Arc<RedbStore> {
    let store = RedbStore::on(disk.clone(), &RedbOptions::default());
    Arc::new(store.expect("opens"))
}

type Answer = Result<(), AppendError>;

/// An append whose sync is held up.
async fn held_append(disk: &Disk, store: &Arc<RedbStore>, revision: u64) -> JoinHandle<Answer> {
    disk.hold_syncs();
    let (held, store) = (disk.clone(), Arc::clone(store));
    let append = tokio::spawn(async move { store.append(turn("s", revision).done(), &[]).await });
    tokio::task::spawn_blocking(move || held.until_held())
        .await
        .expect("is held");
    append
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_on_disk_and_reads_do_not_wait_for_it() {
    let disk = Disk::default();
    let store = open(&disk);
    store.append(turn("s", 1).done(), &[]).await.expect("taken");
    let append = held_append(&disk, &store, 2).await;
    let s = SessionId::new("s");
    let loaded = store.load(&s).await.expect("reads").expect("is there");
    assert_eq!(loaded.revision, Revision(1));
    let second = InputId::new("input-2");
    assert!(!store.has_input(&s, &second).await.expect("reads"));
    assert!(!append.is_finished());
    disk.release_syncs();
    append.await.expect("runs").expect("is taken");
    assert!(store.has_input(&s, &second).await.expect("reads"));
}

#[tokio::test]
async fn whatever_comes_in_during_a_sync_shares_the_next_one() {
    let disk = Disk::default();
    let store = open(&disk);
    store.append(turn("s", 1).done(), &[]).await.expect("taken");
    let before = disk.syncs();
    store.append(turn("s", 2).done(), &[]).await.expect("taken");
    let of_one = disk.syncs() - before;
    let append = held_append(&disk, &store, 3).await;
    // Whose first poll gives the order.
    let mut others: Vec<Pin<Box<dyn Future<Output = Answer>>>> = Vec::new();
    for session in 0..SESSIONS {
        let store = Arc::clone(&store);
        let turn = turn(&format!("other-{session}"), 1).asks("a").done();
        let mut other = Box::pin(async move { store.append(turn, &[]).await });
        assert!(poll_once(other.as_mut()).is_none(), "it waits");
        others.push(other);
    }
    let before = disk.syncs();
    disk.release_syncs();
    append.await.expect("runs").expect("is taken");
    for other in others {
        other.await.expect("is taken");
    }
    assert_eq!(
        disk.syncs() - before,
        2 * of_one,
        "one for it, and one for all"
    );
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let disk = Disk::default();
    let store = open(&disk);
    let first = turn("s", 1).input("hello").asks("a").done();
    store.append(first, &[]).await.expect("is taken");
    let before = disk.operations();
    let again = turn("s", 2).input("hello").done();
    let refused = store.append(again, &[]).await;
    assert!(
        matches!(refused, Err(AppendError::Duplicate(_))),
        "{refused:?}"
    );
    let s = SessionId::new("s");
    store
        .settle(&s, &[effect("s", 7, 7)])
        .await
        .expect("settles nothing");
    store.forget(&s).await.expect("is still needed");
    assert_eq!(disk.operations(), before);
}

#[tokio::test]
async fn a_store_that_is_dropped_has_written_what_it_was_given() {
    let disk = Disk::default();
    let store = open(&disk);
    // Given, and then nobody waits for the answer.
    let mut append = store.append(turn("s", 1).done(), &[]);
    let _ = poll_once(append.as_mut());
    drop(append);
    drop(store);
    let store = open(&disk);
    let journal = store
        .journal(&SessionId::new("s"), Revision(0), usize::MAX)
        .await;
    assert_eq!(journal.expect("reads").len(), 1);
}
