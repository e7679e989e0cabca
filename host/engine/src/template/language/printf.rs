//! The filter `format`: `'%05.1f EUR' | format(price)`.

use super::filters::Given;
use super::meter::{Meter, Trouble};
use super::value::Val;

/// How one `%` directive wants its value.
#[derive(Default)]
struct Directive {
    left: bool,
    zero: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Fills a format. Each piece is paid for by its width before it is made.
pub(super) fn format<'a>(
    pattern: &str,
    given: &Given<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, Trouble> {
    let mut out = String::new();
    let mut next = 0;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            meter.pay(4)?;
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut directive = Directive::default();
        let mut value = None;
        if chars.next_if_eq(&'(').is_some() {
            let name: String = chars.by_ref().take_while(|c| *c != ')').collect();
            let named = given.named.iter().find(|(key, _)| *key == name);
            let named = named.map(|(_, value)| value.clone());
            value = Some(named.ok_or_else(|| missing(&name))?);
        }
        while let Some(flag) = chars.next_if(|c| "-0+ #".contains(*c)) {
            match flag {
                '-' => directive.left = true,
                '0' => directive.zero = true,
                '+' => directive.plus = true,
                ' ' => directive.blank = true,
                _ => directive.alternate = true,
            }
        }
        directive.width = number(&mut chars).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            directive.precision = Some(number(&mut chars).unwrap_or(0));
        }
        let Some(kind) = chars.next() else {
            return Err(Trouble::failed("a '%' in the format ends too early"));
        };
        let value = match value {
            Some(value) => value,
            None => {
                let value = given.positional.get(next).cloned();
                next += 1;
                value.ok_or_else(|| missing(&format!("number {next}")))?
            }
        };
        directive.put(kind, &value, &mut out, meter)?;
    }
    meter.pay(out.len())?;
    Ok(Val::text(out))
}

fn missing(which: &str) -> Trouble {
    Trouble::failed(format!(
        "the format wants an argument that is not given: {which}"
    ))
}

fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number: Option<usize> = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        let so_far = number.unwrap_or(0).saturating_mul(10);
        number = Some(so_far.saturating_add(digit as usize));
    }
    number
}

impl Directive {
    fn put(
        &self,
        kind: char,
        value: &Val<'_>,
        out: &mut String,
        meter: &mut Meter,
    ) -> Result<(), Trouble> {
        // A float in full has 309 digits before its point.
        let precision = self.precision.unwrap_or(6);
        meter.pay_each(self.width.saturating_add(self.precision.unwrap_or(0)), 4)?;
        meter.pay(512)?;
        let whole = || {
            let whole = value
                .as_int()
                .or_else(|| value.as_float().map(|it| it as i128));
            whole.ok_or_else(|| wrong(kind, value))
        };
        let float = || value.as_float().ok_or_else(|| wrong(kind, value));
        let body = match kind {
            's' | 'r' => {
                let text = match kind {
                    's' => value.printed(meter)?.as_str().to_owned(),
                    _ => value.to_json(meter)?.to_string(),
                };
                meter.pay_each(text.len(), 2)?;
                let text = match self.precision {
                    Some(most) => text.chars().take(most).collect(),
                    None => text,
                };
                return self.pad(&text, false, out);
            }
            'c' => {
                let text = value.printed(meter)?;
                let first: String = text.as_str().chars().take(1).collect();
                return self.pad(&first, false, out);
            }
            'd' | 'i' | 'u' => whole()?.to_string(),
            'x' => self.radix("0x", format!("{:x}", whole()?)),
            'X' => self.radix("0X", format!("{:X}", whole()?)),
            'o' => self.radix("0o", format!("{:o}", whole()?)),
            'f' | 'F' => format!("{:.*}", limited(precision)?, float()?),
            'e' => exponent(&format!("{:.*e}", limited(precision)?, float()?)),
            'E' => exponent(&format!("{:.*E}", limited(precision)?, float()?)),
            'g' | 'G' => float()?.to_string(),
            _ => {
                let message = format!(
                    "the format has an unknown directive '%{}'",
                    kind.escape_default()
                );
                return Err(Trouble::Failed(message));
            }
        };
        let signed = match (body.starts_with('-'), self.plus, self.blank) {
            (false, true, _) => format!("+{body}"),
            (false, false, true) => format!(" {body}"),
            _ => body,
        };
        self.pad(&signed, true, out)
    }

    fn radix(&self, prefix: &str, digits: String) -> String {
        match self.alternate {
            true => format!("{prefix}{digits}"),
            false => digits,
        }
    }

    fn pad(&self, body: &str, number: bool, out: &mut String) -> Result<(), Trouble> {
        let missing = self.width.saturating_sub(body.chars().count());
        let fill = |out: &mut String, with: char| out.extend(std::iter::repeat_n(with, missing));
        if self.left {
            out.push_str(body);
            fill(out, ' ');
        } else if self.zero && number {
            let digits = body.trim_start_matches(['-', '+', ' ']);
            out.push_str(&body[..body.len() - digits.len()]);
            fill(out, '0');
            out.push_str(digits);
        } else {
            fill(out, ' ');
            out.push_str(body);
        }
        Ok(())
    }
}

/// The standard library takes no more.
fn limited(precision: usize) -> Result<usize, Trouble> {
    match precision {
        0..=1_000 => Ok(precision),
        _ => Err(Trouble::failed("the format wants more than 1000 decimals")),
    }
}

/// `1.5e2` as C spells it, `1.5e+02`.
fn exponent(text: &str) -> String {
    let Some(at) = text.find(['e', 'E']) else {
        return text.to_owned();
    };
    let (mantissa, power) = text.split_at(at + 1);
    let (sign, digits) = match power.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', power),
    };
    format!("{mantissa}{sign}{digits:0>2}")
}

fn wrong(kind: char, value: &Val<'_>) -> Trouble {
    Trouble::failed(format!("'%{kind}' does not work on {}", value.kind()))
}
