//! Checking a document against a JSON Schema, with messages for people.
//!
//! Every mistake is reported, each at its own place. Where a schema offers alternatives, the
//! alternative that came nearest speaks.

use crate::diagnostic::{Diagnostic, did_you_mean, name_list};
use crate::source::{Document, Part, pointer};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

/// One way in which a value breaks a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// JSON Pointer to the value, or to the member for a member too many.
    pub(crate) pointer: String,
    /// Whether the message is about a member's key.
    pub(crate) part: Part,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Breach {
    /// As a diagnostic, for a value that stands at `base` of a document.
    #[must_use]
    pub(crate) fn diagnostic(
        &self,
        code: &'static str,
        document: &Document,
        base: &str,
    ) -> Diagnostic {
        let place = document.place_of(&format!("{base}{}", self.pointer), self.part);
        let mut diagnostic = Diagnostic::error(code, place, self.message.clone());
        diagnostic.help.clone_from(&self.help);
        diagnostic
    }
}

/// Compiles the schema of a Rust type.
pub(crate) fn of<T: schemars::JsonSchema>() -> (Value, Validator) {
    let schema = schemars::schema_for!(T).to_value();
    let validator = jsonschema::validator_for(&schema)
        .expect("a schema derived from a Rust type is a valid schema");
    (schema, validator)
}

/// Every way in which a value breaks a schema. `ignore` tells of values that are not checked, given
/// by pointer and value.
pub(crate) fn breaches(
    validator: &Validator,
    schema: &Value,
    value: &Value,
    ignore: &dyn Fn(&Value) -> bool,
) -> Vec<Breach> {
    let mut found = Vec::new();
    for error in validator.iter_errors(value) {
        explain(&error, schema, ignore, &mut found);
    }
    found.dedup();
    found
}

fn explain(
    error: &ValidationError<'_>,
    schema: &Value,
    ignore: &dyn Fn(&Value) -> bool,
    found: &mut Vec<Breach>,
) {
    let instance = error.instance();
    if ignore(instance) {
        return;
    }
    let at = error.instance_path().as_str().to_owned();
    let say = |message: String| Breach {
        pointer: at.clone(),
        part: Part::Value,
        message,
        help: None,
    };
    let name = at.rsplit('/').next().filter(|name| !name.is_empty());
    let subject = name.map_or_else(|| "this".to_owned(), |name| format!("'{name}'"));
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_members(schema, error);
            for name in unexpected {
                found.push(Breach {
                    pointer: pointer(&at, name),
                    part: Part::Key,
                    message: format!("'{name}' is not known here"),
                    help: did_you_mean(name, known.iter().map(String::as_str)).or_else(|| {
                        (!known.is_empty()).then(|| {
                            format!("known are {}", name_list(known.iter().map(String::as_str)))
                        })
                    }),
                });
            }
        }
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            found.push(Breach {
                help: Some(format!("add '{property}'")),
                ..say(format!("'{property}' is missing"))
            });
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            match nearest(context) {
                Some(branch) => {
                    for error in branch {
                        explain(error, schema, ignore, found);
                    }
                }
                None => found.push(say(format!(
                    "{subject} is {}, which does not fit",
                    brief(instance)
                ))),
            }
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options
                .as_array()
                .map(|options| options.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            let wrong = instance.as_str().unwrap_or_default();
            found.push(Breach {
                help: did_you_mean(wrong, options.iter().copied()),
                ..say(format!(
                    "{subject} is {}; it must be one of {}",
                    brief(instance),
                    name_list(options)
                ))
            });
        }
        ValidationErrorKind::Constant { expected_value } => {
            found.push(say(format!(
                "{subject} is {}; it must be {expected_value}",
                brief(instance)
            )));
        }
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(set) => set
                    .iter()
                    .map(|one| one.to_string())
                    .filter(|one| one != "null")
                    .collect::<Vec<_>>()
                    .join(" or "),
            };
            found.push(say(format!(
                "{subject} is {}; it must be of type {wanted}",
                brief(instance)
            )));
        }
        _ => found.push(say(format!("{subject}: {error}"))),
    }
}

/// The alternative that got furthest before it failed; none if all failed at the top.
fn nearest<'e>(
    branches: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e Vec<ValidationError<'static>>> {
    let not_null = branches.iter().filter(|errors| {
        !errors.iter().any(|error| {
            matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(one) } if one.to_string() == "null")
        })
    });
    let depth = |errors: &&Vec<ValidationError<'static>>| {
        errors
            .iter()
            .map(|error| error.instance_path().as_str().matches('/').count())
            .max()
            .unwrap_or_default()
    };
    not_null
        .filter(|errors| !errors.is_empty())
        .max_by_key(depth)
}

/// The members that the object with one too many may have.
fn known_members(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let keyword = error.schema_path().as_str();
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    let mut at = schema;
    for token in parent.split('/').skip(1) {
        at = resolve(schema, at);
        if token == "$ref" {
            continue;
        }
        let next = match at {
            Value::Array(items) => token.parse().ok().and_then(|at: usize| items.get(at)),
            _ => at.get(token.replace("~1", "/").replace("~0", "~")),
        };
        match next {
            Some(next) => at = next,
            None => return Vec::new(),
        }
    }
    resolve(schema, at)["properties"]
        .as_object()
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default()
}

/// Follows a local `$ref`.
pub(crate) fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(schema)
}

/// A value in a message: short, with its type where the value itself would not fit.
fn brief(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::String(text) if text.chars().count() > 40 => "a long text".to_owned(),
        other => other.to_string(),
    }
}
