//! Sessions that are written to at once share an fsync.

use crate::power::Disk;
use crate::suite::{effect, turn};
use handoff_engine::name::{Revision, SessionId};
use handoff_store::{AppendError, Options, RedbStore, Store};
use std::sync::Arc;

const SESSIONS: usize = 200;

/// Writes and syncs that it takes to append to many sessions at once.
async fn operations(batch: usize) -> usize {
    let disk = Disk::default();
    let options = Options {
        batch,
        ..Options::default()
    };
    let store = Arc::new(RedbStore::on(disk.clone(), &options).expect("opens"));
    let before = disk.operations();
    let sessions: Vec<_> = (0..SESSIONS)
        .map(|session| {
            let store = Arc::clone(&store);
            let turn = turn(&format!("s{session}"), 1).asks("a").done();
            tokio::spawn(async move { store.append(turn, &[]).await })
        })
        .collect();
    for session in sessions {
        session.await.expect("runs").expect("is taken");
    }
    disk.operations() - before
}

#[tokio::test]
async fn many_sessions_share_what_each_would_have_to_do_alone() {
    let (shared, alone) = (operations(SESSIONS).await, operations(1).await);
    assert!(shared * 2 < alone, "{shared} operations, alone {alone}");
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let disk = Disk::default();
    let store = RedbStore::on(disk.clone(), &Options::default()).expect("opens");
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
    let store = Arc::new(RedbStore::on(disk.clone(), &Options::default()).expect("opens"));
    let s = SessionId::new("s");
    {
        // Given, and then nobody waits for the answer.
        let append = store.append(turn("s", 1).done(), &[]);
        let mut append = Box::pin(append);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        let _ = append.as_mut().poll(&mut context);
    }
    drop(store);
    let store = RedbStore::on(disk, &Options::default()).expect("opens");
    let journal = store.journal(&s, Revision(0)).await.expect("reads");
    assert_eq!(journal.len(), 1);
}
