//! What a node says, as it is kept: short, on one line, and without characters that do something to
//! whoever reads it.
//!
//! Faults, port names, log lines, problems and descriptors end up in journals, in stores, in terminals
//! and on pages. Everything of a node that is kept passes here first; where cutting would change what is
//! meant, as with a node's state, the step fails instead.

use crate::display::is_unsafe;

/// Bytes of a sentence that is kept.
pub(crate) const SENTENCE: usize = 2_048;

/// Bytes of a name or a code that is kept.
pub(crate) const NAME: usize = 128;

/// What stands at the end of a text that was cut.
const CUT: &str = " [cut]";

/// A sentence of a node: at most [`SENTENCE`] bytes.
pub(crate) fn sentence(text: String) -> String {
    kept(text, SENTENCE)
}

/// A name or a code that a node gave: at most [`NAME`] bytes.
pub(crate) fn name(text: String) -> String {
    kept(text, NAME)
}

/// At most `limit` bytes of a text, on one line.
pub(crate) fn kept(text: String, limit: usize) -> String {
    tidy(text, limit, |letter| match letter {
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        _ => char::REPLACEMENT_CHARACTER,
    })
}

/// The same for a text of several lines, such as Markdown.
pub(crate) fn kept_lines(text: String, limit: usize) -> String {
    tidy(text, limit, |letter| match letter {
        '\n' | '\t' => letter,
        '\r' => ' ',
        _ => char::REPLACEMENT_CHARACTER,
    })
}

/// Whether a character does something to a terminal or to the order of the letters around it.
pub(crate) fn acts(letter: char) -> bool {
    matches!(letter, '\n' | '\t') || is_unsafe(letter)
}

fn tidy(mut text: String, limit: usize, instead: impl Fn(char) -> char) -> String {
    if text.len() > limit {
        text = format!("{}{CUT}", start_of(&text, limit.saturating_sub(CUT.len())));
        // What is put in place of one character may be longer.
    }
    if !text.chars().any(acts) {
        return text;
    }
    let tidied: String = text
        .chars()
        .map(|letter| {
            if acts(letter) {
                instead(letter)
            } else {
                letter
            }
        })
        .collect();
    if tidied.len() <= limit {
        return tidied;
    }
    format!(
        "{}{CUT}",
        start_of(&tidied, limit.saturating_sub(CUT.len()))
    )
}

/// The longest start of a text that fits.
fn start_of(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_said_is_kept_short_and_acts_on_nothing(
            text in any::<String>(), times in 1_usize..300, limit in 16_usize..3_000,
        ) {
            let said = text.repeat(times);
            let one_line = kept(said.clone(), limit);
            prop_assert!(one_line.len() <= limit);
            prop_assert!(!one_line.chars().any(acts));
            let lines = kept_lines(said, limit);
            prop_assert!(lines.len() <= limit);
            prop_assert!(!lines.chars().any(|it| acts(it) && it != '\n' && it != '\t'));
        }
    }

    #[test]
    fn ordinary_words_stay_as_they_are() {
        for said in ["", "Bitte wählen Sie.", "שלום", "👩‍🚀 ok"] {
            assert_eq!(sentence(said.to_owned()), said);
        }
        assert_eq!(
            sentence("a\nb\u{1b}]52;c;x\u{7}".to_owned()),
            "a b\u{fffd}]52;c;x\u{fffd}"
        );
    }
}
