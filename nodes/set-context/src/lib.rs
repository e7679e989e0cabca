//! The `setContext` node: merges values into the flow context.

use std::collections::BTreeMap;

use handoff_node::{
    Capability, Category, Context, Descriptor, Fault, Key, Node, Outcome, Port, Problem, Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Merges values into the flow context.
#[derive(Debug)]
pub struct SetContext;

/// The values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Values by context key. A value may be any JSON; null removes the key. Keys not named here
    /// stay as they are.
    #[schemars(extend("examples" = [{ "nickname": "{{ context.name }}", "vip": true, "draft": null }]))]
    values: BTreeMap<String, Value>,
}

impl Node for SetContext {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "setContext",
            version: env!("CARGO_PKG_VERSION"),
            label: "Set context",
            summary: "Keeps values in the flow context for later nodes.",
            help: include_str!("../help.md"),
            category: Category::Data,
            icon: include_str!("../icon.svg"),
            ports: &[Port::NEXT, Port::ERROR],
            reads: &[],
            writes: &[Key::Config("/values")],
            capabilities: &[Capability::Context],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if config.values.is_empty() {
            problems.push(Problem::at(
                "/values",
                "set_context.no_values",
                "No value is set. Add one, or remove the node.",
            ));
        }
        if config
            .values
            .keys()
            .any(|key| key.is_empty() || key.len() > 128)
        {
            problems.push(Problem::at(
                "/values",
                "set_context.bad_key",
                "A key is empty or longer than 128 bytes. Choose another.",
            ));
        }
        problems
    }

    fn step(
        context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        let Trigger::Entered = trigger else {
            return Err(trigger.unexpected());
        };
        for (key, value) in config.values {
            match value {
                Value::Null => context.remove(&key),
                value => context.set(&key, &value)?,
            }
        }
        Ok(Outcome::Leave(Port::NEXT))
    }
}

handoff_node::export!(SetContext);

#[cfg(test)]
mod tests {
    use handoff_node::testing::{self, TestContext};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<SetContext>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<SetContext>()["config"]);
        });
    }

    #[test]
    fn a_value_beyond_the_limit_faults_and_says_which() {
        let config = json!({ "values": { "notes": "x".repeat(10_000) } });
        let fault = testing::step::<SetContext>(&mut TestContext::new(), config, Trigger::Entered)
            .expect_err("10,000 letters and two quotes are too many bytes");
        assert_eq!(fault.code, "context.too_large");
        assert!(fault.message.contains("'notes'"), "{fault}");
    }

    #[test]
    fn keys_that_can_not_be_keys_are_problems() {
        let codes = |config| -> Vec<_> {
            testing::validate::<SetContext>(config)
                .into_iter()
                .map(|found| found.code)
                .collect()
        };
        assert_eq!(codes(json!({ "values": {} })), ["set_context.no_values"]);
        assert_eq!(
            codes(json!({ "values": { "": 1 } })),
            ["set_context.bad_key"]
        );
        assert_eq!(
            codes(json!({ "values": { "k".repeat(129): 1 } })),
            ["set_context.bad_key"]
        );
        assert_eq!(
            codes(json!({ "values": "{{ context.everything }}" })),
            [""; 0]
        );
    }
}
