//! What is over is forgotten in time, and nothing else.

use super::support::Desk;
use handoff_engine::name::SessionId;
use handoff_engine::time::Millis;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn is_known(desk: &Desk, session: &str) -> bool {
    let stored = desk.host.session(&SessionId::new(session)).await;
    stored.expect("reads").is_some()
}

#[tokio::test]
async fn a_session_is_forgotten_when_it_has_been_closed_for_long_enough_and_no_other() {
    let desk = Desk::new().await;
    desk.start("closed").await;
    desk.start("open").await;
    desk.with_agents("with agents").await;
    let left = desk.host.user_leaves(&"closed".into(), "left").await;
    left.expect("is taken");
    desk.host.forget_after(DAY, None);
    desk.pass(Millis::from_mins(23 * 60)).await;
    assert!(is_known(&desk, "closed").await);
    desk.pass(Millis::from_mins(2 * 60)).await;
    assert!(!is_known(&desk, "closed").await);
    assert!(is_known(&desk, "open").await);
    assert!(is_known(&desk, "with agents").await);
}

#[tokio::test]
async fn a_session_whose_handoff_is_still_to_be_left_is_kept() {
    let desk = Desk::new().await;
    desk.with_agents("s").await;
    let left = desk.host.user_leaves(&"s".into(), "left").await;
    left.expect("is taken");
    desk.pass(Millis::from(DAY)).await;
    let forgotten = desk.host.forget_closed(Duration::ZERO).await;
    assert_eq!(forgotten.expect("works"), 0);
    assert!(is_known(&desk, "s").await);
}
