//! JSON and TOML documents that remember where each value stands.
//!
//! Both are read into one tree, so that a message about `/nodes/ask1/config` can point at a line
//! whichever format the file has.

#![expect(
    clippy::result_large_err,
    reason = "a file is parsed once, and a mistake in it ends the load"
)]

use crate::diagnostic::{Diagnostic, Place};
use indexmap::IndexMap;
use serde_json::Value;
use std::ops::Range;

/// A file that parsed.
#[derive(Clone, Debug)]
pub struct Document {
    file: String,
    text: String,
    root: Located,
    /// What lies over it, the topmost last.
    over: Vec<Document>,
}

#[derive(Clone, Debug)]
struct Located {
    span: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Scalar(Value),
    Array(Vec<Located>),
    Object(IndexMap<String, (Range<usize>, Located)>),
}

/// Which part of a member a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its key.
    Key,
    /// Its value.
    Value,
}

impl Document {
    /// Reads a file by its ending: `.json` or `.toml`.
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostic> {
        if let Some(at) = too_deep(text) {
            let message =
                format!("lists, tables and dotted keys are nested more than {MAX_DEPTH} deep here");
            return Err(Diagnostic::error(
                "file.too_deep",
                place_at(file, text, at..at),
                message,
            ));
        }
        let root = if file.ends_with(".toml") {
            parse_toml(file, text)?
        } else {
            parse_json(file, text)?
        };
        Ok(Self {
            file: file.to_owned(),
            text: text.to_owned(),
            root,
            over: Vec::new(),
        })
    }

    /// The file's name, relative to the project.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The document as a plain value.
    #[must_use]
    pub fn value(&self) -> Value {
        let mut value = self.root.value();
        for over in &self.over {
            lay_over(&mut value, over.value());
        }
        value
    }

    /// This document with members of another one laid over it. Where both have a table the entries of the
    /// other one are added to it or replace those of the same name, each as a whole.
    #[must_use]
    pub fn under(&self, over: &Self, members: &[&str]) -> Self {
        let mut over = over.clone();
        if let Kind::Object(all) = &mut over.root.kind {
            all.retain(|name, _| members.contains(&name.as_str()));
        }
        let mut both = self.clone();
        both.over.push(over);
        both
    }

    /// Where the value at a JSON Pointer stands, or the nearest value around it.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Place {
        self.place_of(pointer, Part::Value)
    }

    /// Where the key or the value at a JSON Pointer stands.
    #[must_use]
    pub fn place_of(&self, pointer: &str, part: Part) -> Place {
        let tokens = pointer.split('/').skip(1).count();
        let rules = |over: &&Self| over.follow(pointer, part).1 >= tokens.clamp(1, 2);
        let document = self.over.iter().rev().find(rules).unwrap_or(self);
        document.place_at(document.follow(pointer, part).0)
    }

    /// Follows a JSON Pointer as far as it leads: where that is, and how many tokens it took.
    fn follow(&self, pointer: &str, part: Part) -> (Range<usize>, usize) {
        let mut at = &self.root;
        let mut span = at.span.clone();
        let mut taken = 0;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let step = match &at.kind {
                Kind::Object(members) => members.get(&token).map(|(key, value)| (key, value)),
                Kind::Array(items) => token
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.get(index))
                    .map(|item| (&item.span, item)),
                Kind::Scalar(_) => None,
            };
            let Some((key, value)) = step else { break };
            at = value;
            taken += 1;
            span = match part {
                Part::Key => key.clone(),
                Part::Value => value.span.clone(),
            };
        }
        (span, taken)
    }

    fn place_at(&self, span: Range<usize>) -> Place {
        place_at(&self.file, &self.text, span)
    }
}

impl Located {
    fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Array(items) => items.iter().map(Self::value).collect(),
            Kind::Object(members) => members
                .iter()
                .map(|(key, (_, value))| (key.clone(), value.value()))
                .collect(),
        }
    }
}

/// Lays the members of one object over another one's, and the entries of tables that both have.
fn lay_over(under: &mut Value, over: Value) {
    let (Value::Object(under), Value::Object(over)) = (under, over) else {
        return;
    };
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(Value::Object(table)), Value::Object(entries)) => table.extend(entries),
            (_, value) => {
                under.insert(name, value);
            }
        }
    }
}

/// The place of some bytes of a text.
#[must_use]
pub fn place_at(file: &str, text: &str, span: Range<usize>) -> Place {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        file: file.to_owned(),
        span,
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// Appends a token to a JSON Pointer.
#[must_use]
pub fn pointer(parent: &str, token: &str) -> String {
    format!("{parent}/{}", token.replace('~', "~0").replace('/', "~1"))
}

/// How deep a file may nest. Parsers recurse, and a file of brackets would overflow the stack.
const MAX_DEPTH: usize = 120;

/// Where a text nests too deep in brackets or dotted keys, quoted texts left out. What is not JSON or
/// TOML may be misread here, from where the parser stops at it.
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut dots) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at = quoted_end(bytes, at);
                continue;
            }
            b'#' => {
                let line = bytes[at..].iter().position(|b| *b == b'\n');
                at = line.map_or(bytes.len(), |length| at + length);
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'.' => dots += 1,
            b',' | b'\n' => dots = 0,
            _ => {}
        }
        if depth.max(dots) > MAX_DEPTH {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Where the text in quotes that begins here is over. One in three quotes may span lines; the others
/// end with theirs at the latest.
fn quoted_end(bytes: &[u8], from: usize) -> usize {
    let quote = bytes[from];
    let is_quote = |at: usize| bytes.get(at) == Some(&quote);
    let long = is_quote(from + 1) && is_quote(from + 2);
    let mut at = from + if long { 3 } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if !long => return at,
            _ if byte == quote && !long => return at + 1,
            _ if byte == quote && is_quote(at + 1) && is_quote(at + 2) => {
                at += 3;
                // Up to two more belong to the text.
                return at
                    + usize::from(is_quote(at))
                    + usize::from(is_quote(at) && is_quote(at + 1));
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn parse_json(file: &str, text: &str) -> Result<Located, Diagnostic> {
    use jsonc_parser::common::Ranged;
    let strict = jsonc_parser::ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let collect = jsonc_parser::CollectOptions::default();
    let parsed = jsonc_parser::parse_to_ast(text, &collect, &strict).map_err(|error| {
        let range = error.range();
        Diagnostic::error(
            "file.bad_json",
            place_at(file, text, range.start..range.end),
            format!("this is not JSON: {}", error.kind()),
        )
    })?;
    let Some(root) = parsed.value else {
        return Err(Diagnostic::error(
            "file.empty",
            Place::file(file),
            "the file is empty; a JSON object is expected",
        ));
    };
    return locate(file, text, &root);

    fn locate(
        file: &str,
        text: &str,
        value: &jsonc_parser::ast::Value<'_>,
    ) -> Result<Located, Diagnostic> {
        use jsonc_parser::ast::Value as Ast;
        let range = value.range();
        let span = range.start..range.end;
        let kind = match value {
            Ast::Object(object) => {
                let mut members = IndexMap::new();
                for member in &object.properties {
                    let name = member.name.as_str().to_owned();
                    let range = member.name.range();
                    let key = range.start..range.end;
                    let located = locate(file, text, &member.value)?;
                    if members
                        .insert(name.clone(), (key.clone(), located))
                        .is_some()
                    {
                        return Err(duplicate_key(&name, place_at(file, text, key)));
                    }
                }
                Kind::Object(members)
            }
            Ast::Array(array) => Kind::Array(
                array
                    .elements
                    .iter()
                    .map(|element| locate(file, text, element))
                    .collect::<Result<_, _>>()?,
            ),
            scalar => Kind::Scalar(serde_json::from_str(&text[span.clone()]).map_err(|error| {
                Diagnostic::error(
                    "file.bad_json",
                    place_at(file, text, span.clone()),
                    format!("this is not JSON: {error} ({scalar:?})"),
                )
            })?),
        };
        Ok(Located { span, kind })
    }
}

fn duplicate_key(name: &str, place: Place) -> Diagnostic {
    let message = format!("'{name}' stands twice here, and only one could count");
    Diagnostic::error("file.duplicate_key", place, message).help("remove or rename one of them")
}

fn parse_toml(file: &str, text: &str) -> Result<Located, Diagnostic> {
    use toml::de::{DeTable, DeValue};
    let parsed = DeTable::parse(text).map_err(|error| {
        let place = error
            .span()
            .map_or_else(|| Place::file(file), |span| place_at(file, text, span));
        if error.message() == "duplicate key" {
            let key = text.get(place.span.clone()).unwrap_or_default();
            return duplicate_key(key, place);
        }
        let message = format!("this is not TOML: {}", error.message());
        Diagnostic::error("file.bad_toml", place, message)
    })?;
    let span = parsed.span();
    return Ok(table(span, parsed.get_ref()));

    fn table(span: Range<usize>, members: &DeTable<'_>) -> Located {
        let members = members
            .iter()
            .map(|(key, value)| {
                let located = locate(value.span(), value.get_ref());
                (key.get_ref().to_string(), (key.span(), located))
            })
            .collect();
        Located {
            span,
            kind: Kind::Object(members),
        }
    }

    fn locate(span: Range<usize>, value: &DeValue<'_>) -> Located {
        let scalar = match value {
            DeValue::Table(members) => return table(span, members),
            DeValue::Array(items) => {
                return Located {
                    span,
                    kind: Kind::Array(
                        items
                            .iter()
                            .map(|item| locate(item.span(), item.get_ref()))
                            .collect(),
                    ),
                };
            }
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Datetime(at) => Value::String(at.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Value::String(number.to_string()), Value::from),
            DeValue::Float(number) => number
                .as_str()
                .parse::<f64>()
                .map_or_else(|_| Value::String(number.to_string()), Value::from),
        };
        Located {
            span,
            kind: Kind::Scalar(scalar),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_brackets_or_dots_is_refused_before_it_is_parsed() {
        let deep =
            |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
        for (file, text) in [
            ("a.json", deep("[", "]")),
            ("a.json", deep("{\"a\":", "}")),
            ("a.json", deep("[", "")),
            ("a.toml", format!("a = {}", deep("[", "]"))),
            ("a.toml", format!("a = {}", deep("{a=", "}"))),
            ("a.toml", format!("{}a = 1", deep("a.", ""))),
            ("a.toml", format!("[{}a]", deep("a.", ""))),
            ("a.toml", format!("[{}a]", deep("\"a\".", ""))),
            ("a.toml", format!("# '\n[{}a]", deep("a.", ""))),
            (
                "a.toml",
                format!("a = [\"\"\"\n\"\"\"\"\", {{{}a = 1}}]", deep("a.", "")),
            ),
        ] {
            let error = Document::parse(file, &text).expect_err("is refused");
            assert_eq!(error.code, "file.too_deep");
        }
        let prose = "[{.".repeat(1_000);
        Document::parse("a.json", &format!("{{\"a\": \"\\\"{prose}\"}}")).expect("parses");
        Document::parse("a.toml", &format!("a = '''\n{prose}'''\nb = '{prose}'")).expect("parses");
    }

    #[test]
    fn a_pointer_leads_to_the_line_in_json() {
        let text = "{\n  \"nodes\": {\n    \"a/b\": { \"type\": \"say\" }\n  }\n}";
        let document = Document::parse("flow.json", text).expect("parses");
        let place = document.place("/nodes/a~1b/type");
        assert_eq!((place.line, place.column), (3, 22));
        let place = document.place_of("/nodes/a~1b/type", Part::Key);
        assert_eq!((place.line, place.column), (3, 14));
        assert_eq!(document.value()["nodes"]["a/b"]["type"], "say");
    }

    #[test]
    fn a_pointer_leads_to_the_line_in_toml() {
        let text = "name = \"x\"\n[accounts.a]\nport = 0x10\nlist = [1, 2.5]\n";
        let document = Document::parse("project.toml", text).expect("parses");
        assert_eq!(document.place("/accounts/a/list/1").line, 4);
        assert_eq!(document.value()["accounts"]["a"]["port"], 16);
        assert_eq!(document.value()["accounts"]["a"]["list"][1], 2.5);
    }

    #[test]
    fn what_lies_over_a_document_replaces_entries_as_a_whole_and_has_its_own_places() {
        let read = |file, text| Document::parse(file, text).expect("parses");
        let under = read(
            "project.toml",
            "x = 1\n[a.one]\nk = 1\nm = 2\n[a.two]\nk = 2\n",
        );
        let over = read("project.live.toml", "x = 3\ny = 4\n[a.one]\nk = 5\n");
        let both = under.under(&over, &["x", "a"]);
        let expected = serde_json::json!({"x": 3, "a": {"one": {"k": 5}, "two": {"k": 2}}});
        assert_eq!(both.value(), expected);
        let place = |pointer| both.place(pointer).to_string();
        assert_eq!(place("/x"), "project.live.toml:1:5");
        assert_eq!(place("/a/one/k"), "project.live.toml:4:5");
        assert_eq!(
            place("/a/one/m"),
            "project.live.toml:3:1",
            "nothing of it is left below"
        );
        assert_eq!(place("/a/two/k"), "project.toml:6:5");
        assert_eq!(place("/y"), "project.toml:1:1");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let error = Document::parse("f.json", "{\"a\":1,\n\"a\":2}").expect_err("refused");
        assert_eq!(error.code, "file.duplicate_key");
        assert_eq!(error.place.line, 2);
    }

    #[test]
    fn broken_files_are_refused_with_their_place() {
        for text in [
            "{\"a\": }",
            "{'a': 1}",
            "{\"a\": 1,}",
            "// c\n{}",
            "{\"a\" 1}",
            "",
        ] {
            let error = Document::parse("f.json", text).expect_err(text);
            assert!(error.code.starts_with("file."), "{error}");
        }
        let error = Document::parse("f.toml", "a = 1\nb = ").expect_err("refused");
        assert_eq!((error.code, error.place.line), ("file.bad_toml", 2));
    }
}
