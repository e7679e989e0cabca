//! The `resumeAfterAgent` node: chooses the way on by how the last handoff ended.

use handoff_node::{
    Capability, Category, Context, Descriptor, EndReason, Fault, Node, Outcome, Port, Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Chooses the way on by how the last handoff ended.
#[derive(Debug)]
pub struct ResumeAfterAgent;

/// Nothing to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

const AGENT_LEFT: Port = Port::success("agentLeft", "Agent done");
const USER_LEFT: Port = Port::success("userLeft", "User left");

impl Node for ResumeAfterAgent {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "resumeAfterAgent",
            version: env!("CARGO_PKG_VERSION"),
            label: "Resume after agent",
            summary: "Chooses the way on by how the last handoff ended.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: &[AGENT_LEFT, USER_LEFT, Port::ERROR],
            reads: &[],
            writes: &[],
            capabilities: &[Capability::Handoff],
            examples: include_str!("../examples.json"),
        }
    }

    fn step(
        context: &mut impl Context,
        _config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        let Trigger::Entered = trigger else {
            return Err(trigger.unexpected());
        };
        let Some(end) = context.last_handoff() else {
            return Err(Fault::permanent(
                "resume_after_agent.no_handoff",
                "No handoff of this session has ended yet, so there is nothing to resume from. \
                 Place this node after one that hands over to an agent.",
            ));
        };
        Ok(Outcome::Leave(match end.reason {
            EndReason::AgentLeft => AGENT_LEFT,
            EndReason::UserLeft => USER_LEFT,
            // Completed is how a bot ends. A host that says it of a handoff is wrong, and a flow is
            // safest where it expects trouble.
            EndReason::Error | EndReason::Completed => Port::ERROR,
        }))
    }
}

handoff_node::export!(ResumeAfterAgent);

#[cfg(test)]
mod tests {
    use handoff_node::testing;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<ResumeAfterAgent>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<ResumeAfterAgent>()["config"]);
        });
    }
}
