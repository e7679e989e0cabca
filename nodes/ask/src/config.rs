//! What a designer sets on an `ask` node.

use std::{num::NonZeroU32, time::Duration};

use handoff_node::{Fault, Outcome, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{Waiting, answer::Pattern};

/// What is asked, which answers fit, and where they are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The question. Left out, the node only waits.
    #[schemars(extend("format" = "multiline", "examples" = ["What is your name?"]))]
    pub(crate) text: Option<String>,
    /// The context key that keeps the answer. Left out, the answer is not kept.
    #[schemars(extend("format" = "context-key", "examples" = ["name"]))]
    pub(crate) save_to: Option<String>,
    /// What a fitting answer is. Left out, any text is, or one of the choices if there are some.
    pattern: Option<Kind>,
    /// The answers to choose from; upper and lower case make no difference.
    #[serde(default)]
    choices: Vec<String>,
    /// Said after an answer that does not fit. Left out, the question is asked again.
    #[schemars(extend("format" = "multiline"))]
    pub(crate) retry: Option<String>,
    /// How many answers the user may try.
    #[serde(default = "three")]
    pub(crate) attempts: NonZeroU32,
    /// How many seconds to wait for each answer. Left out, for as long as the session may be
    /// inactive.
    #[schemars(title = "Seconds to wait")]
    timeout: Option<NonZeroU32>,
}

/// Which answers fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    /// Any text that is not blank.
    Text,
    /// An email address.
    Email,
    /// A number, with a point for decimals.
    Number,
    /// Yes or no; kept as true or false.
    YesNo,
    /// One of the choices.
    Choice,
}

fn three() -> NonZeroU32 {
    const { NonZeroU32::new(3).expect("three is not zero") }
}

impl Config {
    /// What a fitting answer is.
    ///
    /// # Errors
    /// `ask.empty_choices` if there is nothing to choose from.
    pub(crate) fn pattern(&self) -> Result<Pattern<'_>, Fault> {
        Ok(match self.kind() {
            Kind::Text => Pattern::Text,
            Kind::Email => Pattern::Email,
            Kind::Number => Pattern::Number,
            Kind::YesNo => Pattern::YesNo,
            Kind::Choice if self.choices.is_empty() => {
                return Err(Fault::invalid_config("ask.empty_choices", NO_CHOICES));
            }
            Kind::Choice => Pattern::Choice(&self.choices),
        })
    }

    /// Waits for the next answer.
    pub(crate) fn wait(&self, misses: u32) -> Outcome<Waiting> {
        Outcome::Wait {
            state: Waiting { misses },
            timeout: self
                .timeout
                .map(|span| Duration::from_secs(span.get().into())),
        }
    }

    /// What the schema of the config can't say.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self
            .save_to
            .as_ref()
            .is_some_and(|key| key.is_empty() || key.len() > 128)
        {
            problems.push(Problem::at(
                "/saveTo",
                "ask.bad_key",
                "The context key is empty or longer than 128 bytes. Write another, or leave the \
                 field out.",
            ));
        }
        match (self.kind(), self.choices.is_empty()) {
            (Kind::Choice, true) => {
                problems.push(Problem::at("/choices", "ask.empty_choices", NO_CHOICES));
            }
            (Kind::Choice, false) | (_, true) => {}
            (_, false) => problems.push(Problem::at(
                "/choices",
                "ask.unused_choices",
                "The choices are not looked at, because the pattern is another. Set the pattern to \
                 choice, or remove them.",
            )),
        }
        if let Some(index) = self
            .choices
            .iter()
            .position(|choice| choice.trim().is_empty())
        {
            problems.push(Problem::at(
                format!("/choices/{index}"),
                "ask.blank_choice",
                "The choice is blank, so nobody can choose it. Write it, or remove it.",
            ));
        }
        problems
    }

    fn kind(&self) -> Kind {
        match self.pattern {
            Some(kind) => kind,
            None if self.choices.is_empty() => Kind::Text,
            None => Kind::Choice,
        }
    }
}

const NO_CHOICES: &str = "There is nothing to choose from. Add choices, or another pattern.";
