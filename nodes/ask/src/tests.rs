use std::time::Duration;

use handoff_node::{
    Timestamp, UserMessage,
    testing::{self, TestContext},
};
use serde_json::{Value, json};

use super::*;

fn answer(context: &mut TestContext, config: Value, text: &str, misses: u32) -> Outcome<Waiting> {
    let message = UserMessage {
        id: "1".to_owned(),
        text: text.to_owned(),
        at: Timestamp(1_767_225_600_000),
    };
    let trigger = Trigger::UserMessage {
        message,
        state: Waiting { misses },
    };
    testing::step::<Ask>(context, config, trigger).expect("leaves or waits")
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<Ask>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<Ask>()["config"]);
    });
}

#[test]
fn without_any_config_it_waits_for_any_text_and_keeps_nothing() {
    let mut context = TestContext::new();
    let entered = testing::step::<Ask>(&mut context, json!({}), Trigger::Entered);
    assert_eq!(
        entered,
        Ok(Outcome::Wait {
            state: Waiting { misses: 0 },
            timeout: None
        })
    );
    assert_eq!(
        answer(&mut context, json!({}), "Hi", 0),
        Outcome::Leave(Port::NEXT)
    );
    assert!(context.context.is_empty() && context.messages.is_empty());
}

#[test]
fn the_third_answer_that_does_not_fit_leaves() {
    let config = || json!({ "text": "Your age?", "pattern": "number", "retry": "A number." });
    let mut context = TestContext::new();
    for misses in 0..2 {
        let waits = answer(&mut context, config(), "old", misses);
        assert_eq!(
            waits,
            Outcome::Wait {
                state: Waiting { misses: misses + 1 },
                timeout: None
            }
        );
    }
    assert_eq!(
        answer(&mut context, config(), "older", 2),
        Outcome::Leave(NO_MATCH)
    );
    assert_eq!(context.said(), ["A number.", "A number."]);
}

#[test]
fn without_a_retry_text_the_question_is_asked_again() {
    let mut context = TestContext::new();
    answer(&mut context, json!({ "text": "Your name?" }), "", 0);
    assert_eq!(context.said(), ["Your name?"]);
}

#[test]
fn the_timeout_is_in_seconds_and_starts_anew_with_every_answer() {
    let config = || json!({ "timeout": 90, "pattern": "email" });
    let mut context = TestContext::new();
    let entered = testing::step::<Ask>(&mut context, config(), Trigger::Entered).expect("waits");
    let again = answer(&mut context, config(), "ada", 0);
    for outcome in [entered, again] {
        let Outcome::Wait { timeout, .. } = outcome else {
            panic!("waits")
        };
        assert_eq!(timeout, Some(Duration::from_secs(90)));
    }
}

#[test]
fn choices_alone_make_a_choice() {
    let mut context = TestContext::new();
    let config = json!({ "choices": ["Sales", "Billing"], "saveTo": "team" });
    assert_eq!(
        answer(&mut context, config, "billing", 0),
        Outcome::Leave(Port::NEXT)
    );
    assert_eq!(context.context["team"], "Billing");
}

#[test]
fn an_answer_too_long_to_keep_faults() {
    let message = UserMessage {
        id: "1".into(),
        text: "x".repeat(16_000),
        at: Timestamp(0),
    };
    let trigger = Trigger::UserMessage {
        message,
        state: Waiting { misses: 0 },
    };
    let config = json!({ "saveTo": "story" });
    let fault = testing::step::<Ask>(&mut TestContext::new(), config, trigger);
    assert_eq!(fault.expect_err("is too long").code, "context.too_large");
}

#[test]
fn problems_are_found_before_the_flow_runs() {
    let found = |config| -> Vec<_> {
        let problems = testing::validate::<Ask>(config);
        problems
            .into_iter()
            .map(|found| (found.path, found.code))
            .collect()
    };
    let one = |path: &str, code: &str| vec![(path.to_owned(), code.to_owned())];
    assert_eq!(
        found(json!({ "pattern": "choice" })),
        one("/choices", "ask.empty_choices")
    );
    assert_eq!(
        found(json!({ "pattern": "email", "choices": ["a"] })),
        one("/choices", "ask.unused_choices")
    );
    assert_eq!(
        found(json!({ "choices": ["a", " "] })),
        one("/choices/1", "ask.blank_choice")
    );
    assert_eq!(
        found(json!({ "saveTo": "" })),
        one("/saveTo", "ask.bad_key")
    );
    assert_eq!(
        found(json!({ "text": "Hi {{ context.name }}", "saveTo": "answer" })),
        []
    );
}
