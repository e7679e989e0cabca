//! The `pushBotSoStack` node: lets another bot own the session, and goes on when it is done.

use handoff_node::{
    Category, Context, Descriptor, Fault, Key, Node, Outcome, Port, Problem, Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Lets another bot own the session.
#[derive(Debug)]
pub struct PushBotSoStack;

/// Which bot.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The exact name of a bot of this project: one with a flow, or a worker that hands over to
    /// agents.
    #[schemars(extend("format" = "bot", "examples" = ["GenesysLivechatAlpha"]))]
    bot: String,
}

impl Node for PushBotSoStack {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "pushBotSoStack",
            version: env!("CARGO_PKG_VERSION"),
            label: "Push bot to session-owner stack",
            summary: "Lets another bot own the session, and goes on when it gives it back.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: &[Port::NEXT, Port::ERROR],
            reads: &[],
            writes: &[Key::Named("SessionEndReason"), Key::Named("LastKnownAgent")],
            capabilities: &[],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        if config.bot.trim().is_empty() {
            vec![Problem::at(
                "/bot",
                "push_bot_so_stack.no_bot",
                "No bot is chosen. Write the name of a bot of the project.",
            )]
        } else {
            Vec::new()
        }
    }

    fn step(
        _context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        match trigger {
            Trigger::Entered => Ok(Outcome::PushBot {
                bot: config.bot,
                state: (),
            }),
            // Whatever the reason: the flow asks for it afterwards, if it wants to know.
            Trigger::Returned { .. } => Ok(Outcome::Leave(Port::NEXT)),
            other => Err(other.unexpected()),
        }
    }
}

handoff_node::export!(PushBotSoStack);

#[cfg(test)]
mod tests {
    use handoff_node::{
        EndReason, SessionEnd,
        testing::{self, TestContext},
    };
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<PushBotSoStack>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<PushBotSoStack>()["config"]);
        });
    }

    #[test]
    fn the_flow_goes_on_whatever_the_reason_of_the_end() {
        use EndReason::{AgentLeft, Completed, Error, UserLeft};
        for reason in [Completed, UserLeft, AgentLeft, Error] {
            let end = SessionEnd {
                reason,
                last_agent: None,
                detail: None,
            };
            let config = json!({ "bot": "GenesysLivechatAlpha" });
            let trigger = Trigger::Returned { end, state: () };
            let outcome = testing::step::<PushBotSoStack>(&mut TestContext::new(), config, trigger);
            assert_eq!(outcome, Ok(Outcome::Leave(Port::NEXT)));
        }
    }

    #[test]
    fn no_bot_is_a_problem() {
        let [problem] = &testing::validate::<PushBotSoStack>(json!({ "bot": "" }))[..] else {
            panic!("one problem expected")
        };
        assert_eq!(problem.path, "/bot");
    }
}
