//! Answers without the secrets that their requests carried.
//!
//! An API that echoes what it got, in an error page or a debugging header, would give a secret to the node
//! and through it to the user. So a secret is looked for in every spelling that a reader further on decodes:
//! as it is, percent-encoded, escaped for JSON or HTML, and in Base64 at any offset. What is found becomes
//! the placeholder. An answer that cannot be read here, or has a secret in a spelling that cannot be
//! replaced, is dropped: no answer is better than somebody else's key.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use url::form_urlencoded;

/// Base64 of fewer characters would be found where it is not meant.
const SHORTEST_BASE64: usize = 6;

/// How many encodings over each other are looked through.
const LAYERS: usize = 3;

/// The longest name of an entity, or number of a character reference.
const LONGEST_ENTITY: usize = 8;

/// Secrets that must not be shown.
#[derive(Default)]
pub(super) struct Mask(Vec<Hidden>);

struct Hidden {
    placeholder: String,
    value: String,
    /// Every spelling that can be replaced, the longest first.
    spellings: Vec<String>,
}

impl Mask {
    /// From placeholders and values.
    pub(super) fn new(secrets: Vec<(String, String)>) -> Self {
        let mut all: Vec<Hidden> = secrets
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(placeholder, value)| Hidden {
                spellings: spellings(&value),
                placeholder,
                value,
            })
            .collect();
        // A secret may be part of another one.
        all.sort_by_key(|hidden| std::cmp::Reverse(hidden.value.len()));
        Self(all)
    }

    /// A header's value as it may be shown; none if the header may not be.
    pub(super) fn header(&self, name: &str, value: &str) -> Option<String> {
        let named = |hidden: &Hidden| name.contains(&hidden.value.to_ascii_lowercase());
        if self.0.iter().any(named) {
            return None;
        }
        self.text(value)
    }

    /// A body as it may be shown, or why it may not be.
    pub(super) fn body(&self, headers: &HeaderMap, body: Vec<u8>) -> Result<Vec<u8>, &'static str> {
        if self.0.is_empty() || body.is_empty() {
            return Ok(body);
        }
        let values = |name| {
            headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().ok())
        };
        let identity = |value: Option<&str>| {
            value.is_some_and(|it| {
                it.trim().is_empty() || it.trim().eq_ignore_ascii_case("identity")
            })
        };
        if !values(CONTENT_ENCODING).all(identity) {
            return Err("its body is compressed");
        }
        if !values(CONTENT_TYPE).all(|value| value.is_some_and(is_utf8)) {
            return Err("its body is in another character set than UTF-8");
        }
        let text = String::from_utf8(body).map_err(|_| "its body is not UTF-8")?;
        if text.contains('\0') {
            return Err("its body is not text");
        }
        // The node reads JSON wherever it is, so a secret is looked for in what JSON's texts decode to.
        if let Ok(mut json) = serde_json::from_str::<Value>(&text) {
            let mut changed = false;
            self.json(&mut json, &mut changed)?;
            if changed {
                return Ok(json.to_string().into_bytes());
            }
            // A name that stands twice in an object is read once; its other value is still in the text.
        }
        self.text(&text)
            .map(String::into_bytes)
            .ok_or("it repeats a secret in an encoding of its own")
    }

    fn json(&self, value: &mut Value, changed: &mut bool) -> Result<(), &'static str> {
        match value {
            Value::String(text) => {
                let shown = self
                    .text(text)
                    .ok_or("it repeats a secret in an encoding of its own")?;
                if shown != *text {
                    *text = shown;
                    *changed = true;
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if let Some(hidden) = self.0.iter().find(|hidden| text.contains(&hidden.value)) {
                    *value = Value::String(hidden.placeholder.clone());
                    *changed = true;
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.json(item, changed)?;
                }
            }
            Value::Object(members) => {
                if members
                    .keys()
                    .any(|name| self.text(name).as_ref() != Some(name))
                {
                    return Err("it has a secret as the name of a member");
                }
                for member in members.values_mut() {
                    self.json(member, changed)?;
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        Ok(())
    }

    /// A text with placeholders where secrets were; none if a secret would still be read from it.
    fn text(&self, text: &str) -> Option<String> {
        let mut shown = text.to_owned();
        for hidden in &self.0 {
            for spelling in &hidden.spellings {
                if shown.contains(spelling) {
                    shown = shown.replace(spelling, &hidden.placeholder);
                }
            }
        }
        // A placeholder holds the name of its secret, never the value; a value that is part of every
        // placeholder could not be told from it.
        (!self.is_read_from(&shown)).then_some(shown)
    }

    /// Whether somebody who decodes a text, once or several times over, would read a secret.
    fn is_read_from(&self, text: &str) -> bool {
        let mut spelt = self.0.iter().flat_map(|hidden| &hidden.spellings);
        let mut views = vec![text.to_owned()];
        let mut from = 0;
        for _ in 0..LAYERS {
            let upto = views.len();
            for at in from..upto {
                for decode in [percent_decoded, unescaped, without_entities] {
                    let view = decode(&views[at]);
                    if !views.contains(&view) {
                        views.push(view);
                    }
                }
            }
            from = upto;
        }
        spelt.any(|spelling| views[1..].iter().any(|view| view.contains(spelling)))
    }
}

/// Whether a media type says UTF-8, or nothing.
fn is_utf8(content_type: &str) -> bool {
    let charset = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    charset.is_none_or(|charset| matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii"))
}

/// How a secret is written, in text, addresses, JSON, HTML and Base64.
fn spellings(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned()];
    let form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    all.push(form.replace('+', "%20"));
    all.push(lower_escapes(&form));
    all.push(form);
    let json = Value::from(value).to_string();
    let json = json.trim_start_matches('"');
    all.push(json.strip_suffix('"').unwrap_or(json).to_owned());
    all.push(value.replace('/', "\\/"));
    let html = value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    all.push(html.replace('"', "&quot;").replace('\'', "&#39;"));
    all.push(html);
    for skipped in 0..3 {
        // The secret may follow anything, as in Basic credentials: what depends on its neighbours is cut.
        let mut bytes = vec![0_u8; skipped];
        bytes.extend_from_slice(value.as_bytes());
        let first = (skipped * 8).div_ceil(6);
        for encoded in [
            STANDARD_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(&bytes),
        ] {
            let last = bytes.len() * 8 / 6;
            if last.saturating_sub(first) >= SHORTEST_BASE64 {
                all.push(encoded[first..last].to_owned());
            }
        }
    }
    all.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    all.dedup();
    all
}

/// `%2F` as `%2f`.
fn lower_escapes(encoded: &str) -> String {
    let mut lowered = String::new();
    let mut escape = 0;
    for letter in encoded.chars() {
        if letter == '%' {
            escape = 3;
        }
        lowered.push(if escape > 0 {
            letter.to_ascii_lowercase()
        } else {
            letter
        });
        escape -= i32::from(escape > 0);
    }
    lowered
}

fn percent_decoded(text: &str) -> String {
    let hex = |byte: &u8| {
        let digit = char::from(*byte).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(high).zip(hex(low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text with `\u0041` and `\/` as what they stand for.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        let ahead = letters.clone();
        match letters.next() {
            Some('u') => {
                let digits: String = letters.clone().take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                match code {
                    Some(code) if digits.len() == 4 => {
                        plain.push(code);
                        letters.nth(3);
                    }
                    _ => {
                        plain.push('\\');
                        letters = ahead;
                    }
                }
            }
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
    }
    plain
}

/// A text with the references of HTML and XML as what they stand for.
fn without_entities(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        // Not further: a text of nothing but '&' is to be read once.
        let end = after
            .bytes()
            .take(LONGEST_ENTITY + 1)
            .position(|it| it == b';');
        let reference = end.map(|end| (&after[..end], &after[end + 1..]));
        let letter = reference.and_then(|(name, _)| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (letter, reference) {
            (Some(letter), Some((_, after))) => {
                plain.push(letter);
                rest = after;
            }
            _ => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    const VALUE: &str = "hunter2/t0ken+\"<é>";

    fn mask() -> Mask {
        Mask::new(vec![("PLACEHOLDER".to_owned(), VALUE.to_owned())])
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse().expect("a name"),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    /// The secret in every spelling that somebody further on would decode.
    fn spelt() -> Vec<String> {
        let percent: String = VALUE.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let some_percent: String = form_urlencoded::byte_serialize(VALUE.as_bytes()).collect();
        let entities: String = VALUE
            .chars()
            .map(|it| format!("&#{};", u32::from(it)))
            .collect();
        let escapes: String = VALUE
            .chars()
            .map(|it| format!("\\u{:04x}", u32::from(it)))
            .collect();
        let basic = |user: &str| {
            base64::engine::general_purpose::STANDARD.encode(format!("{user}:{VALUE}"))
        };
        vec![
            VALUE.to_owned(),
            percent,
            lower_escapes(&some_percent),
            some_percent,
            entities,
            escapes,
            Value::from(VALUE).to_string(),
            serde_json::json!({"a": [VALUE]}).to_string(),
            serde_json::json!({VALUE: 1}).to_string(),
            "{\"a\": \"\\u0068unter2\\/t0ken+\\\"<é>\"}".to_owned(),
            "hunter2/t0ken+&quot;&lt;é&gt;".to_owned(),
            basic("a"),
            basic("ab"),
            basic("abc"),
        ]
    }

    /// What a reader who decodes everything sees.
    fn decoded(text: &str) -> Vec<String> {
        let mut views = vec![
            text.to_owned(),
            percent_decoded(text),
            unescaped(text),
            without_entities(text),
        ];
        for word in text.split(|it: char| !it.is_ascii_alphanumeric() && !"+/=".contains(it)) {
            if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(word) {
                views.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        views
    }

    /// The encodings that somebody may put over what is encoded already.
    fn encoded(text: &str) -> [String; 4] {
        let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let json = Value::from(text).to_string();
        let entities: String = text
            .chars()
            .map(|it| format!("&#x{:x};", u32::from(it)))
            .collect();
        [
            form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            percent,
            json.trim_matches('"').to_owned(),
            entities,
        ]
    }

    #[test]
    fn a_secret_is_found_below_one_encoding_and_another() {
        for spelling in spelt() {
            for twice in encoded(&spelling) {
                // What is left could be read by whoever decodes twice, so nothing is shown, or what is shown
                // has no secret.
                let shown = mask().body(&HeaderMap::new(), twice.clone().into_bytes());
                if let Ok(shown) = shown {
                    let shown = String::from_utf8(shown).expect("is text");
                    for view in decoded(&shown).iter().flat_map(|view| decoded(view)) {
                        assert!(!view.contains(VALUE), "{twice}: {shown}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_text_of_nothing_but_what_might_begin_an_encoding_is_read_once() {
        for letter in ["&", "%", "\\", "&#", "%2", "&amp"] {
            let text = letter.repeat(1_000_000);
            // Quadratic work would take minutes.
            drop(mask().body(&HeaderMap::new(), text.into_bytes()));
        }
    }

    #[test]
    fn a_secret_is_never_read_from_an_answer_however_it_is_spelt() {
        for spelling in spelt() {
            for text in [spelling.clone(), format!("<p>before {spelling} after</p>")] {
                if let Ok(shown) = mask().body(&HeaderMap::new(), text.clone().into_bytes()) {
                    let shown = String::from_utf8(shown).expect("is text");
                    for view in decoded(&shown) {
                        assert!(!view.contains(VALUE), "{text}: {shown}");
                    }
                }
                let json = serde_json::json!({"echo": text, "list": [{"deep": text}]});
                if let Ok(shown) = mask().body(&HeaderMap::new(), json.to_string().into_bytes()) {
                    let shown: Value = serde_json::from_slice(&shown).expect("is JSON");
                    for view in decoded(shown["echo"].as_str().expect("is text")) {
                        assert!(!view.contains(VALUE), "{text}: {shown}");
                    }
                }
                if let Some(shown) = mask().header("x-echo", &text) {
                    assert!(
                        !decoded(&shown).iter().any(|view| view.contains(VALUE)),
                        "{text}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_answer_that_cannot_be_searched_is_dropped() {
        let utf16: Vec<u8> = VALUE.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (pairs, body) in [
            (&[][..], vec![0xff, 0xfe, b'x']),
            (&[][..], utf16),
            (&[("content-encoding", "gzip")][..], b"text".to_vec()),
            (&[("content-encoding", "br")][..], b"text".to_vec()),
            (
                &[("content-type", "text/plain; charset=ISO-8859-1")][..],
                b"text".to_vec(),
            ),
            (
                &[("content-type", "text/plain; charset=utf-7")][..],
                b"text".to_vec(),
            ),
        ] {
            assert!(
                mask().body(&headers(pairs), body.clone()).is_err(),
                "{pairs:?}"
            );
            // Without a secret in the request there is nothing to hide.
            assert_eq!(
                Mask::default().body(&headers(pairs), body.clone()),
                Ok(body)
            );
        }
    }

    #[test]
    fn an_answer_without_the_secret_stays_byte_for_byte() {
        for body in [
            "{\"b\": 1.50, \"a\": 12345678901234567890123}",
            "plain 100 %41",
            "&amp; \\u0041",
            "",
        ] {
            let shown = mask().body(
                &headers(&[("content-type", "text/plain; charset=UTF-8")]),
                body.into(),
            );
            assert_eq!(shown, Ok(body.as_bytes().to_vec()), "{body}");
        }
    }
}
