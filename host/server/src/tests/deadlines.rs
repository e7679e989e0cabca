//! Deadlines ring once, at their time, and for their own session.

use super::support::{Desk, Trick, renamed};
use crate::sessions::RETRY;
use handoff_engine::name::SessionId;
use handoff_engine::session::{CloseReason, DeadlineKind, InputKind, Status};
use handoff_engine::time::Millis;
use tokio::sync::oneshot;

impl Desk {
    /// What fell due, in order.
    async fn fell_due(&self, session: &str) -> Vec<DeadlineKind> {
        let journal = self.journal(session).await;
        let due = journal.iter().filter_map(|turn| match turn.input.kind {
            InputKind::Due(kind) => Some(kind),
            _ => None,
        });
        due.collect()
    }
}

#[tokio::test]
async fn a_deadline_rings_once_and_not_before_its_time() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.pass(Millis(59_999)).await;
    assert_eq!(desk.fell_due("s").await, []);
    desk.pass(Millis(1)).await;
    assert_eq!(desk.fell_due("s").await, [DeadlineKind::Node]);
    assert_eq!(desk.seen("s").await, ["What is it about?", "Still there?"]);
    desk.pass(Millis::from_mins(5)).await;
    assert_eq!(desk.fell_due("s").await, [DeadlineKind::Node]);
    desk.pass(Millis::from_mins(30)).await;
    assert_eq!(
        desk.fell_due("s").await,
        [DeadlineKind::Node, DeadlineKind::Inactivity]
    );
    assert_eq!(
        desk.clock.next_wake(),
        None,
        "a session that is over wakes nobody"
    );
}

#[tokio::test]
async fn a_deadline_that_was_moved_does_not_ring_at_its_old_time() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.pass(Millis::from_secs(30)).await;
    // An answer that does not fit: the node waits for another full minute.
    desk.say("s", " ").await.expect("is taken");
    desk.pass(Millis(59_999)).await;
    assert_eq!(desk.fell_due("s").await, []);
    desk.pass(Millis(1)).await;
    assert_eq!(desk.fell_due("s").await, [DeadlineKind::Node]);
    let desk = Desk::new().await;
    desk.with_agents("t").await;
    desk.pass(Millis::from_mins(60)).await;
    assert_eq!(
        desk.fell_due("t").await,
        [],
        "while agents have it, none of ours count"
    );
}

#[tokio::test]
async fn a_jump_of_the_clock_past_many_deadlines_rings_each() {
    let desk = Desk::new().await;
    for number in 0..600 {
        desk.start(&format!("s-{number}")).await;
    }
    let now = desk.clock.next_wake().expect("there are deadlines");
    desk.clock.set(now + Millis::from_mins(60));
    desk.clock.idle().await;
    for number in 0..600 {
        let session = SessionId::new(format!("s-{number}"));
        let stored = desk
            .host
            .session(&session)
            .await
            .expect("reads")
            .expect("is there");
        let Status::Closed { reason, .. } = stored.status else {
            panic!(
                "{session} is still open: {:?}",
                desk.inputs(session.as_str()).await
            );
        };
        assert_eq!(reason, CloseReason::Inactivity);
    }
}

#[tokio::test]
async fn a_deadline_that_the_store_loses_rings_when_it_works_again() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.store.play("s", Trick::Lose);
    desk.store.play("s", Trick::LoseAnswer);
    desk.pass(Millis::from_secs(60)).await;
    assert_eq!(desk.fell_due("s").await, []);
    desk.pass(RETRY).await;
    assert_eq!(desk.fell_due("s").await, [DeadlineKind::Node]);
    desk.pass(RETRY).await;
    assert_eq!(desk.fell_due("s").await, [DeadlineKind::Node]);
    assert_eq!(desk.seen("s").await, ["What is it about?", "Still there?"]);
    assert_eq!(desk.store.pending("s").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_session_that_is_busy_holds_up_no_other_ones_deadline() {
    let desk = Desk::new().await;
    desk.start("a").await;
    desk.start("b").await;
    let (_release, released) = oneshot::channel();
    desk.store.play("a", Trick::Hold(released));
    let session = SessionId::new("b");
    let mut turns = desk.host.watch(&session).await.expect("reads");
    turns.mark_unchanged();
    let next = desk.clock.next_wake().expect("both wait");
    desk.clock.set(next);
    turns.changed().await.expect("the host runs");
    assert_eq!(desk.fell_due("b").await, [DeadlineKind::Node]);
    assert_eq!(desk.fell_due("a").await, []);
}

#[tokio::test]
async fn a_deadline_that_its_session_refuses_is_passed_over() {
    let desk = Desk::new().await;
    desk.start("old").await;
    let desk = desk.restart_with(renamed("another version").await).await;
    desk.start("new").await;
    desk.pass(Millis::from_mins(2)).await;
    assert_eq!(desk.fell_due("old").await, []);
    assert_eq!(desk.fell_due("new").await, [DeadlineKind::Node]);
}
