//! The schema that editors check scenarios by takes every scenario there is, and no others.

use handoff_scenario::find;
use serde_json::{Value, json};
use std::path::Path;

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&handoff_scenario::schema()).expect("a valid schema")
}

#[test]
fn every_scenario_of_the_example_projects_is_taken() {
    let validator = validator();
    let projects = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/projects"
    ));
    let mut files = Vec::new();
    find(projects, &mut files).expect("the projects are there");
    assert!(files.len() > 100, "{}", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("can be read");
        let scenario: toml::Table = text.parse().expect("is TOML");
        let scenario = serde_json::to_value(scenario).expect("is JSON");
        let wrong: Vec<String> = validator
            .iter_errors(&scenario)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", file.display());
    }
}

#[test]
fn what_is_no_step_is_refused() {
    let validator = validator();
    let with = |step: Value| json!({ "name": "A scenario", "steps": [step] });
    assert!(validator.is_valid(&with(json!({ "user": "hi", "on": ["cloud-webchat"] }))));
    for step in [
        json!({ "usr": "hi" }),
        json!({ "user": "hi", "from": "Kim" }),
        json!({ "agent": "kim", "does": "dance" }),
        json!({ "silence": "yes" }),
        json!({ "bot": "hi", "on": ["carrier-pigeon"] }),
        json!("hi"),
    ] {
        assert!(!validator.is_valid(&with(step.clone())), "{step}");
    }
    assert!(!validator.is_valid(&json!({ "steps": [] })));
    assert!(!validator.is_valid(&json!({ "name": "x", "stpes": [] })));
}
