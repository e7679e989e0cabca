//! Tests, as in `x is defined`.

use super::filters::Given;
use super::meter::{Meter, Trouble};
use super::operators::Comparison;
use super::value::Val;

macro_rules! tests {
    ($($variant:ident: $($name:literal)|+,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::template) enum Test { $($variant),* }

        impl Test {
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($($name)|+ => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

tests! {
    Defined: "defined",
    Undefined: "undefined",
    None: "none" | "null",
    True: "true",
    False: "false",
    Boolean: "boolean",
    Odd: "odd",
    Even: "even",
    DivisibleBy: "divisibleby",
    Number: "number",
    Integer: "integer" | "int",
    Float: "float",
    String: "string",
    Sequence: "sequence",
    Iterable: "iterable",
    Mapping: "mapping",
    StartingWith: "startingwith",
    EndingWith: "endingwith",
    Containing: "containing",
    Lower: "lower",
    Upper: "upper",
    Equal: "eq" | "equalto" | "==" | "sameas",
    Unequal: "ne" | "!=",
    Less: "lt" | "lessthan" | "<",
    LessOrEqual: "le" | "<=",
    More: "gt" | "greaterthan" | ">",
    MoreOrEqual: "ge" | ">=",
    In: "in",
}

impl Test {
    pub(super) fn holds(
        self,
        value: &Val<'_>,
        given: &Given<'_>,
        meter: &mut Meter,
    ) -> Result<bool, Trouble> {
        let comparison = match self {
            Self::Defined => return Ok(!matches!(value, Val::Undefined)),
            Self::Undefined => return Ok(matches!(value, Val::Undefined)),
            Self::Equal => Comparison::Equal,
            Self::Unequal => Comparison::Unequal,
            Self::Less => Comparison::Less,
            Self::LessOrEqual => Comparison::LessOrEqual,
            Self::More => Comparison::More,
            Self::MoreOrEqual => Comparison::MoreOrEqual,
            Self::In => Comparison::In,
            _ => return self.of_one(value, given, meter),
        };
        comparison.holds(value, &given.needed(0, "other")?, meter)
    }

    fn of_one(
        self,
        value: &Val<'_>,
        given: &Given<'_>,
        meter: &mut Meter,
    ) -> Result<bool, Trouble> {
        let by_text = |meter: &mut Meter, test: fn(&str, &str) -> bool| {
            let (text, other) = (
                value.printed(meter)?,
                given.needed(0, "other")?.printed(meter)?,
            );
            meter.pay(text.as_str().len())?;
            Ok(test(text.as_str(), other.as_str()))
        };
        let by_char = |meter: &mut Meter, test: fn(char) -> bool| {
            let text = value.printed(meter)?;
            meter.pay(text.as_str().len())?;
            let mut letters = text.as_str().chars().filter(|c| c.is_alphabetic());
            Ok(letters.clone().next().is_some() && letters.all(test))
        };
        Ok(match self {
            Self::None => matches!(value, Val::Null),
            Self::True => matches!(value, Val::Bool(true)),
            Self::False => matches!(value, Val::Bool(false)),
            Self::Boolean => matches!(value, Val::Bool(_)),
            Self::Odd => value.as_int().is_some_and(|it| it % 2 != 0),
            Self::Even => value.as_int().is_some_and(|it| it % 2 == 0),
            Self::DivisibleBy => {
                let by = given.needed(0, "num")?.as_int().filter(|by| *by != 0);
                let (Some(it), Some(by)) = (value.as_int(), by) else {
                    return Ok(false);
                };
                it % by == 0
            }
            Self::Number => matches!(value, Val::Int(_) | Val::Float(_)),
            Self::Integer => matches!(value, Val::Int(_)),
            Self::Float => matches!(value, Val::Float(_)),
            Self::String => matches!(value, Val::Text(_)),
            Self::Sequence => matches!(value, Val::List(_)),
            Self::Iterable => matches!(value, Val::List(_) | Val::Map(_) | Val::Text(_)),
            Self::Mapping => matches!(value, Val::Map(_)),
            Self::StartingWith => by_text(meter, |text, other| text.starts_with(other))?,
            Self::EndingWith => by_text(meter, |text, other| text.ends_with(other))?,
            Self::Containing => by_text(meter, |text, other| text.contains(other))?,
            Self::Lower => by_char(meter, char::is_lowercase)?,
            Self::Upper => by_char(meter, char::is_uppercase)?,
            _ => return Err(Trouble::failed("this test needs something to compare with")),
        })
    }
}
