//! Complaint C8, "race conditions and ordering on end": the agent writes and closes while the user
//! writes and leaves, in every order. What the platform took in is told before the end, and the end
//! is told once.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Say};
use genesys_sim::Speaker;
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::SessionEndReason;
use handoff_engine::name::EffectId;
use handoff_engine::time::Millis;
use handoff_genesys::Command;
use support::{Over, Stage, no_repeats, request};

/// What happens in the same moment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    AgentWrites,
    AgentCloses,
    UserWrites,
    UserLeaves,
}

use Act::{AgentCloses, AgentWrites, UserLeaves, UserWrites};

/// Every order in which each side writes before it ends.
const ORDERS: [[Act; 4]; 6] = [
    [AgentWrites, AgentCloses, UserWrites, UserLeaves],
    [AgentWrites, UserWrites, AgentCloses, UserLeaves],
    [AgentWrites, UserWrites, UserLeaves, AgentCloses],
    [UserWrites, AgentWrites, AgentCloses, UserLeaves],
    [UserWrites, AgentWrites, UserLeaves, AgentCloses],
    [UserWrites, UserLeaves, AgentWrites, AgentCloses],
];

/// Both sides act; `pause` after how many acts the network is given time to carry what there is.
async fn race(over: Over, order: [Act; 4], pause: usize) -> Option<String> {
    let mut stage = Stage::set(over).await;
    stage.open(request()).await;
    stage.breathe().await;
    stage.agent("kim", Accept).await;
    let id = EffectId::new("s/2/0");
    let mut user_ended_first = false;
    let mut given = false;
    for (number, act) in order.into_iter().enumerate() {
        match act {
            // An agent can do nothing any more once the conversation is over.
            AgentWrites => drop(stage.control.agent("kim", Say("Goodbye".to_owned()))),
            AgentCloses => drop(stage.control.agent("kim", Close)),
            UserWrites => {
                // After the end a session has nobody to give it to.
                given = stage.end().is_none();
                stage.send(Command::Say {
                    id: id.clone(),
                    message: UserMessage::text("Thank you"),
                    input: None,
                });
            }
            UserLeaves => {
                user_ended_first = !order[..number].contains(&AgentCloses);
                stage.send(Command::Leave);
            }
        }
        if number + 1 == pause {
            stage.settle().await;
        }
    }
    stage.pass(Millis::from_mins(6)).await;

    let why = judge(&stage, given.then_some(&id), !user_ended_first || pause < 4);
    let why = why.err()?;
    Some(format!("{over:?}, {order:?}, pause after {pause}: {why}"))
}

/// What is wrong with what was told.
fn judge(stage: &Stage, given: Option<&EffectId>, agent_may_be_first: bool) -> Result<(), String> {
    let lines = stage.conversation().lines;
    let by = |who: Speaker| lines.iter().filter(move |line| line.who == who);
    let written: Vec<_> = by(Speaker::Agent)
        .map(|line| format!("Kim: {}", line.text))
        .collect();
    if stage.heard() != written {
        return Err(format!("told {:?} of {written:?}", stage.heard()));
    }
    match stage.reason() {
        Some(SessionEndReason::UserLeft) => {}
        Some(SessionEndReason::AgentLeft) if agent_may_be_first => {}
        other => return Err(format!("ended with {other:?}")),
    }
    if stage.joined() != ["Kim"] {
        return Err(format!("{:?} joined", stage.joined()));
    }
    let arrived = by(Speaker::Customer).any(|line| line.text == "Thank you");
    let told = stage.notices();
    let given_up = told
        .iter()
        .any(|(code, _)| code == "genesys.message_not_delivered");
    if given.is_some() && arrived == given_up {
        return Err(format!(
            "the user's text arrived: {arrived}, notices: {told:?}"
        ));
    }
    let given: Vec<_> = given.into_iter().cloned().collect();
    if stage.settled() != given {
        return Err(format!("settled: {:?}", stage.settled()));
    }
    no_repeats(&stage.told());
    Ok(())
}

#[tokio::test]
async fn c8_whoever_writes_and_ends_it_first_all_that_was_taken_in_is_told_before_one_end() {
    let mut wrong = Vec::new();
    for over in Over::ALL {
        for order in ORDERS {
            for pause in 0..4 {
                wrong.extend(race(over, order, pause).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
