//! The `escalate` node: Dydu's way of handing the conversation to an agent, by competency.

mod config;

use handoff_node::{
    Capability, Category, Context, Descriptor, Fault, Key, Node, Outcome, Problem, Trigger, agent,
};

use crate::config::Config;

/// Hands the conversation to an agent who is competent.
#[derive(Debug)]
pub struct Escalate;

impl Node for Escalate {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "escalate",
            version: env!("CARGO_PKG_VERSION"),
            label: "Livechat escalation",
            summary: "Hands the conversation to the queue that is competent, and goes on when the agent is done.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: agent::PORTS,
            reads: &[
                Key::Config("/identity/email"),
                Key::Config("/identity/lastName"),
                Key::Config("/identity/firstName"),
            ],
            writes: agent::WRITES,
            capabilities: &[Capability::Context],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        config.problems()
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        match trigger {
            Trigger::Entered => Ok(Outcome::transfer(config.into_request(context))),
            Trigger::Returned { end, .. } => Ok(agent::after(&end, config.resume_bot)),
            other => Err(other.unexpected()),
        }
    }
}

handoff_node::export!(Escalate);

#[cfg(test)]
mod tests;
