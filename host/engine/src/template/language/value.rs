//! Values while a template renders. None that exists is large or deep enough to hurt.

use super::meter::{Meter, Trouble};
use serde_json::{Number, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes that a list or a map may have when written out.
const MAX_SIZE: usize = 1 << 20;
/// Lists and maps within each other. Values of the scope have been parsed as JSON and may have more.
const MAX_NESTING: usize = 160;
/// What an item costs beside its text.
pub(super) const ITEM: usize = 48;

/// A value. Those of the scope and of the template are borrowed.
#[derive(Clone, Debug)]
pub(in crate::template) enum Val<'a> {
    Undefined,
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(Text<'a>),
    List(List<'a>),
    Map(Map<'a>),
    /// A place of the renderer. It is no plain value, so that none can hold itself.
    Namespace(usize),
    /// `loop`, at an index, of so many.
    Loop {
        index: usize,
        len: usize,
        depth: usize,
    },
}

#[derive(Clone, Debug)]
pub(in crate::template) enum Text<'a> {
    Lent(&'a str),
    Own(Arc<str>),
}

#[derive(Clone, Debug)]
pub(in crate::template) enum List<'a> {
    Lent(&'a [Value]),
    Own(Arc<Sized<Vec<Val<'a>>>>),
}

#[derive(Clone, Debug)]
pub(in crate::template) enum Map<'a> {
    Lent(&'a serde_json::Map<String, Value>),
    Own(Arc<Sized<BTreeMap<Text<'a>, Val<'a>>>>),
}

/// Parts with what they come to when written out.
#[derive(Debug)]
pub(in crate::template) struct Sized<T> {
    parts: T,
    extent: Extent,
}

/// How large and how deep a value is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) size: usize,
    nesting: usize,
}

impl Extent {
    fn add(&mut self, part: Self) {
        self.size = self.size.saturating_add(part.size);
        self.nesting = self.nesting.max(part.nesting + 1);
    }

    fn bounded(self) -> Result<Self, Trouble> {
        if self.size > MAX_SIZE {
            return Err(Trouble::TooLarge(
                "a list or map that it builds is too large",
            ));
        }
        if self.nesting > MAX_NESTING {
            return Err(Trouble::TooLarge(
                "lists and maps that it builds are nested too deep",
            ));
        }
        Ok(self)
    }
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Own(text) => text,
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Lent(items) => items.len(),
            Self::Own(items) => items.parts.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Val<'a>> {
        match self {
            Self::Lent(items) => items.get(index).map(Val::lent),
            Self::Own(items) => items.parts.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Lent(entries) => entries.len(),
            Self::Own(entries) => entries.parts.len(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Val<'a>> {
        match self {
            Self::Lent(entries) => entries.get(key).map(Val::lent),
            Self::Own(entries) => entries.parts.get(key).cloned(),
        }
    }

    /// Keys and values. The number of them has to be paid for first.
    pub(super) fn entries(&self) -> Vec<(Text<'a>, Val<'a>)> {
        match self {
            Self::Lent(entries) => {
                let entries = entries.iter();
                entries
                    .map(|(key, value)| (Text::Lent(key), Val::lent(value)))
                    .collect()
            }
            Self::Own(entries) => {
                let entries = entries.parts.iter();
                entries
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            }
        }
    }
}

impl<'a> Val<'a> {
    pub(super) fn lent(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(it) => Self::Bool(*it),
            Value::Number(number) => number_of(number),
            Value::String(text) => Self::Text(Text::Lent(text)),
            Value::Array(items) => Self::List(List::Lent(items)),
            Value::Object(entries) => Self::Map(Map::Lent(entries)),
        }
    }

    /// A text that has been paid for.
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::Own(text.into()))
    }

    pub(super) fn list(items: Vec<Self>, meter: &mut Meter) -> Result<Self, Trouble> {
        meter.pay_each(items.len() + 1, ITEM)?;
        let mut extent = Extent {
            size: 2,
            nesting: 1,
        };
        for item in &items {
            extent.add(item.extent(meter)?);
        }
        let extent = extent.bounded()?;
        Ok(Self::List(List::Own(Arc::new(Sized {
            parts: items,
            extent,
        }))))
    }

    pub(super) fn map(
        entries: BTreeMap<Text<'a>, Self>,
        meter: &mut Meter,
    ) -> Result<Self, Trouble> {
        meter.pay_each(entries.len() + 1, 2 * ITEM)?;
        let mut extent = Extent {
            size: 2,
            nesting: 1,
        };
        for (key, value) in &entries {
            extent.add(value.extent(meter)?);
            extent.size = extent.size.saturating_add(key.as_str().len());
        }
        let extent = extent.bounded()?;
        Ok(Self::Map(Map::Own(Arc::new(Sized {
            parts: entries,
            extent,
        }))))
    }

    /// How large the value is. A borrowed list or map is walked for it, which is paid for.
    pub(super) fn extent(&self, meter: &mut Meter) -> Result<Extent, Trouble> {
        let text = |text: &str| Extent {
            size: ITEM + text.len(),
            nesting: 0,
        };
        Ok(match self {
            Self::Text(it) => text(it.as_str()),
            Self::List(List::Own(items)) => items.extent,
            Self::Map(Map::Own(entries)) => entries.extent,
            Self::List(List::Lent(items)) => {
                meter.pay_each(items.len() + 1, ITEM)?;
                let mut extent = Extent {
                    size: 2,
                    nesting: 1,
                };
                for item in *items {
                    extent.add(Val::lent(item).extent(meter)?);
                }
                extent
            }
            Self::Map(Map::Lent(entries)) => {
                meter.pay_each(entries.len() + 1, ITEM)?;
                let mut extent = Extent {
                    size: 2,
                    nesting: 1,
                };
                for (key, value) in *entries {
                    extent.add(Val::lent(value).extent(meter)?);
                    extent.size = extent.size.saturating_add(key.len());
                }
                extent
            }
            _ => text(""),
        })
    }

    /// Pays for walking the whole value.
    pub(super) fn pay_walk(&self, meter: &mut Meter) -> Result<usize, Trouble> {
        let size = self.extent(meter)?.size;
        meter.pay(size)?;
        Ok(size)
    }

    pub(super) fn is_true(&self) -> Result<bool, Trouble> {
        Ok(match self {
            Self::Undefined => return Err(Trouble::Undefined),
            Self::Null => false,
            Self::Bool(it) => *it,
            Self::Int(it) => *it != 0,
            Self::Float(it) => *it != 0.0,
            Self::Text(text) => !text.as_str().is_empty(),
            Self::List(items) => items.len() > 0,
            Self::Map(entries) => entries.len() > 0,
            Self::Namespace(_) | Self::Loop { .. } => true,
        })
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(super) fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(it) => Some(*it),
            Self::Bool(it) => Some(i128::from(*it)),
            Self::Float(it) if it.fract() == 0.0 && it.abs() < 1e18 => Some(*it as i128),
            _ => None,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Int(it) => Some(*it as f64),
            Self::Float(it) => Some(*it),
            Self::Bool(it) => Some(f64::from(u8::from(*it))),
            _ => None,
        }
    }

    /// What the value is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Namespace(_) => "a namespace",
            Self::Loop { .. } => "a loop",
        }
    }

    /// The items of a list, the keys of a map, the characters of a text.
    pub(super) fn items(&self, meter: &mut Meter) -> Result<Vec<Self>, Trouble> {
        match self {
            Self::Undefined => Err(Trouble::Undefined),
            Self::List(items) => {
                meter.pay_each(items.len(), ITEM)?;
                Ok(items.iter().collect())
            }
            Self::Map(entries) => {
                meter.pay_each(entries.len(), 3 * ITEM)?;
                let entries = entries.entries().into_iter();
                Ok(entries.map(|(key, _)| Self::Text(key)).collect())
            }
            Self::Text(text) => {
                let text = text.as_str();
                meter.pay_each(text.len(), 2 * ITEM)?;
                Ok(text.chars().map(|c| Self::text(c.to_string())).collect())
            }
            _ => Err(Trouble::failed(format!("{} has no items", self.kind()))),
        }
    }

    /// The value as JSON.
    pub(in crate::template) fn to_json(&self, meter: &mut Meter) -> Result<Value, Trouble> {
        self.pay_walk(meter)?;
        self.json_of_paid()
    }

    fn json_of_paid(&self) -> Result<Value, Trouble> {
        Ok(match self {
            Self::Undefined => return Err(Trouble::Undefined),
            Self::Null => Value::Null,
            Self::Bool(it) => Value::Bool(*it),
            Self::Int(it) => Value::Number(integer(*it)?),
            Self::Float(it) => Value::Number(float(*it)?),
            Self::Text(text) => Value::String(text.as_str().to_owned()),
            Self::List(List::Lent(items)) => Value::Array(items.to_vec()),
            Self::Map(Map::Lent(entries)) => Value::Object((*entries).clone()),
            Self::List(List::Own(items)) => {
                let items = items.parts.iter().map(Val::json_of_paid);
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(Map::Own(entries)) => {
                let entries = entries.parts.iter();
                let entries = entries
                    .map(|(key, value)| Ok((key.as_str().to_owned(), value.json_of_paid()?)));
                Value::Object(entries.collect::<Result<_, Trouble>>()?)
            }
            Self::Namespace(_) | Self::Loop { .. } => {
                let message = format!("{} is not a value; name one of its members", self.kind());
                return Err(Trouble::Failed(message));
            }
        })
    }

    /// The value as it stands in a text: a text as it is, all else as JSON spells it.
    pub(super) fn printed(&self, meter: &mut Meter) -> Result<Text<'a>, Trouble> {
        if let Self::Text(text) = self {
            return Ok(text.clone());
        }
        // A character of a text within takes six bytes at most.
        let size = self.pay_walk(meter)?;
        let text = self.json_of_paid()?.to_string();
        meter.pay(text.len().saturating_sub(size))?;
        Ok(Text::Own(text.into()))
    }

    pub(super) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Trouble> {
        meter.pay(16)?;
        Ok(match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Text(one), Self::Text(two)) => {
                let (one, two) = (one.as_str(), two.as_str());
                meter.pay(one.len().min(two.len()))?;
                one == two
            }
            (Self::List(one), Self::List(two)) => {
                if one.len() != two.len() {
                    return Ok(false);
                }
                for (a, b) in one.iter().zip(two.iter()) {
                    if !a.equals(&b, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Map(one), Self::Map(two)) => {
                if one.len() != two.len() {
                    return Ok(false);
                }
                meter.pay_each(one.len(), 2 * ITEM)?;
                for (key, a) in one.entries() {
                    let Some(b) = two.get(key.as_str()) else {
                        return Ok(false);
                    };
                    if !a.equals(&b, meter)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Namespace(one), Self::Namespace(two)) => one == two,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Int(one), Self::Int(two)) => one == two,
            _ => match (self.as_float(), other.as_float()) {
                (Some(one), Some(two)) => one == two,
                _ => false,
            },
        })
    }

    /// Order of two values, where they have one.
    pub(super) fn order(
        &self,
        other: &Self,
        meter: &mut Meter,
    ) -> Result<Option<Ordering>, Trouble> {
        meter.pay(16)?;
        Ok(match (self, other) {
            (Self::Undefined, _) | (_, Self::Undefined) => return Err(Trouble::Undefined),
            (Self::Text(one), Self::Text(two)) => {
                meter.pay(one.as_str().len().min(two.as_str().len()))?;
                Some(one.cmp(two))
            }
            (Self::List(one), Self::List(two)) => {
                for (a, b) in one.iter().zip(two.iter()) {
                    match a.order(&b, meter)? {
                        Some(Ordering::Equal) => {}
                        other => return Ok(other),
                    }
                }
                Some(one.len().cmp(&two.len()))
            }
            (Self::Int(one), Self::Int(two)) => Some(one.cmp(two)),
            (Self::Null, Self::Null) => Some(Ordering::Equal),
            _ => match (self.as_float(), other.as_float()) {
                (Some(one), Some(two)) => one.partial_cmp(&two),
                _ => None,
            },
        })
    }
}

fn number_of(number: &Number) -> Val<'static> {
    if let Some(it) = number.as_i64() {
        Val::Int(i128::from(it))
    } else if let Some(it) = number.as_u64() {
        Val::Int(i128::from(it))
    } else {
        Val::Float(number.as_f64().unwrap_or(f64::NAN))
    }
}

fn integer(it: i128) -> Result<Number, Trouble> {
    i64::try_from(it)
        .map(Number::from)
        .or_else(|_| u64::try_from(it).map(Number::from))
        .map_err(|_| Trouble::failed(format!("the number {it} is too large")))
}

/// JSON has one kind of number: 2.0 is 2.
fn float(it: f64) -> Result<Number, Trouble> {
    if it.fract() == 0.0 && it.abs() < 9e15 {
        return integer(it as i128);
    }
    Number::from_f64(it).ok_or_else(|| Trouble::failed("a division by zero or an infinite number"))
}
