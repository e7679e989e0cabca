//! Entry point of the fuzz target for scenario files (`cargo xtask fuzz`), and the replay of its
//! seeds. None of this exists in a normal build.

use crate::file::{FileError, Scenario};
use std::path::Path;

/// A scenario file.
pub fn scenarios(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match Scenario::parse(Path::new("scenarios/fuzzed.toml"), &text) {
        Ok(scenario) => {
            let lines = text.lines().count();
            let steps = scenario.steps.iter();
            assert!(
                steps
                    .into_iter()
                    .all(|step| (1..=lines).contains(&step.line)),
                "a step outside its file: {:?}",
                scenario.steps
            );
        }
        Err(FileError::Bad(mistakes)) => {
            assert!(!mistakes.is_empty(), "refused without a word");
            for mistake in mistakes {
                assert!(
                    mistake.place.span.end <= text.len(),
                    "a place outside its file: {mistake:?}"
                );
            }
        }
        Err(error @ FileError::Unreadable { .. }) => unreachable!("no file was read: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use fuzz_replay::replay;

    #[test]
    fn seeds_of_scenarios_hold() {
        replay("scenarios", super::scenarios);
    }
}
