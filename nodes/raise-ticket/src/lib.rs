//! The `raiseTicket` node: Yellow.ai's way of handing the conversation to an agent.

mod config;
mod response;

use handoff_node::{
    Capability, Category, Context, Descriptor, Fault, Key, Node, Outcome, Port, Problem, Trigger,
};

use crate::config::Config;

/// Raises a ticket with an agent.
#[derive(Debug)]
pub struct RaiseTicket;

const TICKET_CLOSED: Port = Port::success("ticketClosed", "Ticket closed");
const USER_LEFT: Port = Port::success("userLeft", "User left");
const UNAVAILABLE: Port = Port::failure("unavailable", "Unavailable");

impl Node for RaiseTicket {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "raiseTicket",
            version: env!("CARGO_PKG_VERSION"),
            label: "Raise ticket",
            summary: "Raises a ticket with a live agent, and keeps how it went.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: &[TICKET_CLOSED, USER_LEFT, UNAVAILABLE, Port::ERROR],
            reads: &[Key::Named(response::CONVERSATION)],
            writes: &[
                Key::Named("SessionEndReason"),
                Key::Named("LastKnownAgent"),
                Key::Config("/storeResponseIn"),
            ],
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
            Trigger::Entered => config.into_request().map(Outcome::transfer),
            Trigger::Returned { end, .. } => {
                let (port, response) = response::of(&end, context);
                context.set(&config.store_response_in, &response)?;
                Ok(Outcome::Leave(port))
            }
            other => Err(other.unexpected()),
        }
    }
}

handoff_node::export!(RaiseTicket);

#[cfg(test)]
mod tests;
