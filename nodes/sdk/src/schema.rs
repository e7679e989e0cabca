//! The JSON Schema of a config type, tidied for people and forms.
//!
//! What `schemars` makes is right, but shaped by Rust: an `Option` may be null, a field has no title,
//! a description keeps its line breaks. A designer leaves a field out instead of writing null, reads
//! titles, and sees text in a box of another width. Runs only in `describe`, never in a step.

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::Value;

/// The schema of a config type: draft 2020-12, without references.
pub(crate) fn of<C: JsonSchema>() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<C>();
    // The name of the Rust type, which says nothing to a designer.
    schema.remove("title");
    Tidy.transform(&mut schema);
    schema
}

struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        drop_null(schema);
        unwrap_lines(schema);
        name_properties(schema);
        drop_rust_formats(schema);
        transform_subschemas(self, schema);
    }
}

/// Optional means that a field may be left out, not that it may be null.
fn drop_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
    let Some(Value::Array(mut options)) = schema.remove("anyOf") else {
        return;
    };
    options.retain(|option| option.get("type") != Some(&Value::from("null")));
    match options.pop() {
        Some(Value::Object(only)) if options.is_empty() => {
            for (key, value) in only {
                // What a field says of itself is nearer than what its type says.
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
        last => {
            options.extend(last);
            schema.insert("anyOf".into(), Value::Array(options));
        }
    }
}

/// A line break inside a paragraph belongs to the source file, not to the text.
fn unwrap_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs: Vec<_> = text
            .split("\n\n")
            .map(|part| part.replace('\n', " "))
            .collect();
        *text = paragraphs.join("\n\n");
    }
}

/// Gives every property without a title one made from its name: `saveTo` becomes "Save to".
fn name_properties(schema: &mut Schema) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        if let Value::Object(property) = property
            && !property.contains_key("title")
        {
            property.insert("title".into(), title(name).into());
        }
    }
}

/// `uint32` and the like are not formats of JSON Schema, and `minimum` says the same.
fn drop_rust_formats(schema: &mut Schema) {
    let is_rust = schema
        .get("format")
        .and_then(Value::as_str)
        .is_some_and(|format| format.starts_with("uint") || format.starts_with("int"));
    if is_rust {
        schema.remove("format");
    }
}

fn title(name: &str) -> String {
    let mut title = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if title.is_empty() {
            title.extend(letter.to_uppercase());
        } else if letter.is_uppercase() {
            title.push(' ');
            title.extend(letter.to_lowercase());
        } else {
            title.push(letter);
        }
    }
    title
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::{Expression, Identity};

    /// A thing
    /// on two lines.
    ///
    /// And a paragraph.
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[allow(dead_code)]
    struct Thing {
        /// Where the answer goes.
        save_to: Option<String>,
        identity: Option<Identity>,
        when: Expression<bool>,
        #[schemars(title = "Patience")]
        seconds: Option<NonZeroU32>,
    }

    #[test]
    fn a_schema_reads_as_a_form() {
        let schema = of::<Thing>().to_value();
        assert_eq!(
            schema["description"],
            "A thing on two lines.\n\nAnd a paragraph."
        );
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["when"]));
        let properties = &schema["properties"];
        assert_eq!(
            properties["saveTo"],
            json!({ "type": "string", "title": "Save to", "description": "Where the answer goes." })
        );
        assert_eq!(properties["when"]["format"], "expression");
        assert_eq!(
            properties["seconds"],
            json!({ "type": "integer", "minimum": 1, "title": "Patience" })
        );
        assert_eq!(
            properties["identity"]["properties"]["firstName"]["title"],
            "First name"
        );
    }

    #[test]
    fn a_schema_has_no_references_and_no_null() {
        let text = of::<Thing>().to_value().to_string();
        assert!(!text.contains("$ref") && !text.contains("null"), "{text}");
    }
}
