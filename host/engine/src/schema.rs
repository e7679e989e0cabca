//! Checking a document against a JSON Schema, with messages for people.
//!
//! Every mistake is reported, each at its own place. Where a schema offers alternatives, the
//! alternative that came nearest speaks.

use crate::diagnostic::{Diagnostic, did_you_mean, name_list};
use crate::source::{Document, Part, pointer};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
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
    let subject = subject(&at);
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
            if let Some(expected) = expected(schema, error)
                && !instance.is_object()
            {
                found.push(say(format!("{subject} must be {expected}")));
                return;
            }
            match choose(context) {
                Choice::Branch(branch) => {
                    for error in branch {
                        explain(error, schema, ignore, found);
                    }
                }
                Choice::Tag { at, given, options } => found.push(one_of(at, given, options)),
                Choice::None => found.push(say(format!(
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
            found.push(one_of(&at, instance, options));
        }
        ValidationErrorKind::Constant { expected_value } => {
            found.push(say(format!(
                "{subject} is {}; it must be {expected_value}",
                brief(instance)
            )));
        }
        ValidationErrorKind::Type { kind } => {
            let wanted: Vec<&str> = match kind {
                TypeKind::Single(one) => vec![in_words(*one)],
                TypeKind::Multiple(set) => set
                    .iter()
                    .filter(|one| *one != JsonType::Null)
                    .map(in_words)
                    .collect(),
            };
            found.push(say(format!(
                "{subject} is {}; it must be {}",
                brief(instance),
                wanted.join(" or ")
            )));
        }
        _ => found.push(say(format!("{subject}: {error}"))),
    }
}

/// What to say of a value that fits none of several alternatives.
enum Choice<'e> {
    /// The one that was meant speaks.
    Branch(&'e [ValidationError<'static>]),
    /// A tag decides among them, and no alternative has this one.
    Tag {
        at: &'e str,
        given: &'e Value,
        options: Vec<&'e str>,
    },
    /// None of them comes near.
    None,
}

/// Finds the alternative that was meant: the only one whose tag is right, or else the one that got
/// furthest before it failed.
fn choose<'e>(branches: &'e [Vec<ValidationError<'static>>]) -> Choice<'e> {
    let branches: Vec<&'e [ValidationError<'static>]> = branches
        .iter()
        .map(Vec::as_slice)
        .filter(|errors| !errors.is_empty() && !errors.iter().any(wants_null))
        .collect();
    let wrong_tags: Vec<_> = branches
        .iter()
        .filter_map(|errors| errors.iter().find_map(wrong_tag))
        .collect();
    match wrong_tags.as_slice() {
        [] => {}
        [(error, _), ..] if wrong_tags.len() == branches.len() => {
            return Choice::Tag {
                at: error.instance_path().as_str(),
                given: error.instance(),
                options: wrong_tags.iter().map(|(_, tag)| *tag).collect(),
            };
        }
        _ => {
            let right = branches
                .iter()
                .find(|errors| errors.iter().find_map(wrong_tag).is_none());
            return right.map_or(Choice::None, |errors| Choice::Branch(errors));
        }
    }
    let depth = |errors: &&&[ValidationError<'static>]| {
        errors
            .iter()
            .map(|error| error.instance_path().as_str().matches('/').count())
            .max()
            .unwrap_or_default()
    };
    let nearest = branches.iter().max_by_key(depth);
    nearest.map_or(Choice::None, |errors| Choice::Branch(errors))
}

fn wants_null(error: &ValidationError<'static>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::Type {
            kind: TypeKind::Single(JsonType::Null)
        }
    )
}

/// A text that is not the constant an alternative wants, and that constant.
fn wrong_tag<'e>(
    error: &'e ValidationError<'static>,
) -> Option<(&'e ValidationError<'static>, &'e str)> {
    match error.kind() {
        ValidationErrorKind::Constant { expected_value } => {
            expected_value.as_str().map(|tag| (error, tag))
        }
        _ => None,
    }
}

/// A value that is none of those it may be.
fn one_of(at: &str, given: &Value, options: Vec<&str>) -> Breach {
    let (subject, given_text) = (subject(at), brief(given));
    Breach {
        pointer: at.to_owned(),
        part: Part::Value,
        help: did_you_mean(given.as_str().unwrap_or_default(), options.iter().copied()),
        message: match options.as_slice() {
            [one] => format!("{subject} is {given_text}; it must be \"{one}\""),
            _ => format!(
                "{subject} is {given_text}; it must be one of {}",
                name_list(options)
            ),
        },
    }
}

fn subject(at: &str) -> String {
    match at.rsplit('/').next() {
        None | Some("") => "this".to_owned(),
        Some(name) => format!("'{}'", name.replace("~1", "/").replace("~0", "~")),
    }
}

/// A JSON type as people call it.
fn in_words(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list, in [ ]",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object, in { }",
        JsonType::String => "text, in quotes",
    }
}

/// What a schema says in its own words that a value must be. A value that may be a secret is not
/// repeated, so such schemas carry an `x-expected`.
fn expected<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Option<&'s str> {
    schema_of(schema, error)?.get("x-expected")?.as_str()
}

/// The members that the object with one too many may have.
fn known_members(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    schema_of(schema, error)
        .and_then(|schema| schema["properties"].as_object())
        .map(|members| members.keys().cloned().collect())
        .unwrap_or_default()
}

/// The schema whose keyword failed.
fn schema_of<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Option<&'s Value> {
    let keyword = error.schema_path().as_str();
    let parent = keyword.rsplit_once('/').map_or("", |(parent, _)| parent);
    let mut at = schema;
    for token in parent.split('/').skip(1) {
        at = resolve(schema, at);
        if token == "$ref" {
            continue;
        }
        at = match at {
            Value::Array(items) => token.parse().ok().and_then(|at: usize| items.get(at)),
            _ => at.get(token.replace("~1", "/").replace("~0", "~")),
        }?;
    }
    Some(resolve(schema, at))
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
