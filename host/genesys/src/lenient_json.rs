//! JSON as others write it: read where a strict reader refuses, so that nobody's words are lost.
//!
//! A webhook is signed over its bytes, so what cannot be read was sent that way and would be sent that
//! way again. What is repaired: a byte order mark, UTF-16, bytes that are no UTF-8, lone surrogates, raw
//! control characters and unknown escapes in strings, numbers that do not fit, words that are no JSON
//! (`NaN`, `undefined`), a comma too many, what stands after the end, and an end that is missing. Of a
//! repeated key the last value that says something counts.
//!
//! The trade-off: this reads more than one meaning could be given to. It is for what is signed, or to
//! replace lone surrogates alone ([`replace_lone_surrogates`]), never to decide who somebody is.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::fmt;

/// How deep values may be nested.
const DEEPEST: usize = 100;

/// Replaces the escapes of lone surrogates, which no Unicode text can hold, by U+FFFD. Everything else
/// stays as it is, valid or not.
#[must_use]
pub fn replace_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    let mut fixed: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < json.len() {
        let step = match escape(&json[at..]) {
            // An escaped backslash begins no other escape.
            None => 1 + usize::from(json[at] == b'\\' && at + 1 < json.len()),
            Some(Escape::Whole(length)) => length,
            Some(Escape::Lone) => {
                let fixed = fixed.get_or_insert_with(|| json[..at].to_vec());
                fixed.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
        };
        if let Some(fixed) = &mut fixed {
            fixed.extend_from_slice(&json[at..at + step]);
        }
        at += step;
    }
    fixed.map_or(Cow::Borrowed(json), Cow::Owned)
}

enum Escape {
    /// A character, of so many bytes.
    Whole(usize),
    Lone,
}

/// The `\u` escape that text begins with.
fn escape(text: &[u8]) -> Option<Escape> {
    let first = code(text)?;
    Some(match first {
        0xd800..=0xdbff => match code(&text[6..]) {
            Some(0xdc00..=0xdfff) => Escape::Whole(12),
            _ => Escape::Lone,
        },
        0xdc00..=0xdfff => Escape::Lone,
        _ => Escape::Whole(6),
    })
}

fn code(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Reads JSON, strictly if that is possible, else as well as it can be read; none if it cannot.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    let text = decode(bytes);
    let strict = serde_json::from_str::<Merged>(&text);
    // A number without a fraction that does not fit would be rounded, and may be an id.
    if let Ok(Merged(value)) = strict
        && !has_long_number(&text)
    {
        return Some(value);
    }
    let repaired = Repair::new(&text).run()?;
    let read = serde_json::from_str::<Merged>(&repaired);
    read.ok().map(|Merged(value)| value)
}

/// The text of a body, whatever it is encoded in.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let utf16 = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
        let text = char::decode_utf16(units);
        Cow::Owned(text.map(|it| it.unwrap_or('\u{fffd}')).collect::<String>())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // ASCII, every second byte of which is missing: UTF-16 without a mark.
        [b'{', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'{', ..] => utf16(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// Whether there may be a number of more digits than are kept.
fn has_long_number(text: &str) -> bool {
    let mut run = 0;
    text.bytes().any(|byte| {
        run = if byte.is_ascii_digit() { run + 1 } else { 0 };
        run > 18
    })
}

/// Writes JSON anew from what only looks like it.
struct Repair<'t> {
    text: &'t str,
    at: usize,
    out: String,
    depth: usize,
}

impl<'t> Repair<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            out: String::with_capacity(text.len()),
            depth: 0,
        }
    }

    fn run(mut self) -> Option<String> {
        self.value()?;
        // An object that ends too early leaves some of itself behind.
        let rest = &self.text[self.at..];
        (!rest.contains('"')).then_some(self.out)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip(&mut self, what: impl Fn(char) -> bool) {
        while let Some(next) = self.peek().filter(|it| what(*it)) {
            self.at += next.len_utf8();
        }
    }

    fn skip_blanks(&mut self) {
        self.skip(|it| it.is_whitespace() || it.is_control() || it == '\u{feff}');
    }

    fn value(&mut self) -> Option<()> {
        self.skip_blanks();
        match self.peek()? {
            open @ ('{' | '[') => self.group(open),
            quote @ ('"' | '\'') => {
                self.string(quote);
                Some(())
            }
            _ => self.bare(),
        }
    }

    fn group(&mut self, open: char) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let close = if open == '{' { '}' } else { ']' };
        self.at += 1;
        self.out.push(open);
        let mut first = true;
        loop {
            self.skip_blanks();
            self.skip(|it| it == ',' || it.is_whitespace());
            match self.peek() {
                // Without an end it ends where the text does.
                None => break,
                Some('}' | ']') => {
                    self.at += 1;
                    break;
                }
                Some(_) => {}
            }
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            if open == '{' {
                self.key()?;
            } else {
                let before = self.at;
                self.value()?;
                if self.at == before {
                    return None;
                }
            }
            self.skip_blanks();
            // Anything else is the rest of a text of which a quote is missing, or one too many: what was
            // read of it may be half of what was said.
            if !matches!(self.peek(), None | Some(',' | '}' | ']')) {
                return None;
            }
        }
        self.out.push(close);
        self.depth -= 1;
        Some(())
    }

    fn key(&mut self) -> Option<()> {
        match self.peek()? {
            quote @ ('"' | '\'') => self.string(quote),
            _ => {
                let start = self.at;
                self.skip(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '$'));
                if self.at == start {
                    return None;
                }
                self.write(&self.text[start..self.at]);
            }
        }
        self.skip_blanks();
        self.out.push(':');
        match self.peek() {
            Some(':') => {
                self.at += 1;
                self.skip_blanks();
                match self.peek() {
                    None | Some(',' | '}' | ']') => self.out.push_str("null"),
                    Some(_) => self.value()?,
                }
            }
            _ => self.out.push_str("null"),
        }
        Some(())
    }

    fn string(&mut self, quote: char) {
        self.at += 1;
        let mut said = String::new();
        while let Some(next) = self.peek() {
            self.at += next.len_utf8();
            if next == quote {
                break;
            }
            if next != '\\' {
                said.push(next);
                continue;
            }
            self.escaped(&mut said);
        }
        self.write(&said);
    }

    /// What stands after a backslash.
    fn escaped(&mut self, said: &mut String) {
        let from = self.at - 1;
        let rest = &self.text.as_bytes()[from..];
        match escape(rest) {
            Some(Escape::Whole(length)) => {
                let units = [
                    code(rest),
                    code(&rest[length.min(6)..]).filter(|_| length == 12),
                ];
                let units = units.into_iter().flatten();
                let units = units.map(|unit| u16::try_from(unit).unwrap_or(0xfffd));
                said.extend(char::decode_utf16(units).map(|it| it.unwrap_or('\u{fffd}')));
                self.at = from + length;
            }
            Some(Escape::Lone) => {
                said.push('\u{fffd}');
                self.at = from + 6;
            }
            None => {
                let Some(next) = self.peek() else { return };
                self.at += next.len_utf8();
                match next {
                    'n' => said.push('\n'),
                    't' => said.push('\t'),
                    'r' => said.push('\r'),
                    'b' => said.push('\u{8}'),
                    'f' => said.push('\u{c}'),
                    // Half an escape says nothing that could be kept.
                    'u' => {
                        said.push('\u{fffd}');
                        let digits = self.text.as_bytes()[self.at..].iter().take(4);
                        self.at += digits.take_while(|it| it.is_ascii_hexdigit()).count();
                    }
                    '"' | '\\' | '/' | '\'' => said.push(next),
                    other => said.extend(['\\', other]),
                }
            }
        }
    }

    /// A number, a word of JSON's, or something else without quotes.
    fn bare(&mut self) -> Option<()> {
        let start = self.at;
        self.skip(|it| {
            !matches!(it, ',' | ':' | '{' | '}' | '[' | ']' | '"') && !it.is_whitespace()
        });
        let word = &self.text[start..self.at];
        if word.is_empty() {
            return None;
        }
        let whole = word
            .trim_start_matches('-')
            .bytes()
            .all(|it| it.is_ascii_digit());
        let fits = !whole || word.parse::<i64>().is_ok() || word.parse::<u64>().is_ok();
        match word {
            "true" | "false" | "null" => self.out.push_str(word),
            "True" | "False" => self.out.push_str(&word.to_lowercase()),
            "NaN" | "Infinity" | "-Infinity" | "undefined" | "None" | "nil" => {
                self.out.push_str("null");
            }
            number if fits && serde_json::from_str::<Number>(number).is_ok() => {
                self.out.push_str(number);
            }
            other => self.write(other),
        }
        Some(())
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(&Value::from(text).to_string());
    }
}

/// A value in which repeated keys are one: the last that says something counts.
struct Merged(Value);

impl<'de> Deserialize<'de> for Merged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Merging).map(Self)
    }
}

struct Merging;

impl<'de> Visitor<'de> for Merging {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Merged(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((key, Merged(value))) = members.next_entry::<String, _>()? {
            if !says_nothing(&value) || !all.contains_key(&key) {
                all.insert(key, value);
            }
        }
        Ok(all.into())
    }
}

/// Whether a value holds nothing but what is empty.
pub(crate) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(members) => members.values().all(says_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_only_looks_like_json_is_read_as_it_was_meant() {
        for (text, expected) in [
            (r#"{"a": "hi \ud83d"}"#, json!({"a": "hi \u{fffd}"})),
            (
                r#"{"a": "\ude00 hi \ud83d\ude00"}"#,
                json!({"a": "\u{fffd} hi 😀"}),
            ),
            (r#"{"a": "\ud83d\ud83d\ude00"}"#, json!({"a": "\u{fffd}😀"})),
            ("\u{feff}{\"a\": 1}", json!({"a": 1})),
            ("{\"a\": \"one\ntwo\ttab\"}", json!({"a": "one\ntwo\ttab"})),
            (
                r#"{"a": "C:\dir \x41 \' \u12"}"#,
                json!({"a": "C:\\dir \\x41 ' \u{fffd}"}),
            ),
            (
                r#"{"a": 123456789012345678901234567890}"#,
                json!({"a": "123456789012345678901234567890"}),
            ),
            (
                r#"{"a": 1e999, "b": 007, "c": NaN, "d": +1}"#,
                json!({"a": "1e999", "b": "007", "c": null, "d": "+1"}),
            ),
            (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
            (
                r#"{"a": "words", "a": null, "a": ""}"#,
                json!({"a": "words"}),
            ),
            (r#"{"a": [1, 2,], "b": 3,}"#, json!({"a": [1, 2], "b": 3})),
            (r#"{"a": 1} trailing"#, json!({"a": 1})),
            (r#"{"a": "cut o"#, json!({"a": "cut o"})),
            (r#"{"a": [{"b": 1"#, json!({"a": [{"b": 1}]})),
            (
                r#"{a: 'it', "b":, "c"}"#,
                json!({"a": "it", "b": null, "c": null}),
            ),
            (
                r#"{"a": undefined, "b": True}"#,
                json!({"a": null, "b": true}),
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Some(expected), "{text}");
        }
        let utf16: Vec<u8> = "\u{feff}{\"a\":\"hi\"}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&utf16), Some(json!({"a": "hi"})));
        assert_eq!(read(&utf16[2..]), Some(json!({"a": "hi"})));
        assert_eq!(
            read(b"{\"a\": \"caf\xe9\"}"),
            Some(json!({"a": "caf\u{fffd}"}))
        );
    }

    #[test]
    fn what_is_nothing_like_json_is_not_read() {
        let half = [
            r#"{"a": say it"}"#,
            r#"{"a": "say "it"}"#,
            r#"{"a": "b"}, "c": "d"}"#,
            r#"{"a"b": "c"}"#,
            r#"{"a": \"b"}"#,
            r#"{"a": 1 "b": 2}"#,
        ];
        for text in ["", "  ", "}", ",", ":"].into_iter().chain(half) {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read("[".repeat(100_000).as_bytes()), None);
        assert_eq!(read("{\"a\":".repeat(100_000).as_bytes()), None);
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for (text, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\ud83d\ude00 \u00e9""#, r#""\ud83d\ude00 \u00e9""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\uDC00\uD800""#, r#""\ufffd\ufffd""#),
            (r#""\ud83"#, r#""\ud83"#),
            ("\"\\", "\"\\"),
        ] {
            let replaced = replace_lone_surrogates(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&replaced), expected);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = replace_lone_surrogates(&bytes);
        }

        #[test]
        fn anything_near_json_is_read_or_not_and_never_panics(text in "[\\[\\]{}\",:'\\\\u0-9a-fd.eE+ -]{0,80}") {
            let _ = read(text.as_bytes());
        }

        #[test]
        fn valid_json_is_read_as_it_is(text in "\\PC{0,40}", number in any::<i64>()) {
            let value = json!({"text": text, "n": number, "list": [null, true, {"deep": text}]});
            prop_assert_eq!(read(value.to_string().as_bytes()), Some(value));
        }
    }
}
