//! Templates and expressions in a node's config, resolved before the node is called.
//!
//! A string that holds `{{ }}`, `{% %}` or `{# #}` is a template, and a string whose schema says
//! `"format": "expression"` is an expression. Where the schema wants text, a template gives text;
//! elsewhere a string that is one whole `{{ expression }}` gives that expression's value, type and all.
//! Undefined is an error.
//!
//! A text that a designer wrote and that names a secret, where the schema says `"x-secrets"`, becomes the
//! step's placeholder of it. That is decided when the project loads: what a template comes to never is the
//! name of a secret, whatever it spells.
//!
//! Each is compiled once, when the project loads; a config without any costs a step nothing. What a
//! template may cost is bounded whatever it says: see the language's own front page.

mod failure;
mod language;
mod strings;

pub(crate) use strings::{ConfigSecret, SECRET_NAME, texts};

use crate::diagnostic::{did_you_mean, name_list};
use failure::{failed, not_compiled};
use language::{Expr, Meter, Names, Node, Render, Trouble, parse_expression, parse_template};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use strings::{Found, secrets_in, templates_in};

/// What templates may read.
pub const ROOTS: [&str; 6] = [
    "context",
    "attributes",
    "message",
    "session",
    "handoff",
    "error",
];

/// What the templates of one config may cost together, in about bytes built and walked. What a step's
/// templates hold in memory at any time is less than three times this.
const BUDGET: usize = 8 << 20;
const MAX_TEXT: usize = 64 * 1024;
/// How long a template may be. What it is parsed into is some forty times larger.
const MAX_SOURCE: usize = 64 * 1024;

/// A template that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// JSON Pointer into the config.
    pub pointer: String,
    /// Stable code: `template.syntax`, `template.undefined`, `template.unknown_filter`,
    /// `template.failed`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Compiles and runs templates.
#[derive(Debug)]
pub struct Templates {
    budget: usize,
}

/// A config with its templates compiled.
#[derive(Debug)]
pub struct PreparedConfig {
    source: Value,
    text: String,
    slots: Vec<Slot>,
    secrets: Vec<ConfigSecret>,
}

/// A place in a config that a template fills.
#[derive(Debug)]
struct Slot {
    pointer: String,
    compiled: Compiled,
}

#[derive(Debug)]
enum Compiled {
    Expression(Expr),
    Text(Vec<Node>),
}

impl Compiled {
    fn new(found: Found<'_>) -> Result<Self, Trouble> {
        let (Found::Expression(source) | Found::Text(source)) = found;
        if source.len() > MAX_SOURCE {
            let message = format!("it has more than {MAX_SOURCE} bytes");
            return Err(Trouble::Syntax(message));
        }
        match found {
            Found::Expression(source) => parse_expression(source).map(Self::Expression),
            Found::Text(source) => parse_template(source).map(Self::Text),
        }
    }

    /// The names that it reads and does not set itself.
    fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Expression(expression) => Names::of_expression(expression).read,
            Self::Text(nodes) => Names::of_nodes(nodes).read,
        }
    }
}

impl PreparedConfig {
    /// The config as it stands in the flow.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Names of secrets that its designer wrote into it.
    pub(crate) fn secrets(&self) -> &[ConfigSecret] {
        &self.secrets
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self { budget: BUDGET }
    }
}

/// Whether a text is a template rather than itself.
#[must_use]
pub fn is_template(text: &str) -> bool {
    let comment = || {
        text.split_once("{#")
            .is_some_and(|(_, rest)| rest.contains("#}"))
    };
    text.contains("{{") || text.contains("{%") || comment()
}

impl Templates {
    /// Every template of a config that cannot work whatever the session holds.
    #[must_use]
    pub fn check(&self, config: &Value, schema: &Value) -> Vec<TemplateError> {
        let mut errors = Vec::new();
        for (at, found) in templates_in(config, schema) {
            check_one(found, &at, &mut errors);
        }
        errors
    }

    /// Compiles the templates of a config. One that does not compile is left as it is: [`Self::check`]
    /// tells of it.
    pub fn prepare(&mut self, source: Value, schema: &Value) -> PreparedConfig {
        let mut slots = Vec::new();
        for (pointer, found) in templates_in(&source, schema) {
            if let Ok(compiled) = Compiled::new(found) {
                slots.push(Slot { pointer, compiled });
            }
        }
        PreparedConfig {
            text: source.to_string(),
            secrets: secrets_in(&source, schema),
            source,
            slots,
        }
    }

    /// The JSON text of a config, with every template and expression replaced by what it comes to.
    /// `scope` is what they read; it is asked for only if there are some. `placeholder` gives what stands for
    /// a secret; a name that it does not know stays text.
    pub fn resolve<'c>(
        &self,
        config: &'c PreparedConfig,
        scope: impl FnOnce() -> Value,
        placeholder: impl Fn(&str) -> Option<String>,
    ) -> Result<Cow<'c, str>, TemplateError> {
        if config.slots.is_empty() && config.secrets.is_empty() {
            return Ok(Cow::Borrowed(&config.text));
        }
        let mut resolved = config.source.clone();
        for secret in &config.secrets {
            if let Some(text) = placeholder(&secret.name)
                && let Some(place) = resolved.pointer_mut(&secret.pointer)
            {
                *place = Value::String(text);
            }
        }
        if config.slots.is_empty() {
            return Ok(Cow::Owned(resolved.to_string()));
        }
        let scope = scope();
        let mut meter = Meter::new(self.budget);
        for slot in &config.slots {
            let value = fill(slot, &scope, &mut meter)?;
            if let Some(place) = resolved.pointer_mut(&slot.pointer) {
                *place = value;
            }
        }
        Ok(Cow::Owned(resolved.to_string()))
    }
}

fn check_one(found: Found<'_>, at: &str, errors: &mut Vec<TemplateError>) {
    let compiled = match Compiled::new(found) {
        Ok(compiled) => compiled,
        Err(trouble) => {
            errors.push(not_compiled(&trouble, found, at));
            return;
        }
    };
    let names = compiled.names();
    let roots = names
        .iter()
        .map(|name| name.split('.').next().unwrap_or(name));
    let unknown: BTreeSet<&str> = roots.filter(|name| !ROOTS.contains(name)).collect();
    for name in unknown {
        let help = did_you_mean(name, ROOTS).unwrap_or_else(|| {
            format!(
                "for a key of the flow context write 'context.{name}'; templates can read {}",
                name_list(ROOTS)
            )
        });
        errors.push(TemplateError {
            pointer: at.to_owned(),
            code: "template.undefined",
            message: format!("'{name}' is not something a template can read"),
            help: Some(help),
        });
    }
}

fn fill(slot: &Slot, scope: &Value, meter: &mut Meter) -> Result<Value, TemplateError> {
    let render = Render::new(scope, meter);
    let value = match &slot.compiled {
        Compiled::Expression(expression) => render.value(expression),
        Compiled::Text(nodes) => render.text(nodes).map(Value::String),
    };
    match value {
        Ok(Value::String(text)) if text.len() > MAX_TEXT => Err(TemplateError {
            pointer: slot.pointer.clone(),
            code: "template.failed",
            message: format!("this template gives more than {MAX_TEXT} bytes"),
            help: Some("shorten it".to_owned()),
        }),
        Ok(value) => Ok(value),
        Err(trouble) => {
            let expression = matches!(slot.compiled, Compiled::Expression(_));
            let names = slot.compiled.names();
            Err(failed(&trouble, names, expression, scope, &slot.pointer))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "text": {"type": "string"},
                "when": {"type": "string", "format": "expression"},
                "count": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "values": {"type": "object", "additionalProperties": true},
                "names": {"type": "array", "items": {"$ref": "#/$defs/Name"}},
            },
            "$defs": {"Name": {"type": "string"}},
        })
    }

    fn scope() -> Value {
        json!({"context": {"name": "Ana", "age": 31, "tags": ["a"]}, "session": {"id": "s1"}})
    }

    fn resolve(config: Value) -> Result<Value, TemplateError> {
        let mut templates = Templates::default();
        let prepared = templates.prepare(config, &schema());
        let resolved = templates.resolve(&prepared, scope, |_| None)?;
        Ok(serde_json::from_str(&resolved).expect("is JSON"))
    }

    #[test]
    fn a_config_without_templates_asks_for_no_scope() {
        let mut templates = Templates::default();
        let prepared = templates.prepare(json!({"text": "plain"}), &schema());
        let resolved = templates.resolve(&prepared, || panic!("nothing to read"), |_| None);
        assert_eq!(resolved.expect("resolves"), r#"{"text":"plain"}"#);
    }

    #[test]
    fn only_what_a_designer_wrote_where_the_schema_says_so_names_a_secret() {
        let schema = json!({"properties": {"request": {"$ref": "#/$defs/Request"}}, "$defs": {"Request": {
            "properties": {
                "url": {"type": "string"},
                "headers": {"additionalProperties": {"type": "string"}, "x-secrets": "header"},
                "body": {"x-secrets": "body"},
            },
        }}});
        let config = json!({"request": {
            "url": "srn:a",
            "headers": {"X-Key": "srn:a", "x-user": "{{ context.name }}", "x-other": "srn:unknown"},
            "body": {"list": [{"key": "srn:a"}, "{{ context.name }}"], "both": "srn:a{{ context.name }}"},
        }});
        let mut templates = Templates::default();
        let prepared = templates.prepare(config, &schema);
        let resolved = templates
            .resolve(
                &prepared,
                || json!({"context": {"name": "srn:a"}}),
                |name| (name == "srn:a").then(|| "PLACEHOLDER".to_owned()),
            )
            .expect("resolves");
        assert_eq!(
            serde_json::from_str::<Value>(&resolved).expect("is JSON"),
            json!({"request": {
                "url": "srn:a",
                "headers": {"X-Key": "PLACEHOLDER", "x-user": "srn:a", "x-other": "srn:unknown"},
                "body": {"list": [{"key": "PLACEHOLDER"}, "srn:a"], "both": "srn:asrn:a"},
            }})
        );
        let places: Vec<String> = prepared
            .secrets()
            .iter()
            .flat_map(|secret| secret.places.iter().map(ToString::to_string))
            .collect();
        assert_eq!(
            places,
            ["body:/list/0/key", "header:x-key", "header:x-other"]
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema =
            json!({"anyOf": [{"$ref": "#"}, {"allOf": [{"$ref": "#"}, {"$ref": "#/anyOf/0"}]}]});
        let config = json!({"text": "{{ context.name }}"});
        assert!(Templates::default().check(&config, &schema).is_empty());
    }

    #[test]
    fn an_expression_may_hold_what_would_end_a_template() {
        let config = json!({"when": "context.name != '%}' and '{%' != '}}'"});
        assert_eq!(resolve(config).expect("resolves")["when"], true);
    }

    #[test]
    fn an_expression_that_comes_to_nothing_is_undefined() {
        let error = resolve(json!({"when": "context.none"})).expect_err("undefined");
        assert_eq!(error.code, "template.undefined");
        assert!(
            error
                .help
                .expect("help")
                .contains("'context.none | default('')'")
        );
    }

    #[test]
    fn unknown_filters_tests_and_functions_are_found_before_the_flow_runs() {
        for text in [
            "{{ context.x | shout }}",
            "{{ context.x is odder }}",
            "{{ now() }}",
        ] {
            let errors = Templates::default().check(&json!({"text": text}), &schema());
            assert!(!errors.is_empty(), "{text}");
        }
    }

    #[test]
    fn text_stays_text_and_values_keep_their_type() {
        let config = json!({
            "text": "{{ context.age }}",
            "when": "context.age >= 18",
            "count": "{{ context.age + 1 }}",
            "values": {"tags": "{{ context.tags }}", "hello": "Hi {{ context.name }}"},
            "names": ["{{ context.name }}", "plain"],
        });
        assert_eq!(
            resolve(config).expect("resolves"),
            json!({
                "text": "31",
                "when": true,
                "count": 32,
                "values": {"tags": ["a"], "hello": "Hi Ana"},
                "names": ["Ana", "plain"],
            })
        );
    }

    #[test]
    fn an_undefined_variable_is_named_with_its_mend() {
        let config = json!({"text": "Hi {{ context.nmae }}"});
        let error = resolve(config).expect_err("undefined");
        assert_eq!(
            (error.code, error.pointer.as_str()),
            ("template.undefined", "/text")
        );
        assert_eq!(error.message, "'context.nmae' is not defined here");
        assert!(error.help.expect("help").contains("did you mean 'name'?"));
    }

    #[test]
    fn a_default_mends_an_undefined_variable() {
        let config = json!({"text": "Hi {{ context.nick | default('you') }}"});
        assert_eq!(resolve(config).expect("resolves")["text"], "Hi you");
    }

    #[test]
    fn an_endless_template_runs_out_of_fuel() {
        let config = json!({"text":
            "{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}"});
        let error = resolve(config).expect_err("out of fuel");
        assert_eq!(error.code, "template.failed");
    }

    #[test]
    fn values_in_texts_are_spelled_as_json() {
        let config = json!({"text":
            "{{ true }} {{ none }} {{ 4 / 2 }} {{ 0.5 }} {{ {'k': ['v', true, none]} }} {{ context.tags }}"});
        assert_eq!(
            resolve(config).expect("resolves")["text"],
            r#"true null 2 0.5 {"k":["v",true,null]} ["a"]"#
        );
    }

    #[test]
    fn a_template_that_is_too_long_is_not_parsed() {
        let text = format!("{{{{ context{} }}}}", ".a".repeat(MAX_SOURCE));
        let errors = Templates::default().check(&json!({"text": text}), &schema());
        assert!(errors[0].message.ends_with("it has more than 65536 bytes"));
    }

    #[test]
    fn a_comment_says_nothing() {
        let config = json!({"text": "{# note #}", "names": ["a {#- note -#} b", "{# open"]});
        let resolved = resolve(config).expect("resolves");
        assert_eq!(resolved["text"], "");
        assert_eq!(resolved["names"], json!(["ab", "{# open"]));
    }

    #[test]
    fn checking_finds_bad_syntax_and_unknown_names_everywhere() {
        let config = json!({
            "text": "{{ name }}",
            "when": "context.age >=",
            "names": ["{{ context.x", "{{ range(3) }}"],
        });
        let errors = Templates::default().check(&config, &schema());
        let mut found: Vec<(&str, &str)> = errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect();
        // Members come in the order of serde_json's map, which a feature of another crate decides.
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ("/names/0", "template.syntax"),
                ("/text", "template.undefined"),
                ("/when", "template.syntax"),
            ]
        );
    }
}
