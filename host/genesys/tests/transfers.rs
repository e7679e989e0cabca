//! Agents hand conversations on, to queues and to each other, without the handoff ending.

mod support;

use genesys_sim::AgentAction::{
    Accept, Close, FinishAfterCallWork, OnQueue, Say, TransferToAgent, TransferToQueue,
};
use handoff_engine::handoff::{HandoffEnd, Signal};
use support::{Over, Stage, request};

#[tokio::test]
async fn two_transfers_and_their_after_call_work_end_nothing() {
    for over in Over::ALL {
        let mut stage = Stage::set(over).await;
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        stage
            .agent("kim", TransferToQueue("Billing".to_owned()))
            .await;
        assert_eq!(stage.end(), None, "{over:?}");
        stage.agent("max", Accept).await;
        stage.agent("kim", FinishAfterCallWork).await;
        stage.agent("lee", OnQueue(true)).await;
        stage.agent("max", TransferToAgent("lee".to_owned())).await;
        stage.agent("max", FinishAfterCallWork).await;
        assert_eq!(stage.end(), None, "{over:?}");
        stage.agent("lee", Accept).await;
        stage.agent("lee", Say("Lee here".to_owned())).await;
        assert_eq!(stage.joined(), ["Kim", "Max", "Lee"], "{over:?}");
        assert_eq!(stage.heard(), ["Lee: Lee here"]);
        let left: Vec<_> = stage
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::AgentLeft { agent } => Some(agent.name),
                _ => None,
            })
            .collect();
        assert_eq!(left, ["Kim", "Max"], "{over:?}");
        stage.agent("lee", Close).await;
        stage.agent("lee", FinishAfterCallWork).await;
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{over:?}");
    }
}
