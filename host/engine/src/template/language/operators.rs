//! What operators do, each paid for before it is done.

use super::meter::{Meter, Trouble};
use super::value::{ITEM, Map, Val};
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum Arithmetic {
    Add,
    Subtract,
    Join,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
    Power,
}

impl Arithmetic {
    /// Loosest binding first.
    pub(super) const LEVELS: [&'static [(&'static str, Self)]; 4] = [
        &[("+", Self::Add), ("-", Self::Subtract)],
        &[("~", Self::Join)],
        &[
            ("*", Self::Multiply),
            ("/", Self::Divide),
            ("//", Self::DivideWhole),
            ("%", Self::Remainder),
        ],
        &[("**", Self::Power)],
    ];

    fn sign(self) -> &'static str {
        let all = Self::LEVELS.into_iter().flatten();
        all.clone()
            .find(|(_, it)| *it == self)
            .map_or("", |(sign, _)| sign)
    }

    pub(super) fn apply<'a>(
        self,
        one: &Val<'a>,
        two: &Val<'a>,
        meter: &mut Meter,
    ) -> Result<Val<'a>, Trouble> {
        if matches!(one, Val::Undefined) || matches!(two, Val::Undefined) {
            return Err(Trouble::Undefined);
        }
        match (self, one, two) {
            (Self::Join, _, _) => {
                let (one, two) = (one.printed(meter)?, two.printed(meter)?);
                concatenate(one.as_str(), two.as_str(), meter)
            }
            (Self::Add, Val::Text(one), Val::Text(two)) => {
                concatenate(one.as_str(), two.as_str(), meter)
            }
            (Self::Add, Val::List(one), Val::List(two)) => {
                meter.pay_each(one.len().saturating_add(two.len()), ITEM)?;
                Val::list(one.iter().chain(two.iter()).collect(), meter)
            }
            (Self::Multiply, Val::Text(_) | Val::List(_), Val::Int(times))
            | (Self::Multiply, Val::Int(times), Val::Text(_) | Val::List(_)) => {
                let many = if matches!(one, Val::Int(_)) { two } else { one };
                let times = usize::try_from((*times).max(0)).unwrap_or(usize::MAX);
                repeat(many, times, meter)
            }
            (_, Val::Int(a), Val::Int(b)) => self.of_integers(*a, *b),
            _ => match (one.as_float(), two.as_float()) {
                (Some(a), Some(b)) => self.of_floats(a, b),
                _ => Err(Trouble::failed(format!(
                    "'{}' does not work on {} and {}",
                    self.sign(),
                    one.kind(),
                    two.kind()
                ))),
            },
        }
    }

    fn of_integers<'a>(self, a: i128, b: i128) -> Result<Val<'a>, Trouble> {
        let whole = match self {
            Self::Add => a.checked_add(b),
            Self::Subtract => a.checked_sub(b),
            Self::Multiply => a.checked_mul(b),
            Self::DivideWhole if b != 0 => a.checked_div_euclid(b),
            Self::Remainder if b != 0 => a.checked_rem_euclid(b),
            Self::Power if b >= 0 => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            Self::DivideWhole | Self::Remainder => return Err(Trouble::failed("division by zero")),
            _ => return self.of_floats(a as f64, b as f64),
        };
        whole
            .map(Val::Int)
            .ok_or_else(|| Trouble::failed(format!("'{}' gives too large a number", self.sign())))
    }

    fn of_floats<'a>(self, a: f64, b: f64) -> Result<Val<'a>, Trouble> {
        let result = match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide | Self::DivideWhole | Self::Remainder if b == 0.0 => {
                return Err(Trouble::failed("division by zero"));
            }
            Self::Divide => a / b,
            Self::DivideWhole => a.div_euclid(b),
            Self::Remainder => a.rem_euclid(b),
            Self::Power => a.powf(b),
            Self::Join => return Err(Trouble::failed("'~' joins texts")),
        };
        match result.is_finite() {
            true => Ok(Val::Float(result)),
            false => Err(Trouble::failed(format!(
                "'{}' gives too large a number",
                self.sign()
            ))),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
    In,
    NotIn,
}

impl Comparison {
    pub(super) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "==" => Self::Equal,
            "!=" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::More,
            ">=" => Self::MoreOrEqual,
            _ => return None,
        })
    }

    pub(super) fn holds(
        self,
        one: &Val<'_>,
        two: &Val<'_>,
        meter: &mut Meter,
    ) -> Result<bool, Trouble> {
        let order = |meter: &mut Meter| -> Result<Ordering, Trouble> {
            one.order(two, meter)?.ok_or_else(|| {
                Trouble::failed(format!("{} and {} have no order", one.kind(), two.kind()))
            })
        };
        Ok(match self {
            Self::Equal => one.equals(two, meter)?,
            Self::Unequal => !one.equals(two, meter)?,
            Self::Less => order(meter)?.is_lt(),
            Self::LessOrEqual => order(meter)?.is_le(),
            Self::More => order(meter)?.is_gt(),
            Self::MoreOrEqual => order(meter)?.is_ge(),
            Self::In => contains(two, one, meter)?,
            Self::NotIn => !contains(two, one, meter)?,
        })
    }
}

/// Whether `whole` holds `part`.
pub(super) fn contains(
    whole: &Val<'_>,
    part: &Val<'_>,
    meter: &mut Meter,
) -> Result<bool, Trouble> {
    match whole {
        Val::Undefined => Err(Trouble::Undefined),
        Val::Text(text) => {
            let part = part.printed(meter)?;
            meter.pay(text.as_str().len())?;
            Ok(text.as_str().contains(part.as_str()))
        }
        Val::List(items) => {
            for item in items.iter() {
                if item.equals(part, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Val::Map(entries) => Ok(part.as_str().is_some_and(|key| has(entries, key))),
        _ => Err(Trouble::failed(format!(
            "'in' does not work on {}",
            whole.kind()
        ))),
    }
}

fn has(entries: &Map<'_>, key: &str) -> bool {
    entries.get(key).is_some()
}

pub(super) fn concatenate<'a>(one: &str, two: &str, meter: &mut Meter) -> Result<Val<'a>, Trouble> {
    meter.pay_each(one.len().saturating_add(two.len()).saturating_add(16), 2)?;
    Ok(Val::text([one, two].concat()))
}

fn repeat<'a>(many: &Val<'a>, times: usize, meter: &mut Meter) -> Result<Val<'a>, Trouble> {
    match many {
        Val::Text(text) => {
            let text = text.as_str();
            meter.pay_each(text.len().saturating_mul(times), 2)?;
            Ok(Val::text(text.repeat(times)))
        }
        Val::List(items) => {
            meter.pay_each(items.len().saturating_mul(times), ITEM)?;
            let all = (0..times).flat_map(|_| items.iter());
            // An empty list repeated is not walked: paid for nothing, it would take for ever.
            Val::list(
                if items.len() == 0 {
                    Vec::new()
                } else {
                    all.collect()
                },
                meter,
            )
        }
        _ => Err(Trouble::failed(format!(
            "{} cannot be repeated",
            many.kind()
        ))),
    }
}
