//! Event streams that close, stay away, lose frames or bring them twice: nothing is lost or doubled.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say, TransferToQueue};
use genesys_sim::Fault;
use handoff_engine::handoff::HandoffEnd;
use handoff_engine::time::Millis;
use support::{Over, Stage, no_repeats, request};

#[tokio::test]
async fn a_stream_that_closes_is_opened_again_and_nothing_is_missed() {
    for (away, noticed) in [(Millis::from_secs(5), false), (Millis::from_mins(5), true)] {
        let mut stage = Stage::set(Over::WebChat).await;
        stage.open(request()).await;
        stage.agent("kim", Accept).await;
        stage.control.fault(Fault::LoseSockets { ms: away.0 });
        stage.agent("kim", Say("one".to_owned())).await;
        let said = stage.say("Hi Kim").await;
        stage.agent("kim", Say("two".to_owned())).await;
        stage.pass(away).await;
        stage.pass(Millis::from_mins(1)).await;
        stage.agent("kim", Say("three".to_owned())).await;
        assert_eq!(stage.heard(), ["Kim: one", "Kim: two", "Kim: three"]);
        assert_eq!(stage.settled(), [said]);
        assert_eq!(stage.notices().len(), usize::from(noticed), "{away}");
        stage.agent("kim", Close).await;
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
        no_repeats(&stage.told());
    }
}

#[tokio::test]
async fn what_is_said_while_the_stream_is_away_is_read_within_seconds() {
    let mut stage = Stage::set(Over::WebChat).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    let away = Millis::from_mins(5);
    stage.control.fault(Fault::LoseSockets { ms: away.0 });
    stage.breathe().await;
    stage.agent("kim", Say("Still here".to_owned())).await;
    assert_eq!(stage.heard(), ["Kim: Still here"]);
    stage
        .agent("kim", TransferToQueue("Billing".to_owned()))
        .await;
    stage.agent("max", Accept).await;
    assert_eq!(stage.joined(), ["Kim", "Max"]);
    stage.agent("max", Close).await;
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
}

#[tokio::test]
async fn a_stream_that_closes_for_maintenance_is_replaced() {
    let mut stage = Stage::set(Over::WebChat).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.control.fault(Fault::AnnounceMaintenance);
    stage.pass(Millis::from_mins(2)).await;
    stage.agent("kim", Say("Hello".to_owned())).await;
    stage.agent("kim", Close).await;
    assert_eq!(stage.heard(), ["Kim: Hello"]);
    assert_eq!(stage.end(), Some(HandoffEnd::agent_left()));
}

#[tokio::test]
async fn lost_doubled_and_swapped_frames_show_nowhere() {
    for seed in 0..12 {
        let mut stage = Stage::set(Over::WebChat).await;
        let unreliable = serde_json::json!({
            "fault": "unreliable", "drop": 20, "duplicate": 20, "reorder": 20, "seed": seed,
        });
        stage
            .control
            .fault(serde_json::from_value(unreliable).expect("a fault"));
        stage.open(request()).await;
        stage.breathe().await;
        stage.agent("kim", Accept).await;
        for n in 0..5 {
            stage.agent("kim", Say(format!("kim {n}"))).await;
            stage.say(&format!("ana {n}")).await;
        }
        stage
            .agent("kim", TransferToQueue("Billing".to_owned()))
            .await;
        stage.agent("max", Accept).await;
        stage.agent("max", Say("max".to_owned())).await;
        stage.pass(Millis::from_mins(3)).await;
        assert_eq!(stage.end(), None, "{seed}");
        stage.at_once("max", Close);
        stage.pass(Millis::from_mins(3)).await;
        assert_eq!(stage.end(), Some(HandoffEnd::agent_left()), "{seed}");
        let mut heard = stage.heard();
        heard.sort();
        let mut said: Vec<_> = (0..5).map(|n| format!("Kim: kim {n}")).collect();
        said.push("Max: max".to_owned());
        assert_eq!(heard, said, "{seed}");
        assert_eq!(stage.joined(), ["Kim", "Max"], "{seed}");
        assert_eq!(stage.settled().len(), 5, "{seed}");
        assert_eq!(stage.customer_said().len(), 6, "{seed}");
        no_repeats(&stage.told());
    }
}

#[tokio::test]
async fn a_server_that_crashes_between_accepting_and_answering_doubles_nothing() {
    let mut stage = Stage::set(Over::WebChat).await;
    stage.open(request()).await;
    stage.agent("kim", Accept).await;
    stage.control.fault(Fault::CrashAfterAccepting {
        path: "/api/v2/webchat/guest/conversations/".to_owned(),
        times: 2,
    });
    let said = [stage.say("Hi").await, stage.say("Hi").await];
    stage.pass(Millis::from_mins(1)).await;
    assert_eq!(stage.customer_said(), ["Where is my order?", "Hi", "Hi"]);
    assert_eq!(stage.settled(), said);
}
