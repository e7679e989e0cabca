//! What does not fit in JSON that came from outside, in words that may be logged.
//!
//! The parser's own words quote the value that it did not expect, which may be what somebody said, or
//! a token. What was expected instead, which field is missing and where it happened are not secret.

use serde_json::Error;

/// What is wrong, without any value.
pub(crate) fn unreadable(error: &Error) -> String {
    let words = error.to_string();
    if error.is_syntax() || error.is_eof() || words.starts_with("missing field ") {
        return words;
    }
    // Whatever is quoted stands before this.
    match words.rsplit_once(", expected ") {
        Some((_, expected)) => format!("a value is not {expected}"),
        None => format!(
            "a value is not what it should be at line {} column {}",
            error.line(),
            error.column()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    struct Sample {
        id: u32,
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    fn told(text: &str) -> String {
        let error = serde_json::from_str::<Sample>(text).expect_err("does not fit");
        unreadable(&error)
    }

    #[test]
    fn a_value_that_was_not_expected_is_not_quoted() {
        for (text, expected) in [
            (
                r#"{"id": "canary, expected canary"}"#,
                "a value is not u32 at line 1 column 32",
            ),
            (
                r#"{"id": 1, "kind": "canary"}"#,
                "a value is not `one` or `two` at line 1 column 26",
            ),
            (r#"{"id": 1}"#, "missing field `kind` at line 1 column 9"),
            (r#"{"id": "#, "EOF while parsing a value at line 1 column 7"),
        ] {
            assert_eq!(told(text), expected);
        }
    }
}
