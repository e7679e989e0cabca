//! Reading a rating the way people write one.

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A rating.
    Rating(u32),
    /// The user does not want to.
    Skip,
    /// Anything else.
    Other,
}

/// Words for not wanting to.
const SKIP: [&str; 6] = ["skip", "no", "no thanks", "nothing", "none", "-"];

/// How many words an answer may have whose number does not come first.
const FEW_WORDS: usize = 3;

/// Words between a rating and the scale.
const OF: [&str; 6] = ["/", "of", "out of", "von", "sur", "de"];

/// `4`, `4/5`, `4 of 5`, `4 stars`, `★★★★`: one number within the scale, or as many stars.
pub(crate) fn read(text: &str, scale: u32) -> Answer {
    let text = text.trim();
    let plain = text.trim_end_matches(['.', '!']).to_lowercase();
    if SKIP.contains(&plain.as_str()) {
        return Answer::Skip;
    }
    match number(text, scale).or_else(|| stars(text)) {
        Some(rating) if (1..=scale).contains(&rating) => Answer::Rating(rating),
        _ => Answer::Other,
    }
}

/// The one number of an answer, which comes first or among few words.
fn number(text: &str, scale: u32) -> Option<u32> {
    let (before, digits, after) = next_number(text)?;
    let few = text.split_whitespace().count() <= FEW_WORDS;
    let negative = before.trim_end().ends_with('-');
    if negative || !(before.trim().is_empty() || few) {
        return None;
    }
    if let Some((between, of, rest)) = next_number(after) {
        let between = between.trim().to_lowercase();
        let is_scale = of.parse() == Ok(scale) && next_number(rest).is_none();
        if !is_scale || !OF.contains(&between.as_str()) {
            return None;
        }
    }
    digits.parse().ok()
}

/// The text before the next number, its digits, and the text after it.
fn next_number(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find(|letter: char| letter.is_ascii_digit())?;
    let rest = &text[start..];
    let end = rest
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((&text[..start], &rest[..end], &rest[end..]))
}

fn stars(text: &str) -> Option<u32> {
    if next_number(text).is_some() {
        return None;
    }
    let stars = text.chars().filter(|letter| matches!(letter, '★' | '⭐'));
    u32::try_from(stars.count()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_is_read_as_people_write_it() {
        for text in [
            "4",
            " 4 ",
            "4/5",
            "4 of 5",
            "4 stars!",
            "★★★★",
            "⭐⭐⭐⭐",
            "a solid 4",
            "4, thank you very much indeed",
            "4 - great",
        ] {
            assert_eq!(read(text, 5), Answer::Rating(4), "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_things_is_none() {
        for text in [
            "",
            "great",
            "0",
            "6",
            "-4",
            "3,5",
            "3 or 4",
            "4/10",
            "★★★★★★",
            "99999999999",
            "4.5",
            "it took 3 days for that",
        ] {
            assert_eq!(read(text, 5), Answer::Other, "{text}");
        }
    }

    #[test]
    fn nobody_has_to_answer() {
        for text in ["no", "No thanks.", "skip", "-"] {
            assert_eq!(read(text, 5), Answer::Skip, "{text}");
        }
    }
}
