//! The `setExternalSessionAttributes` node: tells agents more about the session.

use std::collections::BTreeMap;

use handoff_node::{
    Capability, Category, Context, Descriptor, Fault, Node, Outcome, Port, Problem, Trigger,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Tells agents more about the session.
#[derive(Debug)]
pub struct SetExternalSessionAttributes;

/// The attributes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Values by name, as agents will see them. Names are case-sensitive.
    #[schemars(extend("examples" = [{ "CustomerNumber": "{{ context.customer.number }}" }]))]
    attributes: BTreeMap<String, String>,
}

impl Node for SetExternalSessionAttributes {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "setExternalSessionAttributes",
            version: env!("CARGO_PKG_VERSION"),
            label: "Set external session attributes",
            summary: "Passes details of the user and the session on to the agent's system.",
            help: include_str!("../help.md"),
            category: Category::Data,
            icon: include_str!("../icon.svg"),
            ports: &[Port::NEXT, Port::ERROR],
            reads: &[],
            writes: &[],
            capabilities: &[Capability::ExternalAttributes],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if config.attributes.is_empty() {
            problems.push(Problem::at(
                "/attributes",
                "set_external_session_attributes.none",
                "No attribute is set. Add one, or remove the node.",
            ));
        }
        if config
            .attributes
            .keys()
            .any(|key| key.is_empty() || key.len() > 128)
        {
            problems.push(Problem::at(
                "/attributes",
                "set_external_session_attributes.bad_key",
                "A name is empty or longer than 128 bytes. Choose another.",
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
        for (key, value) in &config.attributes {
            context.set_attribute(key, value)?;
        }
        Ok(Outcome::Leave(Port::NEXT))
    }
}

handoff_node::export!(SetExternalSessionAttributes);

#[cfg(test)]
mod tests {
    use handoff_node::testing::{self, TestContext};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<SetExternalSessionAttributes>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(
                testing::descriptor::<SetExternalSessionAttributes>()["config"]
            );
        });
    }

    #[test]
    fn a_name_that_can_not_be_one_is_a_problem_and_a_fault() {
        let config = || json!({ "attributes": { "": "x" } });
        let [problem] = &testing::validate::<SetExternalSessionAttributes>(config())[..] else {
            panic!("one problem expected")
        };
        assert_eq!(problem.code, "set_external_session_attributes.bad_key");
        let mut context = TestContext::new();
        let fault =
            testing::step::<SetExternalSessionAttributes>(&mut context, config(), Trigger::Entered);
        assert_eq!(
            fault.expect_err("no name").code,
            "external_attributes.bad_key"
        );
    }
}
