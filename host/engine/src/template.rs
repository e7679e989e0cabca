//! Templates and expressions in a node's config, resolved before the node is called.
//!
//! A string that holds `{{ }}` or `{% %}` is a minijinja template, and a string whose schema says
//! `"format": "expression"` is a minijinja expression. Where the schema wants text, a template gives
//! text; elsewhere a string that is one whole `{{ expression }}` gives that expression's value, type
//! and all. Undefined is an error, and an endless loop runs out of fuel.

use crate::diagnostic::{did_you_mean, name_list};
use crate::schema::resolve as follow_ref;
use crate::source::pointer;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;

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

/// A template that does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// JSON Pointer into the config.
    pub pointer: String,
    /// Stable code: `template.syntax`, `template.undefined`, `template.failed`.
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
}

impl Default for Templates {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_syntax(
            SyntaxConfig::builder()
                .keep_trailing_newline(true)
                .build()
                .expect("the default delimiters are valid"),
        );
        Self { environment }
    }
}

/// Whether a text is a template rather than itself.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Whether a value holds a template anywhere.
#[must_use]
pub fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text),
        Value::Array(items) => items.iter().any(holds_template),
        Value::Object(members) => members.values().any(holds_template),
        _ => false,
    }
}

enum Found<'t> {
    Expression(&'t str),
    Text(&'t str),
}

impl Templates {
    /// Every template of a config that cannot work whatever the session holds.
    #[must_use]
    pub fn check(&self, config: &Value, schema: &Value) -> Vec<TemplateError> {
        let mut errors = Vec::new();
        walk(config, schema, schema, "", &mut |found, at| {
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
            match names {
                Err(error) => errors.push(TemplateError {
                    pointer: at.to_owned(),
                    code: "template.syntax",
                    message: format!("this template does not parse: {}", reason(&error)),
                    help: None,
                }),
                Ok(names) => {
                    let mut unknown: Vec<String> = names
                        .into_iter()
                        .filter(|name| !self.is_known(name))
                        .collect();
                    unknown.sort();
                    for name in unknown {
                        errors.push(TemplateError {
                            pointer: at.to_owned(),
                            code: "template.undefined",
                            message: format!("'{name}' is not something a template can read"),
                            help: Some(format!(
                                "for a key of the flow context write 'context.{name}'; templates \
                                 can read {}",
                                name_list(ROOTS)
                            )),
                        });
                    }
                }
            }
            Ok(Value::Null)
        })
        .ok();
        errors
    }

    fn is_known(&self, name: &str) -> bool {
        ROOTS.contains(&name) || self.environment.globals().any(|(global, _)| global == name)
    }

    /// A config with every template and expression replaced by what it comes to.
    pub fn resolve(
        &self,
        config: &Value,
        schema: &Value,
        scope: &Value,
    ) -> Result<Value, TemplateError> {
        walk(config, schema, schema, "", &mut |found, at| {
            let result = match found {
                Found::Expression(source) => self
                    .environment
                    .compile_expression(source)
                    .and_then(|it| {
                        let value = it.eval(scope_value(scope))?;
                        if value.is_undefined() {
                            return Err(ErrorKind::UndefinedError.into());
                        }
                        serde_json::to_value(&value).map_err(|error| {
                            minijinja::Error::new(ErrorKind::BadSerialization, error.to_string())
                        })
                    })
                    .map_err(|error| (error, self.undeclared_in_expression(source))),
                Found::Text(source) => self
                    .environment
                    .template_from_str(source)
                    .and_then(|it| it.render(scope_value(scope)))
                    .map(Value::String)
                    .map_err(|error| (error, self.undeclared_in_text(source))),
            };
            match result {
                Ok(Value::String(text)) if text.len() > MAX_TEXT => Err(TemplateError {
                    pointer: at.to_owned(),
                    code: "template.failed",
                    message: format!("this template gives more than {MAX_TEXT} bytes"),
                    help: None,
                }),
                Ok(value) => Ok(value),
                Err((error, names)) => Err(failed(&error, &names, scope, at)),
            }
        })
    }

    fn undeclared_in_expression(&self, source: &str) -> Vec<String> {
        self.environment
            .compile_expression(source)
            .map(|it| it.undeclared_variables(true).into_iter().collect())
            .unwrap_or_default()
    }

    fn undeclared_in_text(&self, source: &str) -> Vec<String> {
        self.environment
            .template_from_str(source)
            .map(|it| it.undeclared_variables(true).into_iter().collect())
            .unwrap_or_default()
    }
}

fn scope_value(scope: &Value) -> minijinja::Value {
    minijinja::Value::from(Serde(scope))
}

fn failed(error: &minijinja::Error, names: &[String], scope: &Value, at: &str) -> TemplateError {
    if error.kind() != ErrorKind::UndefinedError {
        return TemplateError {
            pointer: at.to_owned(),
            code: "template.failed",
            message: format!("this template failed: {}", reason(error)),
            help: None,
        };
    }
    let mut missing: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| {
            scope
                .pointer(&format!("/{}", name.replace('.', "/")))
                .is_none()
        })
        .collect();
    missing.sort_unstable();
    let Some(name) = missing.first() else {
        return TemplateError {
            pointer: at.to_owned(),
            code: "template.undefined",
            message: format!(
                "something in this template is not defined: {}",
                reason(error)
            ),
            help: None,
        };
    };
    let help = name.strip_prefix("context.").map(|key| {
        let keys = scope["context"]
            .as_object()
            .map(|keys| keys.keys().map(String::as_str).collect::<Vec<_>>())
            .unwrap_or_default();
        let near = did_you_mean(key, keys.iter().copied()).map_or_else(
            || format!("the context holds {}", name_list(keys.iter().copied())),
            |near| near,
        );
        format!("{near}; set it in an earlier node, or write '{{{{ {name} | default('') }}}}'")
    });
    TemplateError {
        pointer: at.to_owned(),
        code: "template.undefined",
        message: format!("'{name}' is not defined here"),
        help,
    }
}

fn reason(error: &minijinja::Error) -> String {
    let kind = error.kind();
    error
        .detail()
        .map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"))
}

/// Rebuilds a config, with each template in it replaced by what `replace` makes of it.
fn walk(
    config: &Value,
    schema: &Value,
    root: &Value,
    at: &str,
    replace: &mut dyn FnMut(Found<'_>, &str) -> Result<Value, TemplateError>,
) -> Result<Value, TemplateError> {
    match config {
        Value::String(text) if wants_expression(root, schema) => {
            replace(Found::Expression(text), at)
        }
        Value::String(text) if is_template(text) => match whole_expression(text) {
            Some(source) if !wants_text(root, schema) => replace(Found::Expression(source), at),
            _ => replace(Found::Text(text), at),
        },
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let schema = below(root, schema, &|it| it.get("items"));
                walk(
                    item,
                    schema,
                    root,
                    &pointer(at, &index.to_string()),
                    replace,
                )
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| {
                let schema = below(root, schema, &|it| {
                    it.get("properties")
                        .and_then(|properties| properties.get(key))
                        .or_else(|| it.get("additionalProperties"))
                });
                let value = walk(member, schema, root, &pointer(at, key), replace)?;
                Ok((key.clone(), value))
            })
            .collect::<Result<serde_json::Map<_, _>, _>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

/// `expression` of a string that is `{{ expression }}` and nothing else.
fn whole_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let plain = !inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%");
    plain.then(|| inner.trim_matches('-').trim())
}

/// The schema itself and its alternatives, references followed.
fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let schema = follow_ref(root, schema);
    let mut all = vec![schema];
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array);
        for branch in branches.into_iter().flatten() {
            all.extend(alternatives(root, branch));
        }
    }
    all
}

fn below<'s>(
    root: &'s Value,
    schema: &'s Value,
    member: &dyn Fn(&'s Value) -> Option<&'s Value>,
) -> &'s Value {
    static ANY: Value = Value::Null;
    alternatives(root, schema)
        .into_iter()
        .find_map(member)
        .unwrap_or(&ANY)
}

/// Whether a string at this place is an expression.
pub(crate) fn wants_expression(root: &Value, schema: &Value) -> bool {
    alternatives(root, schema)
        .iter()
        .any(|schema| schema["format"] == "expression")
}

fn wants_text(root: &Value, schema: &Value) -> bool {
    alternatives(root, schema)
        .iter()
        .any(|schema| match &schema["type"] {
            Value::String(one) => one == "string",
            Value::Array(several) => several.iter().any(|one| one == "string"),
            _ => schema["enum"].is_array(),
        })
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

    #[test]
    fn text_stays_text_and_values_keep_their_type() {
        let config = json!({
            "text": "{{ context.age }}",
            "when": "context.age >= 18",
            "count": "{{ context.age + 1 }}",
            "values": {"tags": "{{ context.tags }}", "hello": "Hi {{ context.name }}"},
            "names": ["{{ context.name }}", "plain"],
        });
        let resolved = Templates::default().resolve(&config, &schema(), &scope());
        assert_eq!(
            resolved.expect("resolves"),
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
        let error = Templates::default()
            .resolve(&config, &schema(), &scope())
            .expect_err("undefined");
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
        let resolved = Templates::default().resolve(&config, &schema(), &scope());
        assert_eq!(resolved.expect("resolves")["text"], "Hi you");
    }

    #[test]
    fn an_endless_template_runs_out_of_fuel() {
        let config = json!({"text":
            "{% for a in range(10000) %}{% for b in range(10000) %}{{ b }}{% endfor %}{% endfor %}"});
        let error = Templates::default()
            .resolve(&config, &schema(), &scope())
            .expect_err("out of fuel");
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
        let found: Vec<(&str, &str)> = errors
            .iter()
            .map(|error| (error.pointer.as_str(), error.code))
            .collect();
        assert_eq!(
            found,
            [
                ("/text", "template.undefined"),
                ("/when", "template.syntax"),
                ("/names/0", "template.syntax"),
            ]
        );
    }
}
