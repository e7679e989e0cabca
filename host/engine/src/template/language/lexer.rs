//! Words of a template's code.

use super::meter::Trouble;

/// A word between `{{` and `}}` or `{%` and `%}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    Name(&'s str),
    Text(Box<str>),
    Int(i128),
    Float(f64),
    Sign(&'static str),
    /// `}}` or `%}`, and whether it swallows the blanks after it.
    Close(&'static str, bool),
    End,
}

/// Longest first, since the first that fits is taken.
const SIGNS: [&str; 27] = [
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[",
    "]", "{", "}", ".", ",", ":", "|", ";", "!",
];

/// Reads words one by one.
#[derive(Debug)]
pub(super) struct Lexer<'s> {
    pub(super) source: &'s str,
    pub(super) at: usize,
    /// What ends the code, or nothing where an expression stands alone.
    pub(super) close: Option<&'static str>,
    /// Brackets that are open: `}}` may end two maps.
    open: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            close: None,
            open: 0,
        }
    }

    pub(super) fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Code follows, up to `close`.
    pub(super) fn enter(&mut self, close: &'static str) {
        self.close = Some(close);
        self.open = 0;
    }

    pub(super) fn word(&mut self) -> Result<Token<'s>, Trouble> {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start().len();
        self.at += blank;
        let rest = self.rest();
        if self.open == 0
            && let Some(token) = self.closing(rest)
        {
            return Ok(token);
        }
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        match first {
            '"' | '\'' => self.text(first),
            '0'..='9' => self.number(),
            _ if first == '_' || first.is_alphabetic() => {
                let end = rest
                    .find(|c: char| c != '_' && !c.is_alphanumeric())
                    .unwrap_or(rest.len());
                self.at += end;
                Ok(Token::Name(&rest[..end]))
            }
            _ => self.sign(rest, first),
        }
    }

    fn closing(&mut self, rest: &str) -> Option<Token<'s>> {
        let close = self.close?;
        let (trims, skipped) = match rest.as_bytes().first() {
            Some(b'-') if rest[1..].starts_with(close) => (true, 1),
            Some(b'+') if rest[1..].starts_with(close) => (false, 1),
            _ if rest.starts_with(close) => (false, 0),
            _ => return None,
        };
        self.at += skipped + close.len();
        Some(Token::Close(close, trims))
    }

    fn sign(&mut self, rest: &str, first: char) -> Result<Token<'s>, Trouble> {
        let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
            let message = format!("unexpected character '{}'", first.escape_default());
            return Err(Trouble::Syntax(message));
        };
        match sign {
            "(" | "[" | "{" => self.open += 1,
            ")" | "]" | "}" => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        self.at += sign.len();
        Ok(Token::Sign(sign))
    }

    fn text(&mut self, quote: char) -> Result<Token<'s>, Trouble> {
        let mut text = String::new();
        let mut chars = self.rest()[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += 1 + at + 1;
                return Ok(Token::Text(text.into()));
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            match chars.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('u') => text.push(unicode(&mut chars)?),
                Some('x') => text.push(char::from(
                    u8::try_from(digits(&mut chars, 2)?).unwrap_or(0),
                )),
                Some(c) => text.push(c),
                None => break,
            }
        }
        let message = "a text in quotes is not closed".to_owned();
        Err(Trouble::Syntax(message))
    }

    fn number(&mut self) -> Result<Token<'s>, Trouble> {
        let rest = self.rest();
        let wrong = |text: &str| Trouble::Syntax(format!("'{text}' is not a number"));
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(tail) = rest.strip_prefix(prefix) {
                let end = tail
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(tail.len());
                self.at += 2 + end;
                let number = i128::from_str_radix(&tail[..end].replace('_', ""), radix);
                return number.map(Token::Int).map_err(|_| wrong(&rest[..2 + end]));
            }
        }
        let bytes = rest.as_bytes();
        let run = |from: usize| {
            let digits = bytes[from..].iter();
            from + digits
                .take_while(|b| b.is_ascii_digit() || **b == b'_')
                .count()
        };
        let mut end = run(0);
        let mut float = false;
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            float = true;
            end = run(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                float = true;
                end = run(end + 1 + sign);
            }
        }
        self.at += end;
        let text = rest[..end].replace('_', "");
        if float {
            text.parse().map(Token::Float).map_err(|_| wrong(&text))
        } else {
            text.parse().map(Token::Int).map_err(|_| wrong(&text))
        }
    }
}

fn digits(chars: &mut std::str::CharIndices<'_>, count: usize) -> Result<u32, Trouble> {
    let mut number = 0;
    for _ in 0..count {
        let digit = chars.next().and_then(|(_, c)| c.to_digit(16));
        let digit = digit
            .ok_or_else(|| Trouble::Syntax("an escape needs hexadecimal digits".to_owned()))?;
        number = number * 16 + digit;
    }
    Ok(number)
}

/// A character after `\u`, which may take two escapes.
fn unicode(chars: &mut std::str::CharIndices<'_>) -> Result<char, Trouble> {
    let first = digits(chars, 4)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Ok(char::from_u32(first).unwrap_or('\u{fffd}'));
    }
    if !chars.as_str().starts_with("\\u") {
        return Ok('\u{fffd}');
    }
    chars.nth(1);
    let second = digits(chars, 4)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400);
    let joined = low.and_then(|low| char::from_u32(0x10000 + ((first - 0xd800) << 10) + low));
    Ok(joined.unwrap_or('\u{fffd}'))
}
