//! What transports report, once each and in order, whatever the store does.

use super::support::{Desk, START, Trick};
use crate::sessions::RETRY;
use handoff_engine::content::Receipt;
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::name::HandoffId;
use handoff_engine::session::{Entry, SESSION_END_REASON};

#[tokio::test]
async fn a_report_that_comes_twice_counts_once() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    for _ in 0..3 {
        desk.agent_says(&handoff, "Hello").await;
    }
    assert_eq!(desk.seen("s").await, ["What is it about?", "Hello"]);
}

#[tokio::test]
async fn the_first_report_settles_the_opening_and_reports_settle_what_they_say() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.say("s", "one").await.expect("is taken");
    desk.say("s", "two").await.expect("is taken");
    assert_eq!(desk.store.pending("s").await, ["s/4/1", "s/5/1"]);
    desk.report(&handoff, "handle/1", None, &["s/4/1"]).await;
    assert_eq!(desk.store.pending("s").await, ["s/5/1"]);
    // The same report again, with something it did not settle before: that counts, too.
    desk.report(&handoff, "handle/1", None, &["s/4/1", "s/5/1"])
        .await;
    assert_eq!(desk.store.pending("s").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_report_after_the_end_shows_nobody_anything() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let end = Signal::Ended(HandoffEnd::agent_left());
    desk.report(&handoff, "ended", Some(end), &[]).await;
    desk.agent_says(&handoff, "Are you there?").await;
    assert_eq!(
        desk.seen("s").await,
        ["What is it about?", "Anything else?"]
    );
    let journal = desk.journal("s").await;
    let last = journal.last().expect("there are turns");
    assert_eq!(
        last.journal,
        [Entry::Late {
            handoff,
            told: false
        }]
    );
    assert_eq!(last.session.context[SESSION_END_REASON], "AgentLeft");
}

#[tokio::test]
async fn a_report_for_a_session_nobody_knows_harms_nobody() {
    let desk = Desk::new().await;
    desk.agent_says(&HandoffId::new("unknown/1/1"), "Hello")
        .await;
    assert!(desk.journal("unknown").await.is_empty());
    let handoff = desk.with_agents("s").await;
    desk.agent_says(&handoff, "Hello").await;
    assert_eq!(desk.seen("s").await, ["What is it about?", "Hello"]);
}

#[tokio::test]
async fn reports_that_the_store_loses_are_given_again_in_order() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.store.play("s", Trick::Lose);
    desk.store.play("s", Trick::Lose);
    desk.agent_says(&handoff, "one").await;
    desk.agent_says(&handoff, "two").await;
    assert_eq!(desk.seen("s").await, ["What is it about?"]);
    // Nothing is busy, and the clock knows when to go on.
    assert_eq!(desk.clock.next_wake(), Some(START + RETRY));
    desk.pass(RETRY).await;
    desk.agent_says(&handoff, "three").await;
    assert_eq!(desk.seen("s").await, ["What is it about?"], "lost again");
    desk.pass(RETRY).await;
    let seen = desk.seen("s").await;
    assert_eq!(seen, ["What is it about?", "one", "two", "three"]);
}

#[tokio::test]
async fn a_report_whose_answer_the_store_loses_counts_once() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.say("s", "a question").await.expect("is taken");
    desk.store.play("s", Trick::LoseAnswer);
    let end = Signal::Ended(HandoffEnd::agent_left());
    desk.report(&handoff, "ended", Some(end), &["s/4/1"]).await;
    desk.pass(RETRY).await;
    assert_eq!(
        desk.seen("s").await,
        ["What is it about?", "Anything else?"]
    );
    assert_eq!(desk.store.pending("s").await, Vec::<String>::new());
}

#[tokio::test]
async fn users_are_answered_while_a_report_waits_for_the_store() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    for _ in 0..3 {
        desk.store.play("s", Trick::Lose);
    }
    desk.agent_says(&handoff, "one").await;
    let told = desk.say("s", "a question").await;
    let unavailable = Err("store.unavailable".to_owned());
    assert_eq!(told, unavailable, "at once, not when time has passed");
    assert_eq!(desk.seen("s").await, ["What is it about?"]);
    // The store works again, and whoever asks finds out first.
    desk.say("s", "a question").await.expect("is taken");
    assert_eq!(desk.seen("s").await, ["What is it about?", "one"]);
    desk.pass(RETRY).await;
    assert_eq!(desk.seen("s").await, ["What is it about?", "one"], "once");
}

#[tokio::test]
async fn a_message_that_reached_no_agent_because_the_handoff_was_over_is_told_to_its_sender() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.say("s", "one").await.expect("is taken");
    desk.say("s", "two").await.expect("is taken");
    // The agent closed: the first message was settled before, nothing is known of the second.
    let end = Signal::Ended(HandoffEnd::agent_left());
    desk.report(&handoff, "ended", Some(end), &["s/4/1"]).await;
    let events = desk
        .host
        .user_events(&"s".into(), crate::Position::default(), usize::MAX)
        .await
        .expect("reads");
    let failed = events.iter().filter_map(|event| match &event.kind {
        crate::UserEventKind::Receipt { message, receipt } => Some((message.to_string(), *receipt)),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    let two = ("user:two".to_owned(), Receipt::Failed);
    assert_eq!(failed, [two]);
    assert_eq!(desk.store.pending("s").await, Vec::<String>::new());
}
