//! The strings of a config, each with what its schema says of it.

use super::is_template;
use crate::egress::Place;
use crate::schema::resolve as follow_ref;
use crate::source::pointer;
use serde_json::Value;

/// A string that is more than itself.
#[derive(Clone, Copy)]
pub(super) enum Found<'t> {
    /// Gives a value.
    Expression(&'t str),
    /// Gives text.
    Text(&'t str),
}

/// Every template and expression of a config, with its JSON Pointer.
pub(super) fn templates_in<'c>(config: &'c Value, schema: &Value) -> Vec<(String, Found<'c>)> {
    let mut all = Vec::new();
    visit(config, schema, schema, "", &mut |text, schemas, at| {
        let found = if schemas.iter().any(|it| it["format"] == "expression") {
            Found::Expression(text)
        } else if !is_template(text) {
            return;
        } else {
            match whole_expression(text) {
                Some(source) if !schemas.iter().any(|it| wants_text(it)) => {
                    Found::Expression(source)
                }
                _ => Found::Text(text),
            }
        };
        all.push((at.to_owned(), found));
    });
    all
}

/// Every literal text whose schema names a format, as JSON Pointer, format and text.
pub(crate) fn texts<'c, 's>(
    config: &'c Value,
    schema: &'s Value,
) -> Vec<(String, &'s str, &'c str)> {
    let mut all = Vec::new();
    visit(config, schema, schema, "", &mut |text, schemas, at| {
        let format = schemas.iter().find_map(|it| it.get("format")?.as_str());
        if let Some(format) = format
            && !is_template(text)
        {
            all.push((at.to_owned(), format, text));
        }
    });
    all
}

/// What names of secrets begin with, as ServisBOT writes them.
pub(crate) const SECRET_NAME: &str = "srn:";

/// Every text of a config, as it is written, that can be the name of a secret: it begins with `srn:`, holds
/// no template, and its schema or one above it says `"x-secrets"`: `header`, `query` or `body`, the part of a
/// request that the value goes into. With its JSON Pointer and the places in a request that it means.
pub(super) fn secrets_in(config: &Value, schema: &Value) -> Vec<ConfigSecret> {
    let mut all = Vec::new();
    visit_secrets(config, schema, (schema, None), "", &mut all);
    all
}

/// The name of a secret, where a designer wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigSecret {
    /// JSON Pointer into the config.
    pub(crate) pointer: String,
    pub(crate) name: String,
    /// Where in a request it may stand.
    pub(crate) places: Vec<Place>,
}

/// `part` is what the schema above says of secrets, and the length of the pointer to there.
fn visit_secrets<'s>(
    config: &Value,
    schema: &'s Value,
    (root, part): (&'s Value, Option<(&'s str, usize)>),
    at: &str,
    all: &mut Vec<ConfigSecret>,
) {
    let part = part.or_else(|| {
        let mut schemas = alternatives(root, schema).into_iter();
        let part = schemas.find_map(|it| it.get("x-secrets")?.as_str())?;
        Some((part, at.len()))
    });
    match config {
        Value::String(name) if name.starts_with(SECRET_NAME) && !is_template(name) => {
            if let Some((part, above)) = part {
                all.push(ConfigSecret {
                    pointer: at.to_owned(),
                    name: name.clone(),
                    places: places(part, &at[above..]),
                });
            }
        }
        Value::Array(items) => {
            let schema = below(root, schema, &|it| it.get("items"));
            for (index, item) in items.iter().enumerate() {
                let at = pointer(at, &index.to_string());
                visit_secrets(item, schema, (root, part), &at, all);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let schema = below_member(root, schema, key);
                visit_secrets(member, schema, (root, part), &pointer(at, key), all);
            }
        }
        _ => {}
    }
}

/// The places of a request that a text at a pointer goes into.
fn places(part: &str, below: &str) -> Vec<Place> {
    let name = || {
        below
            .trim_start_matches('/')
            .replace("~1", "/")
            .replace("~0", "~")
    };
    match part {
        "header" => vec![Place::header(&name())],
        "query" => vec![Place::Query(name())],
        "body" => Place::in_body(below),
        _ => Vec::new(),
    }
}

/// Calls `see` for every string with the schemas that may rule it, alternatives included.
fn visit<'c, 's>(
    config: &'c Value,
    schema: &'s Value,
    root: &'s Value,
    at: &str,
    see: &mut dyn FnMut(&'c str, &[&'s Value], &str),
) {
    match config {
        Value::String(text) => see(text, &alternatives(root, schema), at),
        Value::Array(items) => {
            let schema = below(root, schema, &|it| it.get("items"));
            for (index, item) in items.iter().enumerate() {
                visit(item, schema, root, &pointer(at, &index.to_string()), see);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let schema = below_member(root, schema, key);
                visit(member, schema, root, &pointer(at, key), see);
            }
        }
        _ => {}
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
    let mut all = Vec::new();
    gather(root, schema, &mut all);
    all
}

/// A schema may refer to itself; each is taken once.
fn gather<'s>(root: &'s Value, schema: &'s Value, all: &mut Vec<&'s Value>) {
    let schema = follow_ref(root, schema);
    if all.iter().any(|seen| std::ptr::eq(*seen, schema)) {
        return;
    }
    all.push(schema);
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let branches = schema.get(keyword).and_then(Value::as_array);
        for branch in branches.into_iter().flatten() {
            gather(root, branch, all);
        }
    }
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

fn below_member<'s>(root: &'s Value, schema: &'s Value, key: &str) -> &'s Value {
    below(root, schema, &|it| {
        it.get("properties")
            .and_then(|properties| properties.get(key))
            .or_else(|| it.get("additionalProperties"))
    })
}

fn wants_text(schema: &Value) -> bool {
    match &schema["type"] {
        Value::String(one) => one == "string",
        Value::Array(several) => several.iter().any(|one| one == "string"),
        _ => schema["enum"].is_array(),
    }
}
