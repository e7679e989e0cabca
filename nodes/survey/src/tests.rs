use handoff_node::testing::{self, TestContext};

use super::*;

fn answer(session: &mut TestContext, text: &str, state: Waiting) -> Outcome<Waiting> {
    let config = json!({
        "question": "From 1 to 5?", "retry": "A number, please.", "commentQuestion": "Why?", "thanks": "Thank you."
    });
    let message = handoff_node::UserMessage {
        id: "message".to_owned(),
        text: text.to_owned(),
        at: session.visit.now,
    };
    let trigger = Trigger::UserMessage { message, state };
    testing::step::<Survey>(session, config, trigger).expect("no fault")
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<Survey>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<Survey>()["config"]);
    });
}

#[test]
fn a_rating_and_a_comment_are_kept() {
    let mut session = TestContext::new();
    let next = answer(&mut session, "4/5", Waiting::Rating { misses: 0 });
    assert!(matches!(
        next,
        Outcome::Wait {
            state: Waiting::Comment,
            ..
        }
    ));
    let next = answer(&mut session, "Kim was quick", Waiting::Comment);
    assert_eq!(next, Outcome::Leave(RATED));
    assert_eq!(session.context["agentCsatScore"], json!(4));
    assert_eq!(session.context["agentCsatComment"], json!("Kim was quick"));
    assert_eq!(session.said(), ["Why?", "Thank you."]);
    assert_eq!(session.log, [(Level::Info, "rated 4 of 5".to_owned())]);
}

#[test]
fn an_answer_that_is_no_rating_is_asked_for_once_more() {
    let mut session = TestContext::new();
    let next = answer(&mut session, "great", Waiting::Rating { misses: 0 });
    assert!(matches!(
        next,
        Outcome::Wait {
            state: Waiting::Rating { misses: 1 },
            ..
        }
    ));
    assert_eq!(session.said(), ["A number, please."]);
    let next = answer(&mut session, "really great", Waiting::Rating { misses: 1 });
    assert_eq!(next, Outcome::Leave(SKIPPED));
    assert!(session.context.is_empty());
}

#[test]
fn who_does_not_explain_has_rated_all_the_same() {
    let mut session = TestContext::new();
    assert_eq!(
        answer(&mut session, "no", Waiting::Comment),
        Outcome::Leave(RATED)
    );
    let config = json!({ "question": "From 1 to 5?" });
    let trigger = Trigger::TimedOut {
        state: Waiting::Comment,
    };
    let next = testing::step::<Survey>(&mut session, config, trigger);
    assert_eq!(next, Ok(Outcome::Leave(RATED)));
    assert!(session.context.is_empty());
}

#[test]
fn mistakes_are_found_before_the_flow_runs() {
    let codes: Vec<_> = testing::validate::<Survey>(json!({
        "question": " ", "saveTo": "a", "saveCommentTo": "a"
    }))
    .into_iter()
    .map(|found| found.code)
    .collect();
    assert_eq!(codes, ["survey.no_question", "survey.same_key"]);
}
