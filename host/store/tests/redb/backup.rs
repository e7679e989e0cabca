//! Copies of a store in use.

use crate::opening::{TURNS, written};
use crate::suite::turn;
use handoff_engine::name::SessionId;
use handoff_store::{RedbStore, Store};
use std::sync::Arc;
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_copies_made_under_load_all_open_and_each_is_of_one_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Arc::new(RedbStore::open(folder.path().join("live")).expect("is made"));
    // Each copy is made while some more turns are written, so that the store stays small.
    let turns = Arc::new(Semaphore::new(0));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (store, turns) = (Arc::clone(&store), Arc::clone(&turns));
            tokio::spawn(async move {
                // What the second session of a pair has, the first has had before.
                let [first, second] = [format!("{writer}-first"), format!("{writer}-second")];
                let mut revision = 0;
                while let Ok(turn_to_write) = turns.acquire().await {
                    turn_to_write.forget();
                    revision += 1;
                    for session in [&first, &second] {
                        let next = turn(session, revision).asks("text").done();
                        store.append(next, &[]).await.expect("is taken");
                    }
                }
                revision
            })
        })
        .collect();
    for copy in 0..100 {
        turns.add_permits(8);
        let path = folder.path().join(format!("copy-{copy}"));
        let made = store.backup(&path).await.expect("is made");
        let verified = RedbStore::verify(&path).expect("is whole");
        assert_eq!(verified.sessions, made.sessions);
        let opened = RedbStore::open(&path).expect("opens");
        for writer in 0..4 {
            let revision = async |name: &str| {
                let id = SessionId::new(format!("{writer}-{name}"));
                let session = opened.load(&id).await.expect("reads");
                session.map_or(0, |session| session.revision.0)
            };
            let (first, second) = (revision("first").await, revision("second").await);
            assert!(
                first == second || first == second + 1,
                "{first} and {second}"
            );
        }
        drop(opened);
        std::fs::remove_file(path).expect("is removed");
    }
    turns.close();
    for writer in writers {
        assert!(writer.await.expect("ends") > 0);
    }
}

#[tokio::test]
async fn a_copy_never_takes_the_place_of_a_file_and_its_failure_does_not_stop_the_store() {
    let place = written().await;
    let folder = place.path.parent().expect("a folder").to_owned();
    let store = RedbStore::open(&place.path).expect("opens");
    let there = folder.join("there");
    std::fs::write(&there, "mine").expect("writes");
    let error = store.backup(&there).await.expect_err("is refused");
    assert_eq!(error.code(), "store.exists");
    assert_eq!(std::fs::read(&there).expect("reads"), b"mine");
    let nowhere = folder.join("no/such/folder");
    let error = store.backup(&nowhere).await.expect_err("is refused");
    assert_eq!(error.code(), "store.no_folder");
    let next = turn("s", TURNS + 1).done();
    store.append(next, &[]).await.expect("the store goes on");
    let files = std::fs::read_dir(&folder).expect("reads").count();
    assert_eq!(files, 2, "no draft is left behind");
}

#[tokio::test]
async fn a_file_shrinks_when_what_was_in_it_is_gone_and_nothing_else_is_lost() {
    let place = written().await;
    let store = RedbStore::open(&place.path).expect("opens");
    for name in (0..200).map(|number| format!("old-{number}")) {
        let long = turn(&name, 1).remembers("x", "x".repeat(20_000).into());
        store.append(long.done(), &[]).await.expect("is taken");
        let last = turn(&name, 2).closes(1).done();
        store.append(last, &[]).await.expect("is taken");
        store
            .forget(&SessionId::new(&*name))
            .await
            .expect("answers");
    }
    drop(store);
    let before = RedbStore::verify(&place.path).expect("is whole");
    let compacted = RedbStore::compact(&place.path).expect("is compacted");
    assert!(compacted.after < compacted.before, "{compacted:?}");
    assert_eq!(RedbStore::verify(&place.path).expect("is whole"), before);
    assert_eq!(before.turns, TURNS);
}

#[tokio::test]
async fn a_store_in_use_or_none_at_all_is_neither_verified_nor_compacted() {
    let place = written().await;
    let store = RedbStore::open(&place.path).expect("opens");
    assert_eq!(
        RedbStore::verify(&place.path)
            .expect_err("is in use")
            .code(),
        "store.in_use"
    );
    assert_eq!(
        RedbStore::compact(&place.path)
            .expect_err("is in use")
            .code(),
        "store.in_use"
    );
    drop(store);
    let none = place.path.with_file_name("none");
    assert_eq!(
        RedbStore::verify(&none).expect_err("is none").code(),
        "store.no_folder"
    );
    assert!(!none.exists());
}
