//! A second handoff of the same user, where Genesys continues the same conversation.

mod support;

use genesys_sim::AgentAction::{Accept, Close, FinishAfterCallWork, Say};
use handoff_engine::handoff::{SessionEndReason, Signal};
use support::{Over, Stage, request};

#[tokio::test]
async fn a_second_handoff_tells_nothing_of_the_first() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        let mut again = request();
        again.options.identity.external_id = Some("user-77".to_owned());
        stage.open_as("s/1/0", again.clone()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.agent("kim", Say("first".to_owned())).await;
        stage.agent("kim", Close).await;
        assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
        stage.agent("kim", FinishAfterCallWork).await;

        let before = stage.signals().len();
        stage.open_as("s/9/0", again).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.agent("kim", Say("second".to_owned())).await;
        stage.agent("kim", Close).await;
        let signals = stage.signals().split_off(before);
        let told = |wanted: fn(&Signal) -> bool| signals.iter().filter(|s| wanted(s)).count();
        assert_eq!(
            told(|s| matches!(s, Signal::AgentJoined { .. })),
            1,
            "{over:?}"
        );
        assert_eq!(told(|s| matches!(s, Signal::Message { .. })), 1, "{over:?}");
        assert_eq!(told(|s| matches!(s, Signal::Ended(_))), 1, "{signals:#?}");
    }
}

#[tokio::test]
async fn a_handoff_opened_in_the_instant_the_last_one_ended_is_another() {
    let mut stage = Stage::set(Over::OpenMessaging).await;
    let mut again = request();
    again.options.identity.external_id = Some("user-77".to_owned());
    stage.open_as("s/1/0", again.clone()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    stage.at_once("kim", Close);
    stage.settle().await;
    assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
    let before = stage.signals().len();
    stage.open_as("s/9/0", again).await;
    stage.breathe().await;
    let signals = stage.signals().split_off(before);
    let quiet = signals
        .iter()
        .all(|signal| !matches!(signal, Signal::Ended(_) | Signal::AgentJoined { .. }));
    assert!(quiet, "{signals:#?}");
    stage.agent("kim", Accept).await;
    let joined = stage.joined();
    assert_eq!(joined, ["Kim", "Kim"]);
}
