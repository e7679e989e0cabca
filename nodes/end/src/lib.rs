//! The `end` node: closes the session.

use handoff_node::{
    Audience, Capability, Category, CloseReason, Context, Descriptor, Fault, Node, Outcome, Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Closes the session.
#[derive(Debug)]
pub struct End;

/// The last words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Said to the user before the session closes.
    #[schemars(extend("format" = "multiline", "examples" = ["Goodbye!"]))]
    text: Option<String>,
}

impl Node for End {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "end",
            version: env!("CARGO_PKG_VERSION"),
            label: "End",
            summary: "Closes the session.",
            help: include_str!("../help.md"),
            category: Category::Logic,
            icon: include_str!("../icon.svg"),
            ports: &[],
            reads: &[],
            writes: &[],
            capabilities: &[Capability::Conversation],
            examples: include_str!("../examples.json"),
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
        if let Some(text) = config.text {
            context.send(Audience::User, &text)?;
        }
        Ok(Outcome::Close(CloseReason::Completed))
    }
}

handoff_node::export!(End);

#[cfg(test)]
mod tests {
    use handoff_node::testing;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<End>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<End>()["config"]);
        });
    }
}
