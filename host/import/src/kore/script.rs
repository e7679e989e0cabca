//! Calls of `agentUtils.setMetaInfo` in Kore.ai's scripts.
//!
//! Scripts are parsed, not run: `{ EmployeeID: context.entities.EmployeeID }` becomes a template. What only
//! running would tell, such as what a function gives back, is left out and said.

mod expression;

use crate::{ImportError, Source};
use expression::Expressions;
use handoff_engine::diagnostic::{Diagnostic, Place};
use handoff_engine::source::{Document, place_at, pointer};
use serde_json::{Map, Value as Json};
use std::ops::Range;
use tree_sitter::{Node, Parser};

pub(super) use expression::Value;

/// The key under which Kore.ai's Genesys agent looks for metadata.
const KEY: &str = "GenesysMetaData";

/// One call, as far as it can be carried over.
#[derive(Debug)]
pub(super) struct MetaInfo {
    pub(super) place: Place,
    pub(super) attributes: Vec<(String, Value)>,
}

impl MetaInfo {
    /// What it sets under a name, exactly.
    pub(super) fn attribute(&self, name: &str) -> Option<&Value> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(it, _)| it == name)
            .map(|(_, value)| value)
    }

    /// The members of the context that it reads, in order.
    pub(super) fn asks(&self) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .flat_map(|(_, value)| value.reads.iter().map(String::as_str))
    }

    /// The `data` of a `setMetaInfo` node.
    pub(super) fn data(&self) -> Map<String, Json> {
        let attributes = self.attributes.iter();
        attributes
            .map(|(name, value)| (name.clone(), value.template.clone()))
            .collect()
    }
}

/// A script, and where it stands.
struct Script<'s> {
    text: &'s str,
    stands: Stands<'s>,
}

#[derive(Clone, Copy)]
enum Stands<'s> {
    /// In a file of its own.
    File(&'s str),
    /// In a text of a JSON document.
    Member(&'s Document, &'s str),
}

impl Script<'_> {
    fn place(&self, span: Range<usize>) -> Place {
        match self.stands {
            Stands::File(file) => place_at(file, self.text, span),
            Stands::Member(document, at) => document.place(at),
        }
    }

    /// Behind a message: the line, where the place cannot tell it.
    fn line(&self, span: &Range<usize>) -> String {
        match self.stands {
            Stands::File(_) => String::new(),
            Stands::Member(..) => {
                let line = place_at("", self.text, span.clone()).line;
                format!(" (line {line} of the script)")
            }
        }
    }

    fn note(&self, code: &'static str, node: Node<'_>, message: &str, help: &str) -> Diagnostic {
        let span = node.byte_range();
        let line = self.line(&span);
        Diagnostic::warning(code, self.place(span), format!("{message}{line}")).help(help)
    }
}

/// Every call in these files, in order. What is left out of them is noted.
pub(super) fn read(
    sources: &[Source],
    notes: &mut Vec<Diagnostic>,
) -> Result<Vec<MetaInfo>, ImportError> {
    let mut calls = Vec::new();
    for source in sources {
        let before = calls.len();
        if source.file.ends_with(".json") {
            let document = Document::parse(&source.file, &source.text)?;
            let mut texts = Vec::new();
            texts_in(&document.value(), String::new(), &mut texts);
            for (at, text) in &texts {
                let stands = Stands::Member(&document, at);
                calls_in(&Script { text, stands }, notes, &mut calls);
            }
        } else {
            let stands = Stands::File(&source.file);
            let text = &source.text;
            calls_in(&Script { text, stands }, notes, &mut calls);
        }
        if calls.len() == before {
            notes.push(
                Diagnostic::warning(
                    "import.no_metadata",
                    Place::file(&source.file),
                    "there is no metadata for Genesys in this file",
                )
                .help(format!(
                    "scripts set it by agentUtils.setMetaInfo(\"{KEY}\", JSON.stringify({{ … }}))"
                )),
            );
        }
    }
    Ok(calls)
}

/// Every text that may be a script that sets metadata, with its JSON Pointer.
fn texts_in(value: &Json, at: String, found: &mut Vec<(String, String)>) {
    match value {
        Json::String(text) if text.contains("agentUtils.setMetaInfo") => {
            found.push((at, text.clone()));
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts_in(item, format!("{at}/{index}"), found);
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                texts_in(member, pointer(&at, name), found);
            }
        }
        _ => {}
    }
}

fn calls_in(script: &Script<'_>, notes: &mut Vec<Diagnostic>, calls: &mut Vec<MetaInfo>) {
    let mut parser = Parser::new();
    let language = tree_sitter_javascript::LANGUAGE.into();
    let tree = match parser.set_language(&language) {
        Ok(()) => parser.parse(script.text, None),
        Err(_) => None,
    };
    // The parser gives none only if it is stopped, or has no language.
    let Some(tree) = tree else { return };
    let nodes = in_order(tree.root_node());
    let broken = nodes.iter().find(|it| it.is_error() || it.is_missing());
    if let Some(broken) = broken {
        notes.push(script.note(
            "import.bad_script",
            *broken,
            "the script is not right here",
            "what it sets nearby may be missing; compare",
        ));
    }
    let expressions = Expressions::new(script.text, &nodes);
    for node in &nodes {
        if let Some(arguments) = expressions.arguments_of(*node, &["agentUtils", "setMetaInfo"]) {
            calls.extend(one_call(script, &expressions, *node, &arguments, notes));
        }
    }
}

fn one_call(
    script: &Script<'_>,
    expressions: &Expressions<'_, '_>,
    call: Node<'_>,
    arguments: &[Node<'_>],
    notes: &mut Vec<Diagnostic>,
) -> Option<MetaInfo> {
    let &[key, data] = arguments else {
        notes.push(script.note(
            "import.not_carried",
            call,
            "this call was left out: it does not have two arguments",
            &format!("write agentUtils.setMetaInfo(\"{KEY}\", JSON.stringify({{ … }}))"),
        ));
        return None;
    };
    let named = expressions.value(key).ok();
    if named.as_ref().and_then(Value::literal) != Some(KEY) {
        notes.push(script.note(
            "import.other_key",
            key,
            "this call was left out: its key is none that Genesys gets",
            &format!("Kore.ai's Genesys agent reads \"{KEY}\", in exactly these letters"),
        ));
        return None;
    }
    if expressions.is_conditional(call) {
        notes.push(script.note(
            "import.conditional",
            call,
            "this metadata was left out: the script sets it only sometimes",
            "set it by a node 'setMetaInfo' behind a node 'branch'",
        ));
        return None;
    }
    for touch in expressions.touches(data, call.start_byte()) {
        notes.push(script.note(
            "import.not_carried",
            touch,
            "what this does to the metadata was left out: it is known only when the script runs",
            "compare what the script sets with the node 'setMetaInfo'",
        ));
    }
    let Some(members) = expressions.members(data, call.start_byte()) else {
        notes.push(script.note(
            "import.not_carried",
            data,
            "this metadata was left out: what it holds is known only when the script runs",
            "set it by a node 'setMetaInfo'",
        ));
        return None;
    };
    let mut attributes: Vec<(String, Value)> = Vec::new();
    for member in members {
        let Some(name) = member.name else {
            notes.push(script.note(
                "import.not_carried",
                member.value,
                "this was left out of the metadata: its name is known only when the script runs",
                "set it by a node 'setMetaInfo'",
            ));
            continue;
        };
        if member.conditional {
            notes.push(script.note(
                "import.conditional",
                member.value,
                &format!(
                    "'{name}' was left out of the metadata: the script sets it only sometimes"
                ),
                "set it by a node 'setMetaInfo' behind a node 'branch'",
            ));
            continue;
        }
        attributes.retain(|(it, _)| *it != name);
        match expressions.value(member.value) {
            Ok(value) => attributes.push((name, value)),
            Err(unknown) => notes.push(script.note(
                "import.not_carried",
                unknown.0,
                &format!("'{name}' was left out of the metadata: its value is known only when the script runs"),
                "keep the value in the context and write {{ context.NAME }}",
            )),
        }
    }
    (!attributes.is_empty()).then(|| MetaInfo {
        place: script.place(call.byte_range()),
        attributes,
    })
}

/// A node and all below it, as they stand in the text.
fn in_order(root: Node<'_>) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    let mut cursor = root.walk();
    loop {
        nodes.push(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return nodes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What a value of the metadata becomes; none if it is left out.
    fn value_of(expression: &str) -> Option<Json> {
        let script = format!(
            "var once = 'one'; var twice = 'a'; twice = 'b';\n\
             agentUtils.setMetaInfo('GenesysMetaData', JSON.stringify({{ x: {expression} }}));"
        );
        let source = Source {
            file: "script.js".to_owned(),
            text: script,
        };
        let mut notes = Vec::new();
        let calls = read(&[source], &mut notes).expect("read");
        let value = calls.first().and_then(|call| call.attribute("x"));
        assert_eq!(
            value.is_none(),
            !notes.is_empty(),
            "left out without a word: {notes:?}"
        );
        value.map(|value| value.template.clone())
    }

    #[test]
    fn what_a_script_holds_is_carried_over_and_what_only_running_it_tells_is_not() {
        for (expression, becomes) in [
            ("'text'", json!("text")),
            (r#""\u00e9t\x41\n\"q\"""#, json!("étA\n\"q\"")),
            ("42", json!(42)),
            ("1.5", json!(1.5)),
            ("true", json!(true)),
            ("null", json!(null)),
            ("['a', 1]", json!(["a", 1])),
            ("{ \"y\": { z: 'deep' } }", json!({ "y": { "z": "deep" } })),
            ("('in brackets')", json!("in brackets")),
            ("once", json!("one")),
            ("'a' + once + 1", json!("aone1")),
            ("context.entities.City", json!("{{ context.City }}")),
            ("context[\"entities\"]['City']", json!("{{ context.City }}")),
            (
                "context.entities.Home.City",
                json!("{{ context.Home_City }}"),
            ),
            (
                "context.session.UserSession.plan",
                json!("{{ context.plan }}"),
            ),
            ("context.entities.Id.toString()", json!("{{ context.Id }}")),
            ("String(context.entities.Id)", json!("{{ context.Id }}")),
            (
                "`${context.entities.Id}: ${once}`",
                json!("{{ context.Id }}: one"),
            ),
            (
                "context.entities.City || 'nowhere'",
                json!("{{ context.City | default(\"nowhere\", true) }}"),
            ),
            (
                "context.entities.City ?? 0",
                json!("{{ context.City | default(0) }}"),
            ),
            ("'{{ secret }}'", json!("{{ \"{{ secret }}\" }}")),
        ] {
            assert_eq!(value_of(expression), Some(becomes), "{expression}");
        }
        for expression in [
            "twice",
            "unknown",
            "1 + 2",
            "0x10",
            "new Date()",
            "context.getIt()",
            "context.entities[key]",
            "koreUtil.now()",
            "a ? 'b' : 'c'",
            "() => 1",
            "process.env.HOME",
        ] {
            assert_eq!(value_of(expression), None, "{expression}");
        }
    }

    #[test]
    fn scripts_that_never_end_to_resolve_are_left_out() {
        assert_eq!(value_of("y"), None);
        let deep = "(".repeat(5_000) + "1" + &")".repeat(5_000);
        assert_eq!(value_of(&deep), None);
    }
}
