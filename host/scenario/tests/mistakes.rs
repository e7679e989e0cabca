//! Mistakes in scenarios are told at their place, with what to write instead.

use handoff_scenario::{FileError, Scenario};
use std::fmt::Write as _;
use std::path::Path;

/// What is said of a file.
fn told(text: &str) -> String {
    let Err(FileError::Bad(mistakes)) = Scenario::parse(Path::new("s.toml"), text) else {
        panic!("it should have been refused: {text}");
    };
    let lines = mistakes.iter().map(|mistake| format!("{mistake}\n"));
    lines.collect()
}

/// Each step stands on a line of its own, from line 3 on.
fn told_of_steps(steps: &[&str]) -> String {
    let mut all = String::new();
    for step in steps {
        let said = told(&format!("name = \"x\"\nsteps = [\n  {step},\n]\n"));
        let _ = writeln!(all, "{step}\n  {said}");
    }
    all
}

#[test]
fn words_that_are_none_say_which_was_meant() {
    insta::assert_snapshot!(told_of_steps(&[
        r#"{ usr = "hi" }"#,
        r#"{ agent = "kim", dose = "accept" }"#,
        r#"{ user-hears = "x", form = "kim" }"#,
        r#"{ session = "open", because = "x" }"#,
        r#"{ agent = "kim", does = "dance" }"#,
        r#"{ user = true, does = "dance" }"#,
        r#"{ session = "gone" }"#,
        r#"{ admin = "burns", integration = "x" }"#,
        r#"{ preflight = "a", worst = "bad" }"#,
        r#"{ bot = "hi", on = ["webchat"] }"#,
    ]));
}

#[test]
fn steps_that_lack_something_say_what() {
    insta::assert_snapshot!(told_of_steps(&[
        "{}",
        r#"{ on = ["cloud-webchat"] }"#,
        r#""hi""#,
        r#"{ agent = "kim" }"#,
        r#"{ agent = "kim", does = "accept", says = "hi" }"#,
        r#"{ user = "bye", does = "leave" }"#,
        r#"{ metric = "x" }"#,
        r#"{ webhook = "a" }"#,
        r#"{ admin = "renames", integration = "x" }"#,
    ]));
}

#[test]
fn values_of_another_kind_say_what_the_word_takes() {
    insta::assert_snapshot!(told_of_steps(&[
        "{ bot = 1 }",
        "{ advance = 31 }",
        r#"{ advance = "soon" }"#,
        r#"{ bot = "hi", within = "x" }"#,
        r#"{ conversations = "one" }"#,
        "{ conversations = -1 }",
        r#"{ stack = "NightBot" }"#,
        r#"{ context = "x" }"#,
        r#"{ fault = "lose-replies" }"#,
        "{ restart = false }",
        "{ user = 5 }",
        r#"{ notice = "x", mentions = "y" }"#,
    ]));
}

#[test]
fn mistakes_of_the_head_say_what_to_write() {
    let files = [
        "name = \"x\"\nstpes = []",
        "name = \"x\"\nwhatever = 1",
        "steps = []",
        "name = 5",
        "name = \"x\"\ntransports = [\"cloud-webchat\", \"webchat\"]",
        "name = \"x\"\ncovers = \"SO5\"",
        "name = \"x\"\nas-configured = \"yes\"",
        "name = \"x\"\nsteps = \"hi\"",
        "name = \"x\"\nname = \"y\"",
        "name = \"x\nsteps = []",
    ];
    let mut all = String::new();
    for file in files {
        let _ = writeln!(all, "{file}\n  {}", told(file));
    }
    insta::assert_snapshot!(all);
}
