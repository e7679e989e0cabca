//! Which answers fit, and what they mean.

use serde_json::{Number, Value};

/// What a fitting answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern<'a> {
    Text,
    Email,
    Number,
    YesNo,
    Choice(&'a [String]),
}

impl Pattern<'_> {
    /// The value of an answer; none if it does not fit.
    pub(crate) fn read(self, answer: &str) -> Option<Value> {
        let trimmed = answer.trim();
        match self {
            Self::Text => (!trimmed.is_empty()).then(|| answer.into()),
            Self::Email => is_email_address(trimmed).then(|| trimmed.into()),
            Self::Number => number(trimmed).map(Value::Number),
            Self::YesNo => yes_no(trimmed).map(Value::Bool),
            Self::Choice(choices) => {
                let wanted = trimmed.to_lowercase();
                let chosen = choices
                    .iter()
                    .find(|choice| choice.trim().to_lowercase() == wanted);
                chosen.map(|choice| choice.as_str().into())
            }
        }
    }
}

/// Whether a text can be an email address: enough to catch slips, and never to refuse an address
/// that works (which only sending to it can tell).
fn is_email_address(text: &str) -> bool {
    // The longest path SMTP carries (RFC 5321 4.5.3.1.3), without its angle brackets.
    const LONGEST: usize = 254;
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= LONGEST
        && !local.is_empty()
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
}

/// A decimal number. A comma is refused, because it means one thing here and another there.
fn number(text: &str) -> Option<Number> {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.'))
    {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    Number::from_f64(text.parse().ok()?)
}

fn yes_no(text: &str) -> Option<bool> {
    match text.trim_end_matches(['.', '!']).to_lowercase().as_str() {
        "yes" | "y" | "yeah" | "yep" | "sure" | "ok" | "okay" | "true" => Some(true),
        "no" | "n" | "nope" | "nah" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_is_kept_exactly_and_blank_text_is_no_answer() {
        assert_eq!(Pattern::Text.read(" Ada "), Some(json!(" Ada ")));
        assert_eq!(Pattern::Text.read(" \n"), None);
    }

    #[test]
    fn email_addresses_are_trimmed_and_slips_are_caught() {
        for good in [
            "ada@example.org",
            "o'neil+a@mail.example.co.uk",
            "用户@例え.jp",
        ] {
            assert_eq!(Pattern::Email.read(&format!(" {good} ")), Some(json!(good)));
        }
        for slip in [
            "ada",
            "ada@",
            "@example.org",
            "ada@example",
            "a da@example.org",
            "a@b..c",
        ] {
            assert_eq!(Pattern::Email.read(slip), None, "{slip}");
        }
        assert_eq!(
            Pattern::Email.read(&format!("{}@example.org", "a".repeat(254))),
            None
        );
    }

    #[test]
    fn numbers_become_numbers() {
        assert_eq!(Pattern::Number.read(" 42 "), Some(json!(42)));
        assert_eq!(Pattern::Number.read("-3.50"), Some(json!(-3.5)));
        assert_eq!(Pattern::Number.read("+7"), Some(json!(7)));
        assert_eq!(
            Pattern::Number.read("99999999999999999999"),
            Some(json!(1e20))
        );
        for slip in ["", "1,000", "3 apples", "inf", "NaN", "1e5", "--1", "."] {
            assert_eq!(Pattern::Number.read(slip), None, "{slip}");
        }
    }

    #[test]
    fn yes_and_no_become_true_and_false() {
        assert_eq!(Pattern::YesNo.read("Yes!"), Some(json!(true)));
        assert_eq!(Pattern::YesNo.read(" nope. "), Some(json!(false)));
        assert_eq!(Pattern::YesNo.read("yes, but"), None);
    }

    #[test]
    fn a_choice_is_kept_as_the_designer_wrote_it() {
        let choices = ["Sales".to_owned(), "Rückgabe".to_owned()];
        assert_eq!(
            Pattern::Choice(&choices).read("rÜCKGABE "),
            Some(json!("Rückgabe"))
        );
        assert_eq!(Pattern::Choice(&choices).read("sale"), None);
    }
}
