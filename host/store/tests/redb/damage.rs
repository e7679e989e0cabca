//! Files that are not as they were left.

use crate::opening::{TURNS, remembered, written};
use crate::suite::{as_kept, turn};
use handoff_engine::name::{Revision, SessionId};
use handoff_engine::time::Timestamp;
use handoff_store::{RedbOptions, RedbStore, Store};
use std::path::Path;

/// What is read from a damaged file: nothing but what was written, or an error.
async fn told(path: &Path, verify: bool) -> Result<(), String> {
    let options = RedbOptions {
        verify,
        ..RedbOptions::default()
    };
    let store = RedbStore::open_with(path, &options).map_err(|error| error.code().to_owned())?;
    let journal = store
        .journal(&SessionId::new("s"), Revision(0), usize::MAX)
        .await;
    let journal = journal.map_err(|error| error.code().to_owned())?;
    assert_eq!(journal.len() as u64, TURNS, "no turn is lost in silence");
    for (revision, found) in (1..).zip(&journal) {
        let wanted = turn("s", revision).remembers("x", remembered()).done();
        assert_eq!(as_kept(found), as_kept(&wanted));
    }
    Ok(())
}

#[tokio::test]
async fn a_file_that_was_cut_off_is_damaged() {
    let place = written().await;
    let whole = std::fs::read(&place.path).expect("reads");
    let lengths = (1..9).chain((9..whole.len()).step_by(whole.len() / 60));
    for length in lengths {
        std::fs::write(&place.path, &whole[..length]).expect("writes");
        match told(&place.path, false).await {
            Ok(()) => {}
            Err(code) => assert_eq!(code, "store.corrupt", "cut off at {length}"),
        }
    }
}

#[tokio::test]
async fn a_bit_that_flips_is_noticed_when_the_file_is_checked() {
    let place = written().await;
    let whole = std::fs::read(&place.path).expect("reads");
    let used = whole.iter().enumerate().filter(|(_, byte)| **byte != 0);
    let used: Vec<usize> = used.map(|(place, _)| place).collect();
    let mut noticed = 0;
    for position in used.iter().step_by(used.len() / 150) {
        let mut damaged = whole.clone();
        damaged[*position] ^= 0x10;
        std::fs::write(&place.path, &damaged).expect("writes");
        if let Err(code) = told(&place.path, true).await {
            let codes = ["store.corrupt", "store.not_a_store", "store.too_new"];
            assert!(codes.contains(&code.as_str()), "{code} at {position}");
            noticed += 1;
        }
    }
    assert!(noticed > 0);
}

/// Asks and does everything, whatever comes of it.
async fn use_it(path: &Path) -> Vec<&'static str> {
    let store = match RedbStore::open(path) {
        Ok(store) => store,
        Err(error) => return vec![error.code()],
    };
    let s = SessionId::new("s");
    let next = store
        .append(turn("s", TURNS + 1).asks("a").done(), &[])
        .await;
    let codes = [
        store.load(&s).await.err().map(|error| error.code()),
        store
            .journal(&s, Revision(0), usize::MAX)
            .await
            .err()
            .map(|error| error.code()),
        store
            .pending_effects(&s)
            .await
            .err()
            .map(|error| error.code()),
        store.unfinished().await.err().map(|error| error.code()),
        store
            .due(Timestamp(u64::MAX), 9)
            .await
            .err()
            .map(|error| error.code()),
        store.forget(&s).await.err().map(|error| error.code()),
        next.err().map(|error| error.code()),
    ];
    codes.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_damaged_file_that_is_used_unchecked_leads_to_errors_and_to_nothing_worse() {
    let place = written().await;
    let whole = std::fs::read(&place.path).expect("reads");
    let used = whole.iter().enumerate().filter(|(_, byte)| **byte != 0);
    let used: Vec<usize> = used.map(|(place, _)| place).collect();
    let mut noticed = 0;
    for position in used.iter().skip(1).step_by(used.len() / 300) {
        let mut damaged = whole.clone();
        damaged[*position] = !damaged[*position];
        std::fs::write(&place.path, &damaged).expect("writes");
        for code in use_it(&place.path).await {
            let codes = [
                "store.corrupt",
                "store.not_a_store",
                "store.conflict",
                "store.stopped",
                "store.too_new",
            ];
            assert!(codes.contains(&code), "{code} at {position}");
            noticed += 1;
        }
    }
    assert!(noticed > 0);
}
