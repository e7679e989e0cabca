//! The power fails at every write and every sync of a run.

use crate::power::{Disk, Left};
use crate::suite::{as_kept, effect, turn};
use handoff_engine::name::{EffectId, Revision, SessionId};
use handoff_engine::session::{DeadlineKind, Position, Turn};
use handoff_engine::time::Timestamp;
use handoff_store::{
    Due, Forgotten, MemoryStore, Recovery, RedbOptions, RedbStore, Store, StoreError,
};
use serde_json::{Value, json, to_value};
use std::sync::Arc;

const SESSIONS: [&str; 4] = ["a", "b", "c", "d"];
const ROUNDS: u64 = 6;

/// One thing done to one session.
enum Deed {
    Append(Arc<Turn>, Vec<EffectId>),
    Settle(Vec<EffectId>),
    Forget,
}

/// What happens to a session in the course of a run, one thing after the other.
fn course(session: &str) -> Vec<Deed> {
    let mut course: Vec<Deed> = (1..=ROUNDS)
        .map(|round| {
            let settled: Vec<EffectId> =
                (1..round).map(|round| effect(session, round, 1)).collect();
            let next = turn(session, round)
                .asks("one")
                .asks("two")
                .due(DeadlineKind::Node, round * 10)
                .remembers("round", json!([round, "x".repeat(700)]));
            let next = match round % 2 {
                0 => next.with_agent(),
                _ => next,
            };
            Deed::Append(next.done(), settled)
        })
        .collect();
    let all = |round| [1, 2].map(|number| effect(session, round, number));
    course.insert(3, Deed::Settle(all(1).to_vec()));
    if session == "d" {
        let last = turn(session, ROUNDS + 1).closes(99).done();
        course.push(Deed::Append(last, (1..=ROUNDS).flat_map(all).collect()));
        course.push(Deed::Forget);
    }
    course
}

async fn apply(store: &dyn Store, session: &str, deed: &Deed) -> bool {
    let session = SessionId::new(session);
    match deed {
        Deed::Append(turn, settled) => store.append(Arc::clone(turn), settled).await.is_ok(),
        Deed::Settle(effects) => store.settle(&session, effects).await.is_ok(),
        Deed::Forget => match store.forget(&session).await {
            Ok(forgotten) => {
                assert_eq!(forgotten, Forgotten::Dropped);
                true
            }
            Err(_) => false,
        },
    }
}

/// Everything that can be asked about a session.
async fn told(store: &dyn Store, session: &str) -> Value {
    let id = SessionId::new(session);
    let journal = store
        .journal(&id, Revision(0), usize::MAX)
        .await
        .expect("reads");
    let mut inputs = Vec::new();
    for round in 1..=ROUNDS + 2 {
        let input = turn(session, round).done().input.id.clone();
        inputs.push(store.has_input(&id, &input).await.expect("reads"));
    }
    let due = store.due(Timestamp(u64::MAX), 99).await.expect("reads");
    let due = due.into_iter().filter(|due| due.session == id);
    let due: Vec<String> = due
        .map(|Due { at, kind, .. }| format!("{at} {kind:?}"))
        .collect();
    let over = store.closed_before(Timestamp(u64::MAX), 99).await;
    json!({
        "session": store.load(&id).await.expect("reads").map(|session| to_value(session).expect("is data")),
        "journal": journal.iter().map(|turn| as_kept(turn)).collect::<Vec<_>>(),
        "inputs": inputs,
        "events": store.events(&id, Position::default(), 999).await.expect("reads"),
        "transcript": store.transcript(&id, 999).await.expect("reads"),
        "pending": store.pending_effects(&id).await.expect("reads"),
        "due": due,
        "unfinished": store.unfinished().await.expect("reads").contains(&id),
        "over": over.expect("reads").contains(&id),
    })
}

/// What is to be told of a session after so many deeds.
async fn expected(session: &str, deeds: usize) -> Value {
    let store = MemoryStore::new();
    for deed in course(session).iter().take(deeds) {
        assert!(apply(&store, session, deed).await);
    }
    told(&store, session).await
}

fn try_open(disk: Disk, recovery: Recovery) -> Result<RedbStore, StoreError> {
    // A few orders to a batch, so that there are many commits to fail.
    let options = RedbOptions {
        batch: 3,
        recovery,
        ..RedbOptions::default()
    };
    RedbStore::on(disk, &options)
}

fn open(disk: Disk) -> RedbStore {
    try_open(disk, Recovery::default()).expect("opens")
}

/// Every session at once until it is done or the power fails; how many deeds each was answered.
async fn run(store: &Arc<RedbStore>) -> Vec<usize> {
    let sessions = SESSIONS.map(|session| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut answered = 0;
            for deed in course(session) {
                if !apply(&*store, session, &deed).await {
                    break;
                }
                answered += 1;
            }
            answered
        })
    });
    let mut answered = Vec::new();
    for session in sessions {
        answered.push(session.await.expect("runs"));
    }
    answered
}

/// What was answered is there; what was not is there as a whole or not at all.
async fn check(disk: &Disk, left: Left, answered: &[usize]) {
    let store = open(disk.after_power_failure(left));
    for (session, answered) in SESSIONS.iter().zip(answered) {
        let found = told(&store, session).await;
        if found == expected(session, *answered).await {
            continue;
        }
        let wanted = expected(session, answered + 1).await;
        assert_eq!(found, wanted, "{session} after {answered}, {left:?}");
    }
    let anew = turn("new", 1).asks("a").done();
    store.append(anew, &[]).await.expect("goes on");
}

#[tokio::test]
async fn whenever_the_power_fails_what_was_answered_is_there_and_turns_are_whole() {
    at_every_operation(Recovery::Thorough).await;
}

#[tokio::test]
async fn whenever_the_power_fails_a_quick_start_finds_what_was_answered_too() {
    at_every_operation(Recovery::Quick).await;
}

async fn at_every_operation(recovery: Recovery) {
    let fresh = Disk::default();
    drop(open(fresh.clone()));
    let mut crashes = 0;
    for operation in 0.. {
        let disk = fresh.mended().failing_at(operation);
        let answered = match try_open(disk.clone(), recovery) {
            Ok(store) => run(&Arc::new(store)).await,
            Err(_) => vec![0; SESSIONS.len()],
        };
        let seed = 0x9E37_79B9_7F4A_7C15 ^ operation as u64;
        for left in [Left::Nothing, Left::Everything, Left::Some(seed)] {
            check(&disk, left, &answered).await;
        }
        if !disk.failed() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 100, "the run has {crashes} writes and syncs only");
}

#[tokio::test]
async fn a_power_failure_while_recovering_from_one_loses_nothing_either() {
    let disk = Disk::default();
    let store = Arc::new(open(disk.clone()));
    let answered = run(&store).await;
    // As a process that is killed leaves it: nothing was closed.
    let crashed = disk.after_power_failure(Left::Nothing);
    drop(store);
    for operation in 0.. {
        let disk = crashed.mended().failing_at(operation);
        drop(try_open(disk.clone(), Recovery::default()));
        for left in [
            Left::Nothing,
            Left::Everything,
            Left::Some(operation as u64 + 1),
        ] {
            check(&disk, left, &answered).await;
        }
        if !disk.failed() {
            break;
        }
    }
}
