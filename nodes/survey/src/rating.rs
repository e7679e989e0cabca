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

/// `4`, `4/5`, `4 of 5`, `4 stars`, `★★★★`: one number within the scale, or as many stars.
pub(crate) fn read(text: &str, scale: u32) -> Answer {
    let text = text.trim();
    let plain = text.trim_end_matches(['.', '!']).to_lowercase();
    if SKIP.contains(&plain.as_str()) {
        return Answer::Skip;
    }
    let numbers: Vec<Option<u32>> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(|digits| digits.parse().ok())
        .collect();
    let signed = text.contains(['-', ',']) || text.contains("1/2");
    let rating = match numbers.as_slice() {
        [Some(rating)] => Some(*rating),
        // The scale may be said along.
        [Some(rating), Some(of)] if *of == scale => Some(*rating),
        [] => {
            let stars = text
                .chars()
                .filter(|letter| matches!(letter, '★' | '⭐' | '*'));
            u32::try_from(stars.count()).ok()
        }
        _ => None,
    };
    match rating {
        Some(rating) if (1..=scale).contains(&rating) && !signed => Answer::Rating(rating),
        _ => Answer::Other,
    }
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
