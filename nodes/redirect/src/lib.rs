//! The `redirect` node: hands the conversation to an agent and takes it back.

mod config;

use handoff_node::{
    Category, CloseReason, Context, Descriptor, EndReason, Fault, Key, Node, Outcome, Port,
    Problem, SessionEnd, Trigger,
};

use crate::config::Config;

/// Hands the conversation to an agent.
#[derive(Debug)]
pub struct Redirect;

const COMPLETED: Port = Port::success("completed", "Agent done");
const USER_LEFT: Port = Port::success("userLeft", "User left");
const NO_AGENT: Port = Port::failure("noAgent", "No agent");
const ALREADY_ACTIVE: Port = Port::failure("alreadyActive", "Already with an agent");

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
            ports: &[COMPLETED, USER_LEFT, NO_AGENT, ALREADY_ACTIVE, Port::ERROR],
            reads: &[],
            writes: &[Key::Named("SessionEndReason"), Key::Named("LastKnownAgent")],
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
            Trigger::Returned { end, .. } => Ok(after(&end, config.resume_bot)),
            other => Err(other.unexpected()),
        }
    }
}

/// Where the flow goes once the handoff has ended.
fn after(end: &SessionEnd, resume_bot: bool) -> Outcome {
    match end.reason {
        EndReason::AgentLeft if resume_bot => Outcome::Leave(COMPLETED),
        EndReason::AgentLeft => Outcome::Close(CloseReason::AgentLeft),
        EndReason::UserLeft => Outcome::Leave(USER_LEFT),
        EndReason::Error if is_or_is_under(end.code(), "transfer.no_agent") => {
            Outcome::Leave(NO_AGENT)
        }
        EndReason::Error if is_or_is_under(end.code(), "transfer.already_active") => {
            Outcome::Leave(ALREADY_ACTIVE)
        }
        // Completed is how a bot ends, never a handoff.
        EndReason::Error | EndReason::Completed => Outcome::Leave(Port::ERROR),
    }
}

/// Whether a code is the given one or a finer grain of it, as `transfer.no_agent.closed` is of
/// `transfer.no_agent`.
fn is_or_is_under(code: &str, general: &str) -> bool {
    code.strip_prefix(general)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '_']))
}

handoff_node::export!(Redirect);

#[cfg(test)]
mod tests;
