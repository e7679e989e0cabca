//! A decline looks like a close to Genesys' own events, and is none.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Decline, OnQueue};
use handoff_engine::handoff::{SessionEndReason, Signal};
use handoff_engine::time::Millis;
use support::{Over, Stage, request};

#[tokio::test]
async fn an_agent_declines_then_another_accepts() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Decline).await;
        assert_eq!(stage.end(), None, "{over:?}");
        stage.agent("lee", OnQueue(true)).await;
        stage.agent("lee", Accept).await;
        assert_eq!(stage.joined(), ["Lee"], "{over:?}");
        if over != Over::Engage {
            let declined = stage
                .signals()
                .into_iter()
                .any(|signal| matches!(signal, Signal::AgentDeclined { agent: Some(agent) } if agent.name == "Kim"));
            assert!(declined, "{:#?}", stage.signals());
        }
        stage.agent("lee", Close).await;
        assert_eq!(stage.reason(), Some(SessionEndReason::AgentLeft));
    }
}

#[tokio::test]
async fn a_conversation_nobody_answers_waits_on() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.pass(Millis::from_mins(10)).await;
        assert_eq!(stage.end(), None, "{over:?}: {:#?}", stage.signals());
        assert_eq!(stage.joined(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_conversation_the_platform_ends_before_anyone_answered_is_an_error() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.tear_down();
        stage.breathe().await;
        assert_eq!(stage.error().0, "transfer.no_agent", "{over:?}");
    }
}
