//! A scenario that does not hold fails, at its line, and says what came instead.

mod support;

use handoff_engine::handoff::TransportKind;
use handoff_scenario::{Failure, FileError, Outcome, Scenario, play};
use std::path::Path;
use support::engine;

/// Plays steps on the ServisBOT example project, from its greeting on.
async fn failure_of(steps: &str) -> Failure {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = workspace.join("fixtures/projects/servisbot/scenarios/in-this-test.toml");
    let text = format!("name = 'x'\nbot = 'NightBot'\nsteps = [\n{steps}\n]\n");
    let scenario = Scenario::parse(&path, &text).expect("it parses");
    let engine = engine().await;
    let report = play(engine, &scenario, TransportKind::EngageChatV2, &mut |_| {}).await;
    match report.outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("it should have failed: {other:?}"),
    }
}

#[tokio::test]
async fn another_message_than_the_expected_one_fails_at_its_line() {
    let failure = failure_of("{ bot = \"Good evening.\" },").await;
    assert_eq!(failure.line, 4);
    assert_eq!(failure.expected, "the bot to say \"Good evening.\"");
    assert_eq!(
        failure.got,
        "the bot NightBot said \"Our agents are asleep. Shall we call you back?\""
    );
}

#[tokio::test]
async fn a_message_that_nobody_expected_fails() {
    let failure = failure_of("{ stack = [\"NightBot\"] },").await;
    assert_eq!(failure.expected, "no further message to the user");
}

#[tokio::test]
async fn what_never_comes_to_hold_fails_after_a_while() {
    let failure = failure_of("{ bot = \"*\" },\n{ handoffs-ended = 1 },").await;
    assert_eq!(failure.line, 5);
    assert_eq!(
        (failure.expected.as_str(), failure.got.as_str()),
        ("1 handoffs to have ended", "0")
    );
}

#[tokio::test]
async fn an_agent_who_cannot_act_fails() {
    let failure = failure_of("{ bot = \"*\" },\n{ agent = \"kim\", does = \"accept\" },").await;
    assert_eq!(failure.line, 5);
    assert!(
        failure.got.contains("kim has no alerting conversation"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_closed_session_that_should_be_open_fails() {
    let failure =
        failure_of("{ bot = \"*\" },\n{ user = true, does = \"leave\" },\n{ session = \"open\" },")
            .await;
    assert_eq!(failure.got, "closed, UserLeft");
}

#[test]
fn every_wrong_step_of_a_file_is_told_at_once() {
    let text = r#"name = "x"
steps = [
  { usr = "hi" },
  { agent = "kim", dose = "accept" },
  { agent = "kim", does = "dance" },
  { advance = "soon" },
  { session = "gone" },
]"#;
    let Err(FileError::Bad(mistakes)) = Scenario::parse(Path::new("s.toml"), text) else {
        panic!("it should have been refused");
    };
    let places: Vec<usize> = mistakes.iter().map(|mistake| mistake.place.line).collect();
    assert_eq!(places, [3, 4, 5, 6, 7]);
    assert!(
        mistakes[0].message.contains("did you mean 'user'?"),
        "{}",
        mistakes[0]
    );
}
