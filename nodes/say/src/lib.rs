//! The `say` node: sends a message and goes on.

use handoff_node::{
    Audience, Capability, Category, Context, Descriptor, Fault, Node, Outcome, Port, Problem,
    Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Sends a message.
#[derive(Debug)]
pub struct Say;

/// What is said, and to whom.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The message, as plain text.
    #[schemars(extend("format" = "multiline", "examples" = ["Hello {{ context.name }}!"]))]
    text: String,
    /// Who gets it. The agent reads it when the conversation is handed over.
    #[serde(default)]
    audience: Audience,
}

impl Node for Say {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "say",
            version: env!("CARGO_PKG_VERSION"),
            label: "Say",
            summary: "Sends a message and goes on.",
            help: include_str!("../help.md"),
            category: Category::Conversation,
            icon: include_str!("../icon.svg"),
            ports: &[Port::NEXT, Port::ERROR],
            reads: &[],
            writes: &[],
            capabilities: &[Capability::Conversation],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        if config.text.trim().is_empty() {
            vec![Problem::at(
                "/text",
                "say.empty_text",
                "The message is empty. Write one.",
            )]
        } else {
            Vec::new()
        }
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        let Trigger::Entered = trigger else {
            return Err(trigger.unexpected());
        };
        // A template may come to nothing, as a comment does.
        if !config.text.trim().is_empty() {
            context.send(config.audience, &config.text)?;
        }
        Ok(Outcome::Leave(Port::NEXT))
    }
}

handoff_node::export!(Say);

#[cfg(test)]
mod tests {
    use handoff_node::testing::{self, TestContext};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<Say>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<Say>()["config"]);
        });
    }

    #[test]
    fn text_is_sent_exactly_as_it_is() {
        let mut context = TestContext::new();
        let config = json!({ "text": "  Olá 👋\n" });
        testing::step::<Say>(&mut context, config, Trigger::Entered).expect("is sent");
        assert_eq!(context.said(), ["  Olá 👋\n"]);
    }

    #[test]
    fn a_template_that_came_to_nothing_says_nothing() {
        let mut context = TestContext::new();
        testing::step::<Say>(&mut context, json!({ "text": " \n" }), Trigger::Entered)
            .expect("leaves");
        assert!(context.said().is_empty());
    }

    #[test]
    fn a_message_beyond_the_limit_faults() {
        let config = json!({ "text": "x".repeat(16_385) });
        let fault = testing::step::<Say>(&mut TestContext::new(), config, Trigger::Entered);
        assert_eq!(
            fault.expect_err("is too long").code,
            "conversation.too_long"
        );
    }

    #[test]
    fn an_empty_message_is_a_problem_and_a_template_is_not() {
        let [problem] = &testing::validate::<Say>(json!({ "text": " " }))[..] else {
            panic!("one problem expected")
        };
        assert_eq!(problem.code, "say.empty_text");
        assert_eq!(
            testing::validate::<Say>(json!({ "text": "{{ context.text }}" })),
            []
        );
    }

    #[test]
    fn an_unknown_audience_is_named() {
        let config = json!({ "text": "Hi", "audience": "everyone" });
        let fault = testing::step::<Say>(&mut TestContext::new(), config, Trigger::Entered)
            .expect_err("no such audience");
        assert_eq!(fault.details, Some(json!({ "pointer": "/audience" })));
    }
}
