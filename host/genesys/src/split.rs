//! Long texts in pieces that a transport takes.
//!
//! A piece ends at a line end if one is near, else at a space, else between two characters. Nothing
//! but white space at the cuts is lost. Lengths are counted in UTF-16 units, as Genesys' servers
//! count them: that is never less than characters, so a piece that fits here fits there.

/// A cut is moved back at most to here, so that pieces are not made needlessly many: as a fraction
/// of the limit.
const EARLIEST_LINE_END: (usize, usize) = (1, 2);

/// The length of a text as servers count it.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The pieces of a text, each at most `limit` UTF-16 units long and none of them blank. A text that
/// fits is one piece, unchanged; a blank one that does not fit has none.
pub(crate) fn split(text: &str, limit: usize) -> Vec<String> {
    // A character may take two units.
    let limit = limit.max(2);
    if length(text) <= limit {
        return vec![text.to_owned()];
    }
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while length(rest) > limit {
        let (piece, later) = rest.split_at(cut(rest, limit));
        pieces.push(piece.trim_end().to_owned());
        rest = later.trim_start();
    }
    pieces.push(rest.to_owned());
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Lines in as few texts as hold them, in order; a line that is too long by itself is split.
pub(crate) fn pack(lines: &[String], limit: usize) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let pieces = lines.iter().flat_map(|line| split(line, limit));
    for piece in pieces.filter(|piece| !piece.trim().is_empty()) {
        match texts.last_mut() {
            Some(text) if length(text) + 1 + length(&piece) <= limit => {
                text.push('\n');
                text.push_str(&piece);
            }
            _ => texts.push(piece),
        }
    }
    texts
}

/// Where to cut a trimmed text that is longer than `limit`: after the last line end or space that
/// leaves a piece of at most `limit`. Always after the first character, so that there is an end.
fn cut(text: &str, limit: usize) -> usize {
    let (part, whole) = EARLIEST_LINE_END;
    let mut units = 0;
    let (mut line_end, mut space, mut between) = (None, None, None);
    let mut before = None;
    for (at, character) in text.char_indices() {
        if at > 0 {
            if character == '\n' && units >= limit * part / whole {
                line_end = Some(at);
            } else if character.is_whitespace() {
                space = Some(at);
            }
            if before.is_some_and(|before| may_part(before, character)) {
                between = Some(at);
            }
        }
        units += character.len_utf16();
        if units > limit {
            let anywhere = if at > 0 { at } else { character.len_utf8() };
            return line_end.or(space).or(between).unwrap_or(anywhere);
        }
        before = Some(character);
    }
    text.len()
}

/// Whether two characters can stand apart: emoji made of several and accents that follow their
/// letter would be torn.
fn may_part(before: char, after: char) -> bool {
    const JOINER: char = '\u{200d}';
    let follows = matches!(after, JOINER | '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    before != JOINER && !follows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn solid(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn cuts_are_made_at_line_ends_or_else_at_spaces() {
        assert_eq!(split("one two\nthree four", 12), ["one two", "three four"]);
        assert_eq!(split("one two three", 9), ["one two", "three"]);
        assert_eq!(split("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(split("fits", 4), ["fits"]);
    }

    #[test]
    fn an_emoji_of_several_characters_is_not_torn() {
        let family = "\u{1f468}\u{200d}\u{1f469}";
        assert_eq!(split(&format!("ab{family}"), 6), ["ab", family]);
    }

    #[test]
    fn lines_share_a_text_as_long_as_they_fit() {
        let lines = ["Ana: hi", "Bot: hello", "Ana: bye"].map(str::to_owned);
        assert_eq!(pack(&lines, 18), ["Ana: hi\nBot: hello", "Ana: bye"]);
        assert_eq!(pack(&[], 18), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn every_piece_fits_and_together_they_are_the_text(
            text in "[a-zé😀 \\n\u{301}\u{200d}]{0,80}",
            limit in 2_usize..30,
        ) {
            let pieces = split(&text, limit);
            prop_assert!(pieces.iter().all(|piece| length(piece) <= limit), "{pieces:?}");
            prop_assert_eq!(solid(&pieces.concat()), solid(&text));
            if pieces.len() > 1 {
                prop_assert!(pieces.iter().all(|piece| !piece.trim().is_empty()));
            }
        }

        #[test]
        fn packed_lines_fit_and_none_is_lost(
            lines in prop::collection::vec("[a-z ]{0,20}", 0..10),
            limit in 2_usize..30,
        ) {
            let texts = pack(&lines, limit);
            prop_assert!(texts.iter().all(|text| length(text) <= limit));
            prop_assert_eq!(solid(&texts.concat()), solid(&lines.concat()));
        }
    }
}
