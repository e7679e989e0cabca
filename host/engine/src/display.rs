//! The one way in which what others wrote reaches a terminal, a log or a page.
//!
//! Agents, users, nodes, files and descriptors are not trusted with the reader's screen: an escape
//! sequence can repaint it or fill the clipboard, a direction override can make a name read backwards,
//! and a line break can forge a line of ours. Such characters are shown as JSON escapes (`\u001b`), so
//! that JSON which passes through here keeps its value.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text that has to stay within its line: line breaks and tabs are escaped too.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_unsafe(c) || matches!(c, '\n' | '\t'))
}

/// A text of several lines. Whoever prints it sets its lines off from their own, with [`indented`].
#[must_use]
pub fn block(text: &str) -> Cow<'_, str> {
    match text.contains("\r\n") {
        true => Cow::Owned(escaped(&text.replace("\r\n", "\n"), is_unsafe).into_owned()),
        false => escaped(text, is_unsafe),
    }
}

/// A [`block`] with `margin` before every line but the first.
#[must_use]
pub fn indented(text: &str, margin: &str) -> String {
    block(text).replace('\n', &format!("\n{margin}"))
}

/// Output that is ready for a terminal: as [`block`], but the colours in it stay. A last guard behind
/// the functions above, which take away colours that others wrote.
#[must_use]
pub fn styled(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&block(&rest[..at]));
        rest = &rest[at..];
        let style = style(rest);
        out.push_str(style);
        rest = &rest[style.len()..];
        if style.is_empty() {
            escape('\u{1b}', &mut out);
            rest = &rest[1..];
        }
    }
    out.push_str(&block(rest));
    Cow::Owned(out)
}

/// The sequence that sets colours at the beginning of a text, or nothing.
fn style(text: &str) -> &str {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else {
        return "";
    };
    let length = parameters
        .bytes()
        .take_while(|b| b.is_ascii_digit() || *b == b';')
        .count();
    match parameters.as_bytes().get(length) {
        Some(b'm') => &text[..2 + length + 1],
        _ => "",
    }
}

/// Control characters, line separators, directions that are overridden, and characters without a shape
/// that carry text. Joiners and direction marks stay: languages and emoji need them.
pub(crate) fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

fn escaped(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_unsafe(c) {
            true => escape(c, &mut out),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn escape(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_rules_a_terminal_comes_through() {
        for c in ('\0'..=char::MAX).filter(|c| is_unsafe(*c)) {
            let text = format!("a{c}b");
            for shown in [line(&text), block(&text), styled(&text)] {
                assert!(!shown.contains(c), "{c:?}");
            }
        }
    }

    #[test]
    fn lines_stay_lines_and_blocks_keep_theirs() {
        assert_eq!(line("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(block("a\r\nb"), "a\nb");
        assert_eq!(
            indented("a\nImports\n  (none)", "| "),
            "a\n| Imports\n|   (none)"
        );
        assert_eq!(line("Zoë 👩‍👩‍👧 مرحبا"), "Zoë 👩‍👩‍👧 مرحبا");
    }

    #[test]
    fn colours_of_ours_stay_and_nothing_else() {
        assert_eq!(
            styled("\u{1b}[1;31mred\u{1b}[0m"),
            "\u{1b}[1;31mred\u{1b}[0m"
        );
        assert_eq!(
            styled("\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{9b}31m"),
            "\\u001b]52;c;aGk=\\u0007\\u001b[2J\\u009b31m"
        );
        assert_eq!(line("\u{1b}[31mred"), "\\u001b[31mred");
    }

    #[test]
    fn json_keeps_its_value() {
        let text = "\u{202e}\u{e0041}\u{9b}";
        let json = serde_json::to_string(text).expect("a text");
        let shown = styled(&json).into_owned();
        assert!(!shown.contains('\u{202e}'));
        assert_eq!(
            serde_json::from_str::<String>(&shown).expect("is JSON"),
            text
        );
    }
}
