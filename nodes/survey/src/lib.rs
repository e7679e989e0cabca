//! The `survey` node: asks how satisfied the user is, after a handoff.

mod rating;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::time::Duration;

use handoff_node::{
    Audience, Capability, Category, Context, Descriptor, Fault, Key, Level, Node, Outcome, Port,
    Problem, Trigger,
};
use rating::Answer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Asks how satisfied the user is.
#[derive(Debug)]
pub struct Survey;

/// What is asked, and where the answers go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The question.
    #[schemars(extend("format" = "multiline", "examples" = ["How was your chat with {{ context.LastKnownAgent.AgentName }}, from 1 to 5?"]))]
    question: String,
    /// The best rating; the worst is 1.
    #[serde(default = "five")]
    #[schemars(range(min = 2, max = 10))]
    scale: u32,
    /// What is said to an answer that is no rating. Left out, the question is asked again.
    #[serde(default)]
    retry: Option<String>,
    /// How often it is asked before the flow goes on without a rating.
    #[serde(default = "two")]
    attempts: NonZeroU32,
    /// Asked after the rating, for an answer in words. Left out, nothing more is asked.
    #[serde(default)]
    #[schemars(extend("format" = "multiline"))]
    comment_question: Option<String>,
    /// Said in the end to whoever has given a rating.
    #[serde(default)]
    thanks: Option<String>,
    /// How many seconds to wait for an answer. Left out, the session's own limit counts.
    #[serde(default)]
    timeout: Option<NonZeroU32>,
    /// The context key for the rating, a number.
    #[serde(default = "score")]
    #[schemars(extend("format" = "context-key"))]
    save_to: String,
    /// The context key for the answer in words.
    #[serde(default = "comment")]
    #[schemars(extend("format" = "context-key"))]
    save_comment_to: String,
}

fn five() -> u32 {
    5
}

fn two() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(1)
}

fn score() -> String {
    "agentCsatScore".to_owned()
}

fn comment() -> String {
    "agentCsatComment".to_owned()
}

/// What the node remembers while it waits.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Waiting {
    /// For a rating.
    Rating {
        /// How many answers were none so far.
        misses: u32,
    },
    /// For an answer in words.
    Comment,
}

const RATED: Port = Port::success("rated", "Rated");
const SKIPPED: Port = Port::success("skipped", "Skipped");

impl Node for Survey {
    type Config = Config;
    type State = Waiting;

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "survey",
            version: env!("CARGO_PKG_VERSION"),
            label: "Survey",
            summary: "Asks how satisfied the user is, on a scale and in words.",
            help: include_str!("../help.md"),
            category: Category::Conversation,
            icon: include_str!("../icon.svg"),
            ports: &[RATED, SKIPPED, Port::ERROR],
            reads: &[],
            writes: &[Key::Config("/saveTo"), Key::Config("/saveCommentTo")],
            capabilities: &[
                Capability::Context,
                Capability::Conversation,
                Capability::Log,
            ],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if config.question.trim().is_empty() {
            problems.push(Problem::at(
                "/question",
                "survey.no_question",
                "The question is empty. Write one that names the scale.",
            ));
        }
        if config.save_to == config.save_comment_to {
            problems.push(Problem::at(
                "/saveCommentTo",
                "survey.same_key",
                "The answer in words would replace the rating. Choose another key.",
            ));
        }
        problems
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<Waiting>,
    ) -> Result<Outcome<Waiting>, Fault> {
        match trigger {
            Trigger::Entered => {
                context.send(Audience::User, &config.question)?;
                Ok(config.wait(Waiting::Rating { misses: 0 }))
            }
            Trigger::UserMessage {
                message,
                state: Waiting::Rating { misses },
            } => match rating::read(&message.text, config.scale) {
                Answer::Rating(rating) => rated(context, &config, rating),
                Answer::Skip => Ok(Outcome::Leave(SKIPPED)),
                Answer::Other if misses + 1 < config.attempts.get() => {
                    let again = config.retry.as_ref().unwrap_or(&config.question);
                    context.send(Audience::User, again)?;
                    Ok(config.wait(Waiting::Rating { misses: misses + 1 }))
                }
                Answer::Other => Ok(Outcome::Leave(SKIPPED)),
            },
            Trigger::UserMessage {
                message,
                state: Waiting::Comment,
            } => {
                if !matches!(rating::read(&message.text, 0), Answer::Skip) {
                    context.set(&config.save_comment_to, &json!(message.text))?;
                }
                finish(context, &config)
            }
            // What was rated stays rated.
            Trigger::TimedOut {
                state: Waiting::Comment,
            } => finish(context, &config),
            Trigger::TimedOut { .. } => Ok(Outcome::Leave(SKIPPED)),
            Trigger::Returned { .. } => Err(trigger.unexpected()),
        }
    }
}

impl Config {
    fn wait(&self, state: Waiting) -> Outcome<Waiting> {
        let seconds = self.timeout.map(|seconds| u64::from(seconds.get()));
        Outcome::Wait {
            state,
            timeout: seconds.map(Duration::from_secs),
        }
    }
}

fn rated(
    context: &mut impl Context,
    config: &Config,
    rating: u32,
) -> Result<Outcome<Waiting>, Fault> {
    context.set(&config.save_to, &json!(rating))?;
    context.log(Level::Info, &format!("rated {rating} of {}", config.scale));
    let Some(question) = &config.comment_question else {
        return finish(context, config);
    };
    context.send(Audience::User, question)?;
    Ok(config.wait(Waiting::Comment))
}

fn finish(context: &mut impl Context, config: &Config) -> Result<Outcome<Waiting>, Fault> {
    if let Some(thanks) = &config.thanks {
        context.send(Audience::User, thanks)?;
    }
    Ok(Outcome::Leave(RATED))
}

handoff_node::export!(Survey);
