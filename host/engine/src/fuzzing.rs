//! Entry points of the fuzz targets (`cargo xtask fuzz`) for everything a project is made of, and the
//! replay of their seeds.
//!
//! Whatever a file holds, loading it ends in a value or in messages that point into the file. None of
//! this exists in a normal build.

use crate::diagnostic::{Diagnostic, Place};
use crate::node::check_descriptor;
use crate::project::{Project, ProjectFiles, Span};
use crate::schema;
use crate::source::Document;
use crate::template::{self, Templates};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A JSON or TOML document: read as both.
pub fn documents(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for file in ["flows/main.json", "project.toml"] {
        match Document::parse(file, &text) {
            Ok(document) => places(&document),
            Err(diagnostic) => sane(&diagnostic, &BTreeMap::from([(file.to_owned(), &*text)])),
        }
    }
    let strict = serde_json::from_str::<Value>(&text);
    if let (Ok(document), Ok(value)) = (Document::parse("flows/main.json", &text), strict) {
        assert_eq!(document.value(), value, "two readings of one document");
    }
}

/// A project: its files one after the other, each after a line `== path`.
pub fn projects(bundle: &[u8]) {
    let bundle = String::from_utf8_lossy(bundle);
    let mut files = ProjectFiles::default();
    for part in bundle.split("== ").skip(1) {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        files.0.insert(path.trim().to_owned(), text.to_owned());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    if let Err(found) = runtime.block_on(Project::load(
        &files,
        &BTreeMap::new(),
        &crate::egress::Allowed::default(),
        None,
    )) {
        assert!(!found.is_empty(), "refused without a word");
        let texts: BTreeMap<String, &str> = files
            .0
            .iter()
            .map(|(path, text)| (path.clone(), text.as_str()))
            .collect();
        for diagnostic in &found {
            sane(diagnostic, &texts);
        }
    }
}

/// A template and an expression: a line with what they may read, as JSON, and their text.
pub fn templates(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let (scope, text) = input.split_once('\n').unwrap_or(("{}", &input));
    let scope: Value = serde_json::from_str(scope).unwrap_or_else(|_| json!({}));
    let schema = json!({"properties": {
        "text": {"type": "string"},
        "when": {"type": "string", "format": "expression"},
        "any": {},
    }});
    for member in ["text", "when", "any"] {
        let config = json!({ member: text });
        let mut templates = Templates::default();
        let wrong = templates.check(&config, &schema);
        for error in &wrong {
            assert_eq!(config.pointer(&error.pointer), config.get(member));
            assert!(error.code.starts_with("template."), "{error:?}");
        }
        let prepared = templates.prepare(config.clone(), &schema);
        match templates.resolve(&prepared, || scope.clone(), |_| None) {
            Ok(resolved) => {
                let value = serde_json::from_str::<Value>(&resolved);
                assert!(value.is_ok(), "resolved to what is not JSON: {resolved}");
            }
            Err(error) => assert!(error.code.starts_with("template."), "{error:?}"),
        }
    }
}

/// What a component says of itself.
pub fn descriptors(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match check_descriptor(&text) {
        Ok((descriptor, validator)) => {
            assert!(
                descriptor
                    .ports
                    .iter()
                    .all(|it| descriptor.has_port(&it.name))
            );
            // A schema that was taken must be able to judge, and to lead through a config.
            let config = example(&descriptor.config);
            drop(validator.validate(&config));
            drop(Templates::default().check(&config, &descriptor.config));
            drop(template::texts(&config, &descriptor.config));
            drop(schema::breaches(
                &validator,
                &descriptor.config,
                &config,
                &|_| false,
            ));
        }
        Err(why) => assert!(!why.is_empty(), "refused without a word"),
    }
}

/// A config that has every member the schema names, as text and as a list of texts.
fn example(schema: &Value) -> Value {
    let names = schema["properties"].as_object();
    let members = names.into_iter().flatten().flat_map(|(name, _)| {
        let list = json!([{ "{{ context.a }}": "{{ context.a }}" }]);
        [
            (name.clone(), json!("{{ context.a }}")),
            (format!("{name}s"), list),
        ]
    });
    Value::Object(members.collect())
}

/// A span of time as people write it.
pub fn spans(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    if let Err(error) = Span::parse(&text) {
        assert!(!error.to_string().is_empty(), "refused without a word");
    }
}

/// Every value of a document has a place in it.
fn places(document: &Document) {
    fn walk(document: &Document, value: &Value, pointer: &str) {
        let place = document.place(pointer);
        let texts = BTreeMap::from([(document.file().to_owned(), document.text())]);
        inside(&place, &texts);
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    walk(document, value, &crate::source::pointer(pointer, name));
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(document, value, &format!("{pointer}/{index}"));
                }
            }
            _ => {}
        }
    }
    walk(document, &document.value(), "");
}

fn sane(diagnostic: &Diagnostic, texts: &BTreeMap<String, &str>) {
    assert!(
        !diagnostic.to_string().is_empty(),
        "a message without words"
    );
    assert!(diagnostic.code.contains('.'), "{}", diagnostic.code);
    inside(&diagnostic.place, texts);
}

fn inside(place: &Place, texts: &BTreeMap<String, &str>) {
    let Some(text) = texts.get(&place.file) else {
        return;
    };
    let lines = text.matches('\n').count() + 1;
    assert!(
        place.line <= lines && place.span.start <= place.span.end && place.span.end <= text.len(),
        "a place outside its file: {place:?} of {lines} lines, {} bytes",
        text.len()
    );
}

#[cfg(test)]
mod tests {
    use fuzz_replay::replay;

    #[test]
    fn seeds_of_documents_hold() {
        replay("documents", super::documents);
    }

    #[test]
    fn seeds_of_projects_hold() {
        replay("projects", super::projects);
    }

    #[test]
    fn seeds_of_templates_hold() {
        replay("templates", super::templates);
    }

    #[test]
    fn seeds_of_descriptors_hold() {
        replay("descriptors", super::descriptors);
    }

    #[test]
    fn seeds_of_spans_hold() {
        replay("spans", super::spans);
    }
}
