//! A host stops and another takes over: nothing is lost, nothing comes twice.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say, TransferToQueue};
use handoff_engine::handoff::HandoffEnd;
use support::{Over, Stage, no_repeats, request};

#[tokio::test]
async fn what_agents_say_while_no_host_runs_is_told_on_resume() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage.agent("kim", Say("before".to_owned())).await;
        let handle = stage.handle();
        stage.stop().await;
        for text in ["one", "two"] {
            stage.agent("kim", Say(text.to_owned())).await;
        }
        stage.restart_from(handle).await;
        stage.breathe().await;
        stage.agent("kim", Say("after".to_owned())).await;
        assert_eq!(
            stage.heard(),
            ["Kim: before", "Kim: one", "Kim: two", "Kim: after"],
            "{over:?}"
        );
        assert_eq!(stage.joined(), ["Kim"], "{over:?}");
        stage.agent("kim", Close).await;
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{over:?}");
        no_repeats(&stage.told());
    }
}

#[tokio::test]
async fn a_say_given_again_after_a_resume_arrives_once_whether_or_not_it_had_arrived() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        // The handle from before the text was given: as if the host stopped before any later report
        // was committed, with the text already at Genesys.
        let handle = stage.handle();
        let id = stage.say("Hi Kim").await;
        stage.restart_from(handle).await;
        stage.say_as(&id, "Hi Kim").await;
        let next = stage.say("Still there?").await;
        stage.breathe().await;
        assert_eq!(
            stage.customer_said(),
            ["Where is my order?", "Hi Kim", "Still there?"],
            "{over:?}"
        );
        assert!(stage.settled().contains(&next), "{over:?}");
        assert!(stage.settled().contains(&id), "{over:?}");
    }
}

#[tokio::test]
async fn transfers_and_the_close_that_happen_while_no_host_runs_are_told_on_resume() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        let handle = stage.handle();
        stage.stop().await;
        stage
            .agent("kim", TransferToQueue("Billing".to_owned()))
            .await;
        stage.agent("max", Accept).await;
        stage.agent("max", Say("Max here, bye".to_owned())).await;
        stage.agent("max", Close).await;
        stage.restart_from(handle).await;
        stage.breathe().await;
        assert_eq!(stage.joined(), ["Kim", "Max"], "{over:?}");
        assert_eq!(stage.heard(), ["Max: Max here, bye"], "{over:?}");
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{over:?}");
    }
}

#[tokio::test]
async fn a_handle_nobody_can_read_ends_the_handoff_and_says_so() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.restart_from(serde_json::json!({"state": 1})).await;
        assert_eq!(stage.error().0, "handoff.handle_unreadable", "{over:?}");
    }
}
