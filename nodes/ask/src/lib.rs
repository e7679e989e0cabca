//! The `ask` node: asks the user and waits for an answer that fits.

mod answer;
mod config;

use handoff_node::{
    Audience, Capability, Category, Context, Descriptor, Fault, Key, Node, Outcome, Port, Problem,
    Trigger,
};
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// Asks the user.
#[derive(Debug)]
pub struct Ask;

/// What the node remembers while it waits.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// How many answers did not fit so far.
    misses: u32,
}

const NO_MATCH: Port = Port::success("noMatch", "No match");
const TIMEOUT: Port = Port::success("timeout", "No answer");

impl Node for Ask {
    type Config = Config;
    type State = Waiting;

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "ask",
            version: env!("CARGO_PKG_VERSION"),
            label: "Ask",
            summary: "Asks the user, and waits for an answer that fits.",
            help: include_str!("../help.md"),
            category: Category::Conversation,
            icon: include_str!("../icon.svg"),
            ports: &[Port::NEXT, NO_MATCH, TIMEOUT, Port::ERROR],
            reads: &[],
            writes: &[Key::Config("/saveTo")],
            capabilities: &[Capability::Context, Capability::Conversation],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        config.problems()
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<Waiting>,
    ) -> Result<Outcome<Waiting>, Fault> {
        match trigger {
            Trigger::Entered => {
                say(context, config.text.as_deref())?;
                Ok(config.wait(0))
            }
            Trigger::UserMessage { message, state } => {
                let Some(answer) = config.pattern()?.read(&message.text) else {
                    return missed(context, &config, state.misses + 1);
                };
                if let Some(key) = &config.save_to {
                    context.set(key, &answer)?;
                }
                Ok(Outcome::Leave(Port::NEXT))
            }
            Trigger::TimedOut { .. } => Ok(Outcome::Leave(TIMEOUT)),
            Trigger::Returned { .. } => Err(trigger.unexpected()),
        }
    }
}

/// Asks again, unless it was the last attempt.
fn missed(
    context: &mut impl Context,
    config: &Config,
    misses: u32,
) -> Result<Outcome<Waiting>, Fault> {
    if misses >= config.attempts.get() {
        return Ok(Outcome::Leave(NO_MATCH));
    }
    say(context, config.retry.as_deref().or(config.text.as_deref()))?;
    Ok(config.wait(misses))
}

fn say(context: &mut impl Context, text: Option<&str>) -> Result<(), Fault> {
    if let Some(text) = text {
        context.send(Audience::User, text)?;
    }
    Ok(())
}

handoff_node::export!(Ask);

#[cfg(test)]
mod tests;
