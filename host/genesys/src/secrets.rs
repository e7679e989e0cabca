//! Secrets are named in projects and resolved here, at the last moment, by whoever runs the host.

use handoff_engine::account::SecretRef;

/// Turns the name of a secret into the secret.
pub trait Secrets: Sync {
    /// The value behind a reference.
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError>;
}

/// A secret that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SecretError {
    /// What was looked for, and where to put it. Never the value.
    pub message: String,
}

impl SecretError {
    /// An error from its sentence, for example "Environment variable GENESYS_SECRET is not set; set
    /// it before starting".
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

/// What is wrong with the text of a secret. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFlaw {
    /// No text.
    #[error("it is empty; set it to the secret")]
    Empty,
    /// A blank or an invisible character before or after it.
    #[error("it begins or ends with white space or an invisible character; remove it")]
    Edges,
    /// A line end or another control or invisible character within it.
    #[error("it has a line end or another invisible character in it; set it to the secret alone")]
    Invisible,
    /// Quotation marks that a shell or a file left on it.
    #[error("it stands in quotation marks, which would be part of it; remove them")]
    Quoted,
    /// Too few characters.
    #[error("it has {length} characters, and at least {least} are needed; make a longer one")]
    Short {
        /// Its own length.
        length: usize,
        /// The length needed.
        least: usize,
    },
}

/// Whether a text can be a secret of at least so many characters. Damage that copying does, such as a line
/// end or quotation marks, would only show as a refusal of the other side's.
///
/// # Errors
///
/// [`SecretFlaw`], without the text.
pub fn check_secret(text: &str, least: usize) -> Result<(), SecretFlaw> {
    if text.chars().all(blank) {
        return Err(SecretFlaw::Empty);
    }
    if text.starts_with(blank) || text.ends_with(blank) {
        return Err(SecretFlaw::Edges);
    }
    let quoted = |mark: char| text.len() > 1 && text.starts_with(mark) && text.ends_with(mark);
    if [
        '"', '\'', '`', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}',
    ]
    .into_iter()
    .any(quoted)
    {
        return Err(SecretFlaw::Quoted);
    }
    // A key for AWS is a JSON object, and may be written over several lines.
    let object =
        || serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
    if text.contains(invisible) && !object() {
        return Err(SecretFlaw::Invisible);
    }
    let length = text.chars().count();
    if length < least {
        return Err(SecretFlaw::Short { length, least });
    }
    Ok(())
}

fn blank(letter: char) -> bool {
    letter.is_whitespace() || invisible(letter)
}

/// Control and format characters that nobody sees.
fn invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_secret_is_refused_with_its_flaw_and_without_its_text() {
        let good = "s3cret-of-16-or-more";
        assert_eq!(check_secret(good, 16), Ok(()));
        assert_eq!(check_secret("{\n  \"accessKeyId\": \"A\"\n}", 8), Ok(()));
        assert_eq!(check_secret("pass phrase with blanks", 16), Ok(()));
        for edge in [
            "\n", "\r\n", " ", "\t", "\u{a0}", "\u{feff}", "\u{200b}", "\0", "\u{2028}",
        ] {
            for text in [format!("{good}{edge}"), format!("{edge}{good}")] {
                assert_eq!(check_secret(&text, 1), Err(SecretFlaw::Edges), "{text:?}");
            }
            assert_eq!(check_secret(edge, 1), Err(SecretFlaw::Empty), "{edge:?}");
        }
        for (open, close) in [("\"", "\""), ("'", "'"), ("`", "`")] {
            let text = format!("{open}{good}{close}");
            assert_eq!(check_secret(&text, 1), Err(SecretFlaw::Quoted), "{text:?}");
        }
        for inner in ["\n", "\r\n", "\u{200b}", "\u{7f}"] {
            let text = format!("first-half{inner}second-half");
            assert_eq!(
                check_secret(&text, 1),
                Err(SecretFlaw::Invisible),
                "{text:?}"
            );
        }
        assert_eq!(check_secret("", 1), Err(SecretFlaw::Empty));
        let short = SecretFlaw::Short {
            length: 6,
            least: 16,
        };
        assert_eq!(check_secret("s3cret", 16), Err(short));
        assert!(!short.to_string().contains("s3cret"));
    }
}
