//! The `branch` node: goes one way or the other.

use handoff_node::{
    Category, Context, Descriptor, Expression, Fault, Node, Outcome, Port, Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Goes one way or the other.
#[derive(Debug)]
pub struct Branch;

/// The condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// An expression over the flow context that comes out as true or false.
    #[schemars(extend("examples" = ["context.amount > 100", "context.team == 'Billing' and context.vip"]))]
    when: Expression<bool>,
}

const TRUE: Port = Port::success("true", "True");
const FALSE: Port = Port::success("false", "False");

impl Node for Branch {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "branch",
            version: env!("CARGO_PKG_VERSION"),
            label: "Branch",
            summary: "Goes one way or the other, depending on a condition.",
            help: include_str!("../help.md"),
            category: Category::Logic,
            icon: include_str!("../icon.svg"),
            ports: &[TRUE, FALSE, Port::ERROR],
            reads: &[],
            writes: &[],
            capabilities: &[],
            examples: include_str!("../examples.json"),
        }
    }

    fn step(
        _context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        let Trigger::Entered = trigger else {
            return Err(trigger.unexpected());
        };
        let Expression(when) = config.when;
        Ok(Outcome::Leave(if when { TRUE } else { FALSE }))
    }
}

handoff_node::export!(Branch);

#[cfg(test)]
mod tests {
    use handoff_node::testing::{self, TestContext};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<Branch>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<Branch>()["config"]);
        });
    }

    #[test]
    fn a_condition_that_is_neither_true_nor_false_faults() {
        for value in [json!("yes"), json!(1), json!(null)] {
            let config = json!({ "when": value });
            let fault = testing::step::<Branch>(&mut TestContext::new(), config, Trigger::Entered)
                .expect_err("is no truth value");
            assert_eq!(fault.details, Some(json!({ "pointer": "/when" })));
        }
    }

    #[test]
    fn an_expression_as_written_is_no_problem() {
        assert_eq!(
            testing::validate::<Branch>(json!({ "when": "context.amount > 100" })),
            []
        );
    }
}
