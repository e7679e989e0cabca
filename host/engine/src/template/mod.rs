//! Templates and expressions in a node's config, resolved before the node is called.
//!
//! A string that holds `{{ }}` or `{% %}` is a minijinja template, and a string whose schema says
//! `"format": "expression"` is a minijinja expression. Where the schema wants text, a template gives
//! text; elsewhere a string that is one whole `{{ expression }}` gives that expression's value, type
//! and all. Undefined is an error, and an endless loop runs out of fuel.
//!
//! A text that a designer wrote and that names a secret, where the schema says `"x-secrets"`, becomes the
//! step's placeholder of it. That is decided when the project loads: what a template comes to never is the
//! name of a secret, whatever it spells.
//!
//! Each is compiled once, when the project loads; a config without any costs a step nothing.

mod failure;
mod strings;

pub(crate) use strings::{ConfigSecret, SECRET_NAME, texts};

use crate::diagnostic::{did_you_mean, name_list};
use failure::{failed, reason};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};
use serde_json::Value;
use std::borrow::Cow;
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

const FUEL: u64 = 100_000;
const MAX_TEXT: usize = 64 * 1024;

/// The variable that takes the value of an expression.
const VALUE: &str = "value";

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
    environment: Environment<'static>,
    prepared: usize,
}

/// A config with its templates compiled. Belongs to the [`Templates`] that made it.
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
    template: String,
    expression: bool,
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
        Self {
            environment: environment(UndefinedBehavior::Strict, FUEL),
            prepared: 0,
        }
    }
}

fn environment(undefined: UndefinedBehavior, fuel: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(fuel));
    environment.set_syntax(
        SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .build()
            .expect("the default delimiters are valid"),
    );
    environment
}

/// Whether a text is a template rather than itself.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

impl Templates {
    /// Every template of a config that cannot work whatever the session holds.
    #[must_use]
    pub fn check(&self, config: &Value, schema: &Value) -> Vec<TemplateError> {
        let mut errors = Vec::new();
        for (at, found) in templates_in(config, schema) {
            self.check_one(found, &at, &mut errors);
        }
        errors
    }

    fn check_one(&self, found: Found<'_>, at: &str, errors: &mut Vec<TemplateError>) {
        let wrong = |code, message, help| TemplateError {
            pointer: at.to_owned(),
            code,
            message,
            help,
        };
        let names = match found {
            Found::Expression(source) => self
                .environment
                .compile_expression(source)
                .map(|it| it.undeclared_variables(false)),
            Found::Text(source) => self
                .environment
                .template_from_str(source)
                .map(|it| it.undeclared_variables(false)),
        };
        let names = match names {
            Ok(names) => names,
            Err(error) => {
                let what = match found {
                    Found::Expression(_) => "expression",
                    Found::Text(_) => "template",
                };
                let message = format!("this {what} does not parse: {}", reason(&error));
                errors.push(wrong("template.syntax", message, None));
                return;
            }
        };
        let mut unknown: Vec<String> = names
            .into_iter()
            .filter(|name| !self.is_known(name))
            .collect();
        unknown.sort();
        for name in unknown {
            let help = did_you_mean(&name, ROOTS).unwrap_or_else(|| {
                format!(
                    "for a key of the flow context write 'context.{name}'; templates can read {}",
                    name_list(ROOTS)
                )
            });
            let message = format!("'{name}' is not something a template can read");
            errors.push(wrong("template.undefined", message, Some(help)));
        }
        if let Some(message) = unknown_filter(found) {
            errors.push(wrong("template.unknown_filter", message, None));
        }
    }

    fn is_known(&self, name: &str) -> bool {
        ROOTS.contains(&name) || self.environment.globals().any(|(global, _)| global == name)
    }

    /// Compiles the templates of a config. One that does not compile is left as it is: [`Self::check`]
    /// tells of it.
    pub fn prepare(&mut self, source: Value, schema: &Value) -> PreparedConfig {
        let mut slots = Vec::new();
        for (pointer, found) in templates_in(&source, schema) {
            // Only templates can be kept compiled, so an expression becomes one that sets a variable.
            let (text, expression) = match found {
                Found::Text(text) => (text.to_owned(), false),
                Found::Expression(text) => (format!("{{% set {VALUE} = ({text}) %}}"), true),
            };
            let template = self.prepared.to_string();
            if self
                .environment
                .add_template_owned(template.clone(), text)
                .is_ok()
            {
                self.prepared += 1;
                slots.push(Slot {
                    pointer,
                    template,
                    expression,
                });
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
        for slot in &config.slots {
            let value = self.fill(slot, &scope)?;
            if let Some(place) = resolved.pointer_mut(&slot.pointer) {
                *place = value;
            }
        }
        Ok(Cow::Owned(resolved.to_string()))
    }

    fn fill(&self, slot: &Slot, scope: &Value) -> Result<Value, TemplateError> {
        let template = self
            .environment
            .get_template(&slot.template)
            .expect("a slot's template was added when it was prepared");
        let read = minijinja::Value::from(Serde(scope));
        let value = if slot.expression {
            template.render_captured(read).and_then(|rendered| {
                match rendered.state().lookup(VALUE) {
                    Some(value) if !value.is_undefined() => {
                        serde_json::to_value(&value).map_err(|error| {
                            minijinja::Error::new(ErrorKind::BadSerialization, error.to_string())
                        })
                    }
                    _ => Err(ErrorKind::UndefinedError.into()),
                }
            })
        } else {
            template.render(read).map(Value::String)
        };
        match value {
            Ok(Value::String(text)) if text.len() > MAX_TEXT => Err(TemplateError {
                pointer: slot.pointer.clone(),
                code: "template.failed",
                message: format!("this template gives more than {MAX_TEXT} bytes"),
                help: Some("shorten it".to_owned()),
            }),
            Ok(value) => Ok(value),
            Err(error) => Err(failed(
                &error,
                template.undeclared_variables(true),
                slot.expression,
                scope,
                &slot.pointer,
            )),
        }
    }
}

/// A filter, test or function that does not exist. They are looked up when a template runs, so it is
/// run with nothing in it; what is wrong then for lack of values is nobody's mistake. A name on a way
/// that this run does not take is found when the flow takes it.
fn unknown_filter(found: Found<'_>) -> Option<String> {
    let environment = environment(UndefinedBehavior::Chainable, FUEL / 10);
    let error = match found {
        Found::Expression(source) => {
            let expression = environment.compile_expression(source).ok()?;
            expression.eval(context! {}).err()?
        }
        Found::Text(source) => {
            let template = environment.template_from_str(source).ok()?;
            template.render(context! {}).err()?
        }
    };
    let unknown = matches!(
        error.kind(),
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
    );
    let what = error.detail().unwrap_or("something in it is unknown");
    unknown.then(|| format!("this template cannot work: {what}"))
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
