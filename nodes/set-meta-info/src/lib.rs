//! The `setMetaInfo` node: Kore.ai's way of telling agents more about the session.

use std::collections::BTreeMap;

use handoff_node::{
    Capability, Category, Context, Descriptor, Fault, Node, Outcome, Port, Problem, Trigger,
    is_template,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Tells agents more about the session.
#[derive(Debug)]
pub struct SetMetaInfo;

/// The metadata.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// What the metadata is for. Only GenesysMetaData reaches Genesys; the case of the letters
    /// counts.
    #[serde(default = "genesys_meta_data")]
    #[schemars(extend("examples" = [GENESYS_META_DATA]))]
    key: String,
    /// Values by name. Names are case-sensitive. A value that is not text is sent as JSON text; null
    /// takes the name back.
    #[schemars(extend("examples" = [{ "QueueName": "Sales_EMEA", "EmployeeID": "{{ context.EmployeeID }}" }]))]
    data: BTreeMap<String, Value>,
}

/// The key under which Kore.ai's Genesys agent looks for metadata.
const GENESYS_META_DATA: &str = "GenesysMetaData";

fn genesys_meta_data() -> String {
    GENESYS_META_DATA.to_owned()
}

impl Node for SetMetaInfo {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "setMetaInfo",
            version: env!("CARGO_PKG_VERSION"),
            label: "Set metadata",
            summary: "Sets metadata that the next agent sees and that Architect can route by.",
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
        if config.key != GENESYS_META_DATA && !is_template(&config.key) {
            problems.push(Problem::at("/key", UNKNOWN_KEY, nothing_reads(&config.key)));
        }
        if config.data.is_empty() {
            problems.push(Problem::at(
                "/data",
                "set_meta_info.no_data",
                "No value is set. Add one, or remove the node.",
            ));
        }
        if config
            .data
            .keys()
            .any(|name| name.is_empty() || name.len() > 128)
        {
            problems.push(Problem::at(
                "/data",
                "set_meta_info.bad_name",
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
        if config.key != GENESYS_META_DATA {
            let message = nothing_reads(&config.key);
            return Err(Fault::invalid_config(UNKNOWN_KEY, message));
        }
        for (name, value) in &config.data {
            match value {
                Value::Null => context.remove_attribute(name),
                Value::String(text) => context.set_attribute(name, text)?,
                other => context.set_attribute(name, &other.to_string())?,
            }
        }
        Ok(Outcome::Leave(Port::NEXT))
    }
}

const UNKNOWN_KEY: &str = "set_meta_info.unknown_key";

fn nothing_reads(key: &str) -> String {
    format!(
        "Metadata under '{key}' reaches no agent. Write {GENESYS_META_DATA}, exactly so, or leave the \
         key out."
    )
}

handoff_node::export!(SetMetaInfo);

#[cfg(test)]
mod tests {
    use handoff_node::testing::{self, TestContext};
    use serde_json::json;

    use super::*;

    fn set(context: &mut TestContext, data: &Value) {
        let config = json!({ "data": data });
        let outcome = testing::step::<SetMetaInfo>(context, config, Trigger::Entered);
        assert_eq!(outcome, Ok(Outcome::Leave(Port::NEXT)));
    }

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<SetMetaInfo>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<SetMetaInfo>()["config"]);
        });
    }

    #[test]
    fn several_calls_add_up_and_the_last_value_of_a_name_counts() {
        let mut context = TestContext::new();
        set(
            &mut context,
            &json!({ "QueueName": "Sales", "Tier": "gold" }),
        );
        set(
            &mut context,
            &json!({ "QueueName": "a_b", "EmployeeID": 4711 }),
        );
        let attributes: Vec<_> = context.attributes.into_iter().collect();
        let expected = [
            ("EmployeeID", "4711"),
            ("QueueName", "a_b"),
            ("Tier", "gold"),
        ];
        assert_eq!(
            attributes,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn what_is_not_text_becomes_json_text() {
        let mut context = TestContext::new();
        set(
            &mut context,
            &json!({ "flag": true, "list": [1, "two"], "text": "\"quoted\"" }),
        );
        assert_eq!(context.attributes["flag"], "true");
        assert_eq!(context.attributes["list"], r#"[1,"two"]"#);
        assert_eq!(context.attributes["text"], r#""quoted""#);
    }

    #[test]
    fn mistakes_are_found_before_the_flow_runs() {
        let codes = |config| -> Vec<_> {
            testing::validate::<SetMetaInfo>(config)
                .into_iter()
                .map(|found| found.code)
                .collect()
        };
        assert_eq!(
            codes(json!({ "key": "genesysMetadata", "data": { "a": 1 } })),
            ["set_meta_info.unknown_key"]
        );
        assert_eq!(codes(json!({ "data": {} })), ["set_meta_info.no_data"]);
        assert_eq!(
            codes(json!({ "data": { "": 1 } })),
            ["set_meta_info.bad_name"]
        );
        assert_eq!(
            codes(json!({ "key": "{{ context.key }}", "data": { "a": 1 } })),
            [""; 0]
        );
    }
}
