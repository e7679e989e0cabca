//! What users do, once each and in order.

use super::support::{Desk, Trick};
use crate::sessions::RETRY;
use crate::user::Position;
use handoff_engine::name::{Revision, SessionId};
use std::sync::Arc;
use tokio::sync::oneshot;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_message_given_by_many_at_once_counts_once() {
    let desk = Desk::new().await;
    desk.start("s").await;
    let session = Arc::new(SessionId::new("s"));
    let given = (0..40).map(|number| {
        let (host, session) = (desk.host.clone(), Arc::clone(&session));
        let id = format!("id-{}", number % 2);
        tokio::spawn(async move { host.user_message(&session, &id, "hello").await })
    });
    for outcome in given.collect::<Vec<_>>() {
        outcome.await.expect("runs").expect("is taken");
    }
    desk.clock.idle().await;
    let mut inputs = desk.inputs("s").await;
    inputs[1..].sort();
    assert_eq!(inputs, ["started", "user:id-0", "user:id-1"]);
    assert_eq!(desk.silent.opened(), ["s/2/1"]);
}

#[tokio::test]
async fn a_message_may_have_the_id_of_another_kind_of_input() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.say("s", "started").await.expect("is taken");
    assert_eq!(desk.inputs("s").await, ["started", "user:started"]);
}

#[tokio::test]
async fn a_session_that_was_not_started_is_unknown() {
    let desk = Desk::new().await;
    let error = desk.say("s", "hello").await;
    assert_eq!(error, Err("session.unknown".to_owned()));
    assert!(desk.journal("s").await.is_empty());
}

#[tokio::test]
async fn inputs_of_one_session_wait_for_each_other_and_those_of_another_do_not() {
    let desk = Desk::new().await;
    desk.start("slow").await;
    desk.start("quick").await;
    let (release, released) = oneshot::channel();
    desk.store.play("slow", Trick::Hold(released));
    let mut waiting = Vec::new();
    for id in ["1", "2", "3"] {
        let host = desk.host.clone();
        let (given, taken) = oneshot::channel();
        waiting.push(tokio::spawn(async move {
            given.send(()).expect("the test listens");
            host.user_message(&"slow".into(), id, id).await
        }));
        // In order: the next one is given once this one is.
        taken.await.expect("runs");
    }
    let said = desk.host.user_message(&"quick".into(), "1", "hello").await;
    said.expect("is taken while the other session waits");
    assert_eq!(desk.inputs("slow").await, ["started"]);
    release.send(()).expect("is held");
    for outcome in waiting {
        outcome.await.expect("runs").expect("is taken");
    }
    assert_eq!(
        desk.inputs("slow").await,
        ["started", "user:1", "user:2", "user:3"]
    );
}

#[tokio::test]
async fn a_turn_that_another_came_before_is_computed_again() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.store.play("s", Trick::BeBeaten);
    desk.store.play("s", Trick::BeBeaten);
    desk.say("s", "an order").await.expect("is taken");
    assert_eq!(
        desk.inputs("s").await,
        ["started", "rival-2", "rival-3", "user:an order"]
    );
    let journal = desk.journal("s").await;
    assert_eq!(journal[3].session.revision, Revision(4));
    assert_eq!(
        desk.silent.opened(),
        ["s/4/1"],
        "only what was committed is acted on"
    );
}

#[tokio::test]
async fn a_session_that_others_write_to_all_the_time_is_given_up_and_said_so() {
    let desk = Desk::new().await;
    desk.start("s").await;
    for _ in 0..10 {
        desk.store.play("s", Trick::BeBeaten);
    }
    let error = desk.say("s", "an order").await;
    assert_eq!(error, Err("session.contended".to_owned()));
    desk.say("s", "an order").await.expect("is taken");
}

#[tokio::test]
async fn a_turn_that_the_store_loses_is_reported_and_not_acted_on() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.store.play("s", Trick::Lose);
    let error = desk.say("s", "an order").await;
    assert_eq!(error, Err("store.unavailable".to_owned()));
    assert_eq!(desk.inputs("s").await, ["started"]);
    assert_eq!(desk.silent.opened(), Vec::<String>::new());
    desk.say("s", "an order")
        .await
        .expect("the same id is still free");
    assert_eq!(desk.silent.opened(), ["s/2/1"]);
}

#[tokio::test]
async fn a_turn_that_was_committed_though_the_store_failed_is_acted_on_all_the_same() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.store.play("s", Trick::LoseAnswer);
    let error = desk.say("s", "an order").await;
    assert_eq!(error, Err("store.unavailable".to_owned()));
    assert_eq!(desk.silent.opened(), ["s/2/1"]);
    desk.say("s", "an order").await.expect("was taken");
    desk.pass(RETRY).await;
    assert_eq!(desk.silent.opened(), ["s/2/1"], "once");
    assert_eq!(desk.inputs("s").await, ["started", "user:an order"]);
}

#[tokio::test]
async fn a_panic_costs_one_input_and_not_the_session() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.store.play("s", Trick::Panic);
    let error = desk.say("s", "an order").await;
    assert_eq!(error, Err("host.broken".to_owned()));
    desk.say("s", "an order").await.expect("is taken");
    assert_eq!(desk.inputs("s").await, ["started", "user:an order"]);
}

#[tokio::test]
async fn whoever_watches_a_session_hears_of_every_turn_and_reads_each_event_once() {
    let desk = Desk::new().await;
    let session = SessionId::new("s");
    let mut turns = desk.host.watch(&session).await.expect("reads");
    desk.start("s").await;
    turns.changed().await.expect("the host runs");
    let events = desk
        .host
        .user_events(&session, Position::default(), usize::MAX)
        .await
        .expect("reads");
    assert_eq!(events.len(), 1);
    turns.mark_unchanged();
    let mut late = desk.host.watch(&session).await.expect("reads");
    assert_eq!(*late.borrow_and_update(), Revision(1));
    assert!(!turns.has_changed().expect("the host runs"), "nothing new");
    desk.pass(handoff_engine::time::Millis::from_secs(60)).await;
    assert_eq!(*turns.borrow_and_update(), Revision(2));
    let more = desk
        .host
        .user_events(&session, events[0].position, usize::MAX)
        .await
        .expect("reads");
    assert_eq!(more.len(), 1, "{more:?}");
    desk.host.stop();
    assert!(turns.changed().await.is_err(), "nothing more will come");
}
