//! Complaint C20, "disconnect events without id": every report has an id, and a resume from any
//! handle tells what is then still to be told by the same ids.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Decline, OnQueue, Say, TransferToQueue};
use handoff_engine::handoff::Signal;
use handoff_engine::time::Millis;
use support::{Over, Stage, Told, no_repeats, request};

/// With an alias that stays: the handles of long ago that are resumed from here are older than any
/// that a host would resume from.
fn org() -> String {
    let limit = "name = \"customer-support\"";
    let org = include_str!("support/org.toml");
    org.replace(limit, &format!("{limit}\nalias-rotation = 0"))
}

/// A handoff with everything that is told by an id: declines, transfers, words, an end.
async fn handoff(over: Over) -> Stage {
    let mut stage = Stage::in_org(over, &org(), |_| ()).await;
    stage.agent("lee", OnQueue(true)).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Decline).await;
    stage.agent("lee", Accept).await;
    stage.agent("lee", Say("Lee here".to_owned())).await;
    stage.say("Hi Lee").await;
    stage.breathe().await;
    stage
        .agent("lee", TransferToQueue("Billing".to_owned()))
        .await;
    stage.agent("max", Accept).await;
    stage.agent("max", Say("Max here".to_owned())).await;
    stage.agent("max", Close).await;
    stage
}

/// What a signal is about, without what another host may see differently.
fn what(signal: &Signal) -> Option<String> {
    Some(match signal {
        Signal::Opened { .. } => "opened".to_owned(),
        Signal::AgentJoined { agent } => format!("{} joined", agent.name),
        Signal::AgentLeft { agent } => format!("{} left", agent.name),
        Signal::Message { text, .. } => format!("message {text}"),
        Signal::Ended(end) => format!("ended {:?}", end.reason),
        _ => return None,
    })
}

/// Every signal and its id. Over Web Messaging an agent is known by the platform's id only where the
/// Platform API showed the agent, and else by what the agent wrote; which of the two it is depends on
/// whether a host ran at the time, so there only that it is told counts.
fn ids(over: Over, told: &[Told]) -> Vec<(String, String)> {
    let named = |told: &Told| {
        let what = what(told.signal.as_ref()?)?;
        let agents = what.ends_with(" joined") || what.ends_with(" left");
        let id = if over == Over::WebMessaging && agents {
            String::new()
        } else {
            told.input.to_string()
        };
        Some((what, id))
    };
    told.iter().filter_map(named).collect()
}

#[tokio::test]
async fn c20_every_report_has_an_id_that_is_the_same_after_a_resume_from_any_handle() {
    for over in Over::ALL {
        let mut stage = handoff(over).await;
        let told = stage.told();
        no_repeats(&told);
        let known = ids(over, &told);
        assert!(
            known.iter().any(|(what, _)| what == "ended AgentLeft"),
            "{over:?}: {known:#?}"
        );
        for (number, from) in told.iter().enumerate().take(told.len() - 1) {
            let before = stage.told().len();
            stage.restart_from(from.handle.clone()).await;
            // Engage forgets a chat that nobody asks about for five minutes.
            stage.pass(Millis::from_secs(12)).await;
            let again = ids(over, &stage.told()[before..]);
            let rest = ids(over, &told[number + 1..]);
            let missing: Vec<_> = rest.iter().filter(|it| !again.contains(it)).collect();
            let other: Vec<_> = again.iter().filter(|it| !rest.contains(it)).collect();
            // Who was seen to join and leave before the end may be told by the end alone, if both
            // happened while no host ran.
            let essential = missing.iter().all(|(what, _)| what.ends_with(" left"));
            assert!(
                essential && other.is_empty(),
                "{over:?}, resumed after {:?}: missing {missing:?}, instead {other:?}",
                from.input
            );
        }
    }
}
