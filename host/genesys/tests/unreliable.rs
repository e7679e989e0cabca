//! Many handoffs over a network that loses, doubles and swaps, with servers that fail now and then:
//! the transcripts of both sides are the same, and every handoff ends once, for the right reason.
//!
//! How many handoffs per transport is set by `HANDOFF_UNRELIABLE`. Without it there are 250, a
//! thousand over all four transports.

mod support;

use genesys_sim::AgentAction::{Accept, Close, Decline, Say, TransferToQueue};
use genesys_sim::{Fault, Percent};
use handoff_engine::handoff::{SessionEndReason, Tally};
use handoff_engine::name::HandoffId;
use handoff_engine::time::Millis;
use support::crowd::{Crowd, Fidelity, Outcome};
use support::{Over, Stage, request};

const ORG: &str = include_str!("unreliable/org.toml");

/// Handoffs at the same time.
const WAVE: usize = 50;

/// How the last act of a handoff goes.
#[derive(Clone, Copy, PartialEq)]
enum Last {
    /// The agent writes and closes in the same moment.
    AgentCloses,
    /// The user writes and leaves in the same moment.
    UserLeaves,
}

fn last(number: usize) -> Last {
    if number % 3 == 2 {
        Last::UserLeaves
    } else {
        Last::AgentCloses
    }
}

fn declines(number: usize) -> bool {
    number.is_multiple_of(5)
}

fn transfers(number: usize) -> bool {
    number % 4 == 1
}

fn handoffs() -> usize {
    let given = std::env::var("HANDOFF_UNRELIABLE").ok();
    given.map_or(250, |given| given.parse().expect("a number of handoffs"))
}

/// One percent of everything, the same for the same seed.
fn one_percent(seed: u64) -> Fault {
    let one = Percent::of(1.0);
    Fault::Unreliable {
        drop: one,
        duplicate: one,
        reorder: one,
        seed,
    }
}

/// What else goes wrong, another thing at every step. Nothing that a transport cannot survive: the
/// token of a WebChat guest is not to be had again.
fn trouble(over: Over, step: usize) -> Fault {
    let path = "/".to_owned();
    let refuse = |status, retry_after| Fault::RefuseRequests {
        path: path.clone(),
        times: 3,
        status,
        code: None,
        retry_after,
    };
    match step % 7 {
        0 => refuse(503, None),
        1 => refuse(429, Some(2)),
        2 => Fault::LoseReplies {
            path: path.clone(),
            times: 3,
        },
        3 => Fault::CrashAfterAccepting {
            path: path.clone(),
            times: 2,
        },
        4 if over == Over::Engage => Fault::EngageStatus {
            status_code: 1,
            times: 3,
        },
        4 => Fault::CloseSockets,
        5 if over == Over::OpenMessaging => Fault::ExpireTokens,
        _ => Fault::LoseSockets { ms: 5_000 },
    }
}

/// What all waves came to.
#[derive(Debug, Default)]
struct Figures {
    handoffs: usize,
    messages: usize,
    tally: Tally,
    /// Handoffs in which something was told after what was said later.
    late: usize,
    /// What the user said when it was too late, and was told so.
    undelivered: usize,
    wrong: Vec<String>,
}

/// One wave of handoffs, from opening to end.
async fn wave(over: Over, number: usize, size: usize, figures: &mut Figures) {
    let stage = Stage::in_org(over, ORG, |_| ()).await;
    let mut crowd = Crowd::new(stage);
    for talk in 0..size {
        let mut request = request();
        request.opening_text = Some(format!("opening {talk}"));
        crowd.open(HandoffId::new(format!("wave-{number}/{talk}/0")), request);
    }
    crowd.stage.pass(Millis::from_secs(8)).await;
    crowd.stage.control.fault(one_percent(number as u64 + 1));
    let mut step = number;
    let mut worse = |crowd: &Crowd| {
        crowd.stage.control.fault(trouble(over, step));
        step += 1;
    };

    for view in &crowd.views() {
        if declines(number_of(&crowd, view)) {
            crowd.agent(view, "alerting", Decline);
        }
    }
    worse(&crowd);
    crowd.stage.pass(Millis::from_secs(5)).await;
    accept(&crowd);
    crowd.stage.pass(Millis::from_secs(5)).await;
    for round in 0..4 {
        worse(&crowd);
        converse(&mut crowd, round).await;
        if round == 1 {
            for view in crowd.views() {
                if transfers(number_of(&crowd, &view)) {
                    crowd.agent(&view, "connected", TransferToQueue("Billing".to_owned()));
                }
            }
            crowd.stage.pass(Millis::from_secs(6)).await;
            accept(&crowd);
            crowd.stage.pass(Millis::from_secs(6)).await;
        }
        if round == 2 {
            for talk in (0..size).step_by(6) {
                crowd.restart(talk);
            }
        }
    }
    worse(&crowd);
    for view in crowd.views() {
        let talk = number_of(&crowd, &view);
        match last(talk) {
            Last::AgentCloses => {
                crowd.agent(&view, "connected", Say(format!("{talk}: goodbye")));
                crowd.agent(&view, "connected", Close);
            }
            Last::UserLeaves => {
                crowd.all[talk].say(&format!("{talk}: thank you"));
                crowd.all[talk].leave();
            }
        }
    }
    crowd.stage.pass(Millis::from_mins(6)).await;
    judge(&crowd, figures);
}

/// Whoever it rings at accepts.
fn accept(crowd: &Crowd) {
    for view in crowd.views() {
        crowd.agent(&view, "alerting", Accept);
    }
}

/// Both sides write, one after another or at once; some agents twice in a row.
async fn converse(crowd: &mut Crowd, round: usize) {
    for view in crowd.views() {
        let talk = number_of(crowd, &view);
        let said = crowd.agent(&view, "connected", Say(format!("{talk}: agent {round}")));
        assert!(said, "{talk} is with nobody: {view:#?}");
        crowd.all[talk].say(&format!("{talk}: user {round}"));
        if (talk + round).is_multiple_of(2) {
            crowd.all[talk].say(&format!("{talk}: user {round} again"));
        }
    }
    crowd.stage.pass(Millis(200)).await;
    for view in crowd.views() {
        let talk = number_of(crowd, &view);
        if (talk + round).is_multiple_of(3) {
            crowd.agent(
                &view,
                "connected",
                Say(format!("{talk}: agent {round} again")),
            );
        }
    }
    crowd.stage.pass(Millis::from_secs(BETWEEN)).await;
}

/// Seconds between two things that one side says.
const BETWEEN: u64 = 8;

/// Which handoff a conversation belongs to, by the words it began with.
fn number_of(crowd: &Crowd, view: &genesys_sim::ConversationView) -> usize {
    let opening = view
        .lines
        .iter()
        .find_map(|line| line.text.strip_prefix("opening "));
    let number = opening.and_then(|number| number.parse().ok());
    number.unwrap_or_else(|| panic!("{} of {} began with nothing", view.id, crowd.all.len()))
}

fn judge(crowd: &Crowd, figures: &mut Figures) {
    let views = crowd.views();
    if views.len() != crowd.all.len() {
        figures.wrong.push(format!(
            "{} conversations of {}",
            views.len(),
            crowd.all.len()
        ));
    }
    for number in 0..crowd.all.len() {
        let outcome = crowd.outcome(number, &views);
        figures.handoffs += 1;
        figures.messages += outcome.messages();
        figures.tally = figures.tally + outcome.tally();
        match right(number, &outcome) {
            Ok(fidelity) => {
                figures.late += usize::from(!fidelity.in_order);
                figures.undelivered += fidelity.undelivered;
            }
            Err(why) => {
                let handoff = &crowd.all[number].handoff;
                figures.wrong.push(format!("{handoff}: {why}"));
            }
        }
    }
}

fn right(number: usize, outcome: &Outcome) -> Result<Fidelity, String> {
    outcome.ids();
    let fidelity = outcome.transcripts()?;
    let end = outcome.end()?;
    let expected = match last(number) {
        Last::AgentCloses => SessionEndReason::AgentLeft,
        Last::UserLeaves => SessionEndReason::UserLeft,
    };
    if end.reason != expected {
        return Err(format!("ended with {end:?} instead of {expected:?}"));
    }
    if outcome.joined() != outcome.answered() {
        let (joined, answered) = (outcome.joined(), outcome.answered());
        return Err(format!("{joined:?} joined instead of {answered:?}"));
    }
    Ok(fidelity)
}

/// Nothing is wrong and nothing was told late. The result is how much was told to have come too late.
#[allow(
    clippy::print_stdout,
    reason = "the figures are what one runs this for"
)]
async fn unreliable(over: Over) -> usize {
    let mut figures = Figures::default();
    let mut left = handoffs();
    let mut number = 0;
    while left > 0 {
        let size = left.min(WAVE);
        wave(over, number, size, &mut figures).await;
        left -= size;
        number += 1;
    }
    let Figures {
        handoffs,
        messages,
        tally,
        late,
        undelivered,
        wrong,
    } = figures;
    println!(
        "{over:?}: {handoffs} handoffs, {messages} messages, {} gaps, {} repeats, {} reorders, {late} told late, {undelivered} told to be undelivered, {} wrong",
        tally.gaps,
        tally.repeats,
        tally.reorders,
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(late, 0, "told out of order");
    undelivered
}

#[tokio::test]
async fn engage_loses_and_doubles_nothing() {
    assert_eq!(unreliable(Over::Engage).await, 0);
}

#[tokio::test]
async fn webchat_loses_and_doubles_nothing() {
    assert_eq!(unreliable(Over::WebChat).await, 0);
}

/// An agent may close before the socket is back and the echoes of what waited have come. What could
/// not be sent by then is told to its sender; that is rare, and no loss in silence.
#[tokio::test]
async fn web_messaging_loses_and_doubles_nothing() {
    let undelivered = unreliable(Over::WebMessaging).await;
    assert!(undelivered * 1000 <= handoffs(), "{undelivered} too late");
}

#[tokio::test]
async fn open_messaging_loses_and_doubles_nothing() {
    assert_eq!(unreliable(Over::OpenMessaging).await, 0);
}
