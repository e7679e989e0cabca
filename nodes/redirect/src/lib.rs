//! The `redirect` node: hands the conversation to an agent and takes it back.

mod config;

use handoff_node::{Category, Context, Descriptor, Fault, Node, Outcome, Problem, Trigger, agent};

use crate::config::Config;

/// Hands the conversation to an agent.
#[derive(Debug)]
pub struct Redirect;

impl Node for Redirect {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "redirect",
            version: env!("CARGO_PKG_VERSION"),
            label: "Redirect to agent",
            summary: "Hands the conversation to an agent, and goes on when the agent is done.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: agent::PORTS,
            reads: &[],
            writes: agent::WRITES,
            capabilities: &[],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        config.problems()
    }

    fn step(
        _context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        match trigger {
            Trigger::Entered => config.into_request().map(Outcome::transfer),
            Trigger::Returned { end, .. } => Ok(agent::after(&end, config.resume_bot)),
            other => Err(other.unexpected()),
        }
    }
}

handoff_node::export!(Redirect);

#[cfg(test)]
mod tests;
