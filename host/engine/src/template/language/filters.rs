//! Filters, as in `name | upper`. What a filter builds is paid for before it is built.

use super::meter::{Meter, Trouble};
use super::operators::{Arithmetic, concatenate};
use super::printf;
use super::tests::Test;
use super::value::{ITEM, Text, Val};
use std::cmp::Ordering;

macro_rules! filters {
    ($($variant:ident: $($name:literal)|+,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::template) enum Filter { $($variant),* }

        impl Filter {
            pub(super) fn named(name: &str) -> Option<Self> {
                match name {
                    $($($name)|+ => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

filters! {
    Safe: "safe",
    Escape: "escape" | "e",
    Lower: "lower",
    Upper: "upper",
    Title: "title",
    Capitalize: "capitalize",
    Replace: "replace",
    Length: "length" | "count",
    Dictsort: "dictsort",
    Items: "items",
    Reverse: "reverse",
    Trim: "trim",
    Join: "join",
    Split: "split",
    Lines: "lines",
    Default: "default" | "d",
    Round: "round",
    Abs: "abs",
    Int: "int",
    Float: "float",
    Attr: "attr",
    First: "first",
    Last: "last",
    Min: "min",
    Max: "max",
    Sort: "sort",
    List: "list",
    String: "string",
    Bool: "bool",
    Batch: "batch",
    Slice: "slice",
    Sum: "sum",
    Indent: "indent",
    Select: "select",
    Reject: "reject",
    Selectattr: "selectattr",
    Rejectattr: "rejectattr",
    Map: "map",
    Groupby: "groupby",
    Unique: "unique",
    Chain: "chain",
    Zip: "zip",
    Pprint: "pprint",
    Format: "format",
    Tojson: "tojson",
    Urlencode: "urlencode",
}

/// Arguments with their values.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) positional: Vec<Val<'a>>,
    pub(super) named: Vec<(&'a str, Val<'a>)>,
}

impl<'a> Given<'a> {
    pub(super) fn get(&self, index: usize, name: &str) -> Option<Val<'a>> {
        let named = self.named.iter().find(|(key, _)| *key == name);
        let given = named.map(|(_, value)| value).or(self.positional.get(index));
        given.cloned()
    }

    pub(super) fn needed(&self, index: usize, name: &str) -> Result<Val<'a>, Trouble> {
        self.get(index, name)
            .ok_or_else(|| Trouble::failed(format!("the argument '{name}' is missing")))
    }

    fn flag(&self, index: usize, name: &str) -> Result<bool, Trouble> {
        self.get(index, name).map_or(Ok(false), |it| it.is_true())
    }

    fn count(&self, index: usize, name: &str) -> Result<usize, Trouble> {
        let count = self.needed(index, name)?.as_int();
        count
            .and_then(|it| usize::try_from(it).ok())
            .ok_or_else(|| Trouble::failed(format!("the argument '{name}' has to be a count")))
    }

    /// Without the first argument.
    fn rest(&self, skipped: usize) -> Self {
        Self {
            positional: self.positional.iter().skip(skipped).cloned().collect(),
            named: self.named.clone(),
        }
    }
}

impl Filter {
    pub(super) fn apply<'a>(
        self,
        value: &Val<'a>,
        given: &Given<'a>,
        meter: &mut Meter,
    ) -> Result<Val<'a>, Trouble> {
        if self == Self::Default {
            let missing = match value {
                Val::Undefined => true,
                _ => given.flag(1, "boolean")? && !value.is_true()?,
            };
            return Ok(match missing {
                true => given
                    .get(0, "default_value")
                    .unwrap_or(Val::Text(Text::Lent(""))),
                false => value.clone(),
            });
        }
        if matches!(value, Val::Undefined) {
            return Err(Trouble::Undefined);
        }
        match self {
            Self::Safe
            | Self::Escape
            | Self::Lower
            | Self::Upper
            | Self::Title
            | Self::Capitalize
            | Self::Replace
            | Self::Trim
            | Self::Split
            | Self::Lines
            | Self::String
            | Self::Indent
            | Self::Pprint
            | Self::Format
            | Self::Tojson
            | Self::Urlencode => self.of_text(value, given, meter),
            Self::Round | Self::Abs | Self::Int | Self::Float | Self::Bool => {
                self.of_number(value, given)
            }
            Self::Length | Self::First | Self::Last | Self::Attr => {
                self.of_some(value, given, meter)
            }
            Self::Select | Self::Reject | Self::Selectattr | Self::Rejectattr | Self::Map => {
                self.each(value, given, meter)
            }
            _ => self.of_list(value, given, meter),
        }
    }

    fn of_text<'a>(
        self,
        value: &Val<'a>,
        given: &Given<'a>,
        meter: &mut Meter,
    ) -> Result<Val<'a>, Trouble> {
        if let Self::Tojson | Self::Pprint = self {
            let pretty = match given.get(0, "indent") {
                Some(Val::Bool(pretty)) => pretty,
                Some(Val::Null) => false,
                Some(_) => true,
                None => self == Self::Pprint,
            };
            let size = value.pay_walk(meter)?;
            // Each item may be indented as deep as it stands.
            meter.pay_each(size, if pretty { 8 } else { 2 })?;
            let json = value.to_json(meter)?;
            let text = match pretty {
                true => serde_json::to_string_pretty(&json).unwrap_or_default(),
                false => json.to_string(),
            };
            meter.pay(text.len())?;
            return Ok(Val::text(text));
        }
        let text = value.printed(meter)?;
        let text = text.as_str();
        // Three bytes may come of one in another case, nine of one when encoded.
        meter.pay_each(text.len() + 16, 8)?;
        Ok(match self {
            Self::Safe | Self::String => Val::Text(value.printed(meter)?),
            Self::Lower => Val::text(text.to_lowercase()),
            Self::Upper => Val::text(text.to_uppercase()),
            Self::Capitalize => Val::text(capitalized(text)),
            Self::Title => Val::text(titled(text)),
            Self::Escape => Val::text(escaped(text)),
            Self::Urlencode => Val::text(urlencoded(text)),
            Self::Trim => match given.get(0, "chars") {
                Some(chars) => {
                    let chars = chars.printed(meter)?;
                    let chars: Vec<char> = chars.as_str().chars().take(64).collect();
                    Val::text(text.trim_matches(chars.as_slice()))
                }
                None => Val::text(text.trim()),
            },
            Self::Replace => {
                let from = given.needed(0, "from")?.printed(meter)?;
                let to = given.needed(1, "to")?.printed(meter)?;
                let (from, to) = (from.as_str(), to.as_str());
                let found = text.matches(from).count();
                meter.pay_each(found.saturating_mul(to.len()), 2)?;
                Val::text(text.replace(from, to))
            }
            Self::Split => split(text, given, meter)?,
            Self::Lines => {
                let lines: Vec<&str> = text.lines().collect();
                texts(&lines, meter)?
            }
            Self::Indent => {
                let width = given.count(0, "width")?;
                let lines = text.lines().count() + 1;
                meter.pay_each(width.saturating_mul(lines), 2)?;
                Val::text(indented(
                    text,
                    width,
                    given.flag(1, "first")?,
                    given.flag(2, "blank")?,
                ))
            }
            Self::Format => printf::format(text, given, meter)?,
            _ => return Err(self.unfit(value)),
        })
    }

    fn of_number<'a>(self, value: &Val<'a>, given: &Given<'a>) -> Result<Val<'a>, Trouble> {
        let default = given.get(0, "default");
        match self {
            Self::Bool => value.is_true().map(Val::Bool),
            Self::Abs => match value {
                Val::Int(it) => it
                    .checked_abs()
                    .map(Val::Int)
                    .ok_or_else(|| self.unfit(value)),
                _ => value
                    .as_float()
                    .map(|it| Val::Float(it.abs()))
                    .ok_or_else(|| self.unfit(value)),
            },
            Self::Round => {
                let digits = given
                    .get(0, "precision")
                    .and_then(|it| it.as_int())
                    .unwrap_or(0);
                let factor = 10_f64.powi(i32::try_from(digits.clamp(-300, 300)).unwrap_or(0));
                match value {
                    Val::Int(it) => Ok(Val::Int(*it)),
                    _ => {
                        let it = value.as_float().ok_or_else(|| self.unfit(value))?;
                        let rounded = (it * factor).round_ties_even() / factor;
                        Ok(Val::Float(if rounded.is_finite() { rounded } else { it }))
                    }
                }
            }
            Self::Int => {
                let whole = match value {
                    Val::Text(text) => {
                        let text = text.as_str().trim();
                        let whole = text.parse().ok();
                        whole.or_else(|| text.parse::<f64>().ok().map(|it| it as i128))
                    }
                    Val::Float(it) => Some(it.trunc() as i128),
                    _ => value.as_int(),
                };
                whole
                    .map(Val::Int)
                    .or(default)
                    .ok_or_else(|| self.unfit(value))
            }
            _ => {
                let float = match value {
                    Val::Text(text) => text
                        .as_str()
                        .trim()
                        .parse()
                        .ok()
                        .filter(|it: &f64| it.is_finite()),
                    _ => value.as_float(),
                };
                float
                    .map(Val::Float)
                    .or(default)
                    .ok_or_else(|| self.unfit(value))
            }
        }
    }

    fn of_some<'a>(
        self,
        value: &Val<'a>,
        given: &Given<'a>,
        meter: &mut Meter,
    ) -> Result<Val<'a>, Trouble> {
        match self {
            Self::Length => {
                let length = match value {
                    Val::Text(text) => {
                        meter.pay(text.as_str().len())?;
                        text.as_str().chars().count()
                    }
                    Val::List(items) => items.len(),
                    Val::Map(entries) => entries.len(),
                    _ => return Err(self.unfit(value)),
                };
                Ok(Val::Int(length as i128))
            }
            Self::Attr => {
                let key = given.needed(0, "name")?;
                Ok(member(value, &key))
            }
            _ => {
                let first = self == Self::First;
                match value {
                    Val::Text(text) => {
                        let mut chars = text.as_str().chars();
                        let c = if first {
                            chars.next()
                        } else {
                            chars.next_back()
                        };
                        Ok(c.map_or(Val::Undefined, |c| Val::text(c.to_string())))
                    }
                    Val::List(items) => {
                        let index = if first {
                            0
                        } else {
                            items.len().wrapping_sub(1)
                        };
                        Ok(items.get(index).unwrap_or(Val::Undefined))
                    }
                    Val::Map(_) if first => Ok(value
                        .items(meter)?
                        .into_iter()
                        .next()
                        .unwrap_or(Val::Undefined)),
                    _ => Err(self.unfit(value)),
                }
            }
        }
    }

    fn of_list<'a>(
        self,
        value: &Val<'a>,
        given: &Given<'a>,
        meter: &mut Meter,
    ) -> Result<Val<'a>, Trouble> {
        if let (Self::Reverse, Val::Text(text)) = (self, value) {
            meter.pay_each(text.as_str().len(), 2)?;
            return Ok(Val::text(text.as_str().chars().rev().collect::<String>()));
        }
        if let (Self::Items | Self::Dictsort, Val::Map(entries)) = (self, value) {
            meter.pay_each(entries.len(), 4 * ITEM)?;
            let mut entries = entries.entries();
            if self == Self::Dictsort
                && given
                    .get(1, "by")
                    .is_some_and(|by| by.as_str() == Some("value"))
            {
                let key = |it: &(Text<'a>, Val<'a>)| it.1.clone();
                entries = sort(entries, &key, false, meter)?;
            }
            if given.flag(9, "reverse")? {
                entries.reverse();
            }
            let pairs = entries.into_iter();
            let pairs = pairs.map(|(key, value)| Val::list(vec![Val::Text(key), value], meter));
            let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
            return Val::list(pairs, meter);
        }
        let mut items = value.items(meter)?;
        Ok(match self {
            Self::List => Val::list(items, meter)?,
            Self::Reverse => {
                items.reverse();
                Val::list(items, meter)?
            }
            Self::Join => return join(&items, given, meter),
            Self::Min | Self::Max => {
                let mut best: Option<Val<'a>> = None;
                for item in items {
                    let better = match &best {
                        None => true,
                        Some(best) => {
                            let order = rank(&item, best, true, meter)?;
                            order
                                == if self == Self::Min {
                                    Ordering::Less
                                } else {
                                    Ordering::Greater
                                }
                        }
                    };
                    if better {
                        best = Some(item);
                    }
                }
                best.unwrap_or(Val::Undefined)
            }
            Self::Sort => {
                let exact = given.flag(1, "case_sensitive")?;
                let path = given.get(2, "attribute");
                let key = |it: &Val<'a>| path.as_ref().map_or(it.clone(), |path| at_path(it, path));
                items = sort(items, &key, exact, meter)?;
                if given.flag(0, "reverse")? {
                    items.reverse();
                }
                Val::list(items, meter)?
            }
            Self::Sum => {
                let attribute = given.get(0, "attribute");
                let mut sum = given.get(1, "start").unwrap_or(Val::Int(0));
                for item in items {
                    let item = attribute
                        .as_ref()
                        .map_or(item.clone(), |path| at_path(&item, path));
                    sum = Arithmetic::Add.apply(&sum, &item, meter)?;
                }
                sum
            }
            Self::Unique => {
                let attribute = given.get(1, "attribute");
                let mut seen: Vec<Val<'a>> = Vec::new();
                let mut kept = Vec::new();
                for item in items {
                    let key = attribute
                        .as_ref()
                        .map_or(item.clone(), |path| at_path(&item, path));
                    let mut known = false;
                    for other in &seen {
                        known = known || other.equals(&key, meter)?;
                    }
                    if !known {
                        seen.push(key);
                        kept.push(item);
                    }
                }
                Val::list(kept, meter)?
            }
            Self::Batch | Self::Slice => grouped(self, items, given, meter)?,
            Self::Groupby => {
                let path = given.needed(0, "attribute")?;
                let key = |it: &Val<'a>| at_path(it, &path);
                items = sort(items, &key, false, meter)?;
                let mut groups: Vec<(Val<'a>, Vec<Val<'a>>)> = Vec::new();
                for item in items {
                    let key = key(&item);
                    match groups.last_mut() {
                        Some((last, group)) if last.equals(&key, meter)? => group.push(item),
                        _ => groups.push((key, vec![item])),
                    }
                }
                let mut all = Vec::new();
                for (key, group) in groups {
                    let group = Val::list(group, meter)?;
                    let entries = [(Text::Lent("grouper"), key), (Text::Lent("list"), group)];
                    all.push(Val::map(entries.into(), meter)?);
                }
                Val::list(all, meter)?
            }
            Self::Chain => {
                for other in &given.positional {
                    items.append(&mut other.items(meter)?);
                }
                Val::list(items, meter)?
            }
            Self::Zip => {
                let others = given.positional.iter().map(|it| it.items(meter));
                let others = others.collect::<Result<Vec<_>, _>>()?;
                let shortest = others.iter().map(Vec::len).min().unwrap_or(items.len());
                let mut rows = Vec::new();
                for (index, item) in items.into_iter().take(shortest).enumerate() {
                    meter.pay_each(others.len() + 1, ITEM)?;
                    let others = others.iter().filter_map(|it| it.get(index).cloned());
                    rows.push(Val::list(
                        std::iter::once(item).chain(others).collect(),
                        meter,
                    )?);
                }
                Val::list(rows, meter)?
            }
            _ => return Err(self.unfit(value)),
        })
    }

    /// `map`, `select` and their like. The filter they apply to each item is none of them.
    fn each<'a>(
        self,
        value: &Val<'a>,
        given: &Given<'a>,
        meter: &mut Meter,
    ) -> Result<Val<'a>, Trouble> {
        let items = value.items(meter)?;
        let mut kept = Vec::new();
        if self == Self::Map {
            if let Some((_, path)) = given.named.iter().find(|(name, _)| *name == "attribute") {
                for item in items {
                    meter.pay(ITEM)?;
                    kept.push(match at_path(&item, path) {
                        Val::Undefined => given.get(9, "default").unwrap_or(Val::Undefined),
                        value => value,
                    });
                }
                return Val::list(kept, meter);
            }
            let name = given.needed(0, "filter")?;
            let name = name.as_str().unwrap_or_default();
            let filter = Self::named(name).ok_or_else(|| Trouble::Unknown {
                kind: "filter",
                name: name.to_owned(),
            })?;
            if let Self::Map | Self::Select | Self::Reject | Self::Selectattr | Self::Rejectattr =
                filter
            {
                return Err(Trouble::failed(format!(
                    "'map' cannot apply '{name}'; use a loop"
                )));
            }
            let rest = given.rest(1);
            for item in items {
                meter.pay(ITEM)?;
                kept.push(filter.apply(&item, &rest, meter)?);
            }
            return Val::list(kept, meter);
        }
        let by_attribute = matches!(self, Self::Selectattr | Self::Rejectattr);
        let wanted = matches!(self, Self::Select | Self::Selectattr);
        let path = by_attribute
            .then(|| given.needed(0, "attribute"))
            .transpose()?;
        let skipped = usize::from(by_attribute);
        let test = match given.positional.get(skipped) {
            None => None,
            Some(name) => {
                let name = name.as_str().unwrap_or_default();
                Some(Test::named(name).ok_or_else(|| Trouble::Unknown {
                    kind: "test",
                    name: name.to_owned(),
                })?)
            }
        };
        let rest = given.rest(skipped + 1);
        for item in items {
            meter.pay(ITEM)?;
            let subject = path
                .as_ref()
                .map_or(item.clone(), |path| at_path(&item, path));
            let holds = match test {
                Some(test) => test.holds(&subject, &rest, meter)?,
                None => !matches!(subject, Val::Undefined) && subject.is_true()?,
            };
            if holds == wanted {
                kept.push(item);
            }
        }
        Val::list(kept, meter)
    }

    fn unfit(self, value: &Val<'_>) -> Trouble {
        let name = format!("{self:?}").to_lowercase();
        Trouble::failed(format!(
            "the filter '{name}' does not work on {}",
            value.kind()
        ))
    }
}

/// A member of a map by its key, an item of a list by its index; undefined if there is none.
pub(super) fn member<'a>(value: &Val<'a>, key: &Val<'a>) -> Val<'a> {
    let found = match (value, key) {
        (Val::Map(entries), Val::Text(key)) => entries.get(key.as_str()),
        (Val::List(items), _) => key.as_int().and_then(|index| {
            let len = items.len() as i128;
            let index = if index < 0 { index + len } else { index };
            usize::try_from(index)
                .ok()
                .and_then(|index| items.get(index))
        }),
        _ => None,
    };
    found.unwrap_or(Val::Undefined)
}

/// A value by a path such as `user.name`.
fn at_path<'a>(value: &Val<'a>, path: &Val<'a>) -> Val<'a> {
    let Some(path) = path.as_str() else {
        return member(value, path);
    };
    let mut value = value.clone();
    for part in path.split('.') {
        value = match (&value, part.parse()) {
            (Val::Map(entries), _) => entries.get(part).unwrap_or(Val::Undefined),
            (Val::List(items), Ok(index)) => items.get(index).unwrap_or(Val::Undefined),
            _ => return Val::Undefined,
        };
    }
    value
}

/// Order of any two values: by kind, then by value; texts as they read, whatever their case.
fn rank<'a>(
    one: &Val<'a>,
    two: &Val<'a>,
    exact: bool,
    meter: &mut Meter,
) -> Result<Ordering, Trouble> {
    if let (Some(a), Some(b), false) = (one.as_str(), two.as_str(), exact) {
        meter.pay_each(a.len() + b.len() + 16, 4)?;
        return Ok(a.to_lowercase().cmp(&b.to_lowercase()));
    }
    Ok(match one.order(two, meter)? {
        Some(order) => order,
        None => one.kind().cmp(two.kind()),
    })
}

/// Sorts stably. An exhausted budget ends it, and an order that contradicts itself does no harm.
fn sort<'a, T>(
    mut items: Vec<T>,
    key: &dyn Fn(&T) -> Val<'a>,
    exact: bool,
    meter: &mut Meter,
) -> Result<Vec<T>, Trouble> {
    if items.len() < 2 {
        return Ok(items);
    }
    meter.pay_each(items.len(), ITEM)?;
    let right = items.split_off(items.len() / 2);
    let mut left = sort(items, key, exact, meter)?.into_iter().peekable();
    let mut right = sort(right, key, exact, meter)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(one), Some(two)) = (left.peek(), right.peek()) {
        let later = rank(&key(one), &key(two), exact, meter)?.is_gt();
        merged.extend(if later { right.next() } else { left.next() });
    }
    merged.extend(left.chain(right));
    Ok(merged)
}

fn join<'a>(items: &[Val<'a>], given: &Given<'a>, meter: &mut Meter) -> Result<Val<'a>, Trouble> {
    let between = match given.get(0, "joiner") {
        Some(between) => between.printed(meter)?,
        None => Text::Lent(""),
    };
    let attribute = given.get(1, "attribute");
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        let item = attribute
            .as_ref()
            .map_or(item.clone(), |path| at_path(item, path));
        let item = item.printed(meter)?;
        meter.pay_each(
            item.as_str().len().saturating_add(between.as_str().len()),
            3,
        )?;
        if index > 0 {
            out.push_str(between.as_str());
        }
        out.push_str(item.as_str());
    }
    concatenate(&out, "", meter)
}

fn split<'a>(text: &str, given: &Given<'a>, meter: &mut Meter) -> Result<Val<'a>, Trouble> {
    let most = given.get(1, "maxsplits").and_then(|it| it.as_int());
    let most = most
        .and_then(|it| usize::try_from(it).ok())
        .map_or(usize::MAX, |it| it.saturating_add(1));
    meter.pay_each(text.len() + 2, 16)?;
    let parts: Vec<&str> = match given.get(0, "split") {
        None | Some(Val::Null) => text.split_whitespace().take(most).collect(),
        Some(at) => {
            let at = at.printed(meter)?;
            text.splitn(most, at.as_str()).collect()
        }
    };
    texts(&parts, meter)
}

fn texts<'a>(parts: &[&str], meter: &mut Meter) -> Result<Val<'a>, Trouble> {
    meter.pay_each(parts.len(), 2 * ITEM)?;
    Val::list(parts.iter().map(|it| Val::text(*it)).collect(), meter)
}

/// `batch`: rows of so many. `slice`: so many rows.
fn grouped<'a>(
    filter: Filter,
    items: Vec<Val<'a>>,
    given: &Given<'a>,
    meter: &mut Meter,
) -> Result<Val<'a>, Trouble> {
    let count = given.count(0, "count")?;
    if count == 0 {
        return Err(Trouble::failed("a count of 0 makes no rows"));
    }
    let fill = given.get(1, "fill_with");
    let sizes: Vec<usize> = if filter == Filter::Batch {
        vec![count; items.len().div_ceil(count)]
    } else {
        meter.pay_each(count, 2 * ITEM)?;
        let (each, more) = (items.len() / count, items.len() % count);
        (0..count)
            .map(|row| each + usize::from(row < more))
            .collect()
    };
    let widest = sizes.iter().copied().max().unwrap_or(0);
    let mut items = items.into_iter();
    let mut rows = Vec::new();
    for size in sizes {
        let mut row: Vec<Val<'a>> = items.by_ref().take(size).collect();
        if let Some(fill) = &fill {
            let missing = widest - row.len();
            meter.pay_each(missing, ITEM)?;
            row.extend(std::iter::repeat_n(fill.clone(), missing));
        }
        rows.push(Val::list(row, meter)?);
    }
    Val::list(rows, meter)
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars.flat_map(char::to_lowercase)).collect()
}

fn titled(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        match inside {
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        }
        inside = !(c.is_whitespace() || c.is_ascii_punctuation() && c != '\'');
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            c => out.push(c),
        }
    }
    out
}

fn urlencoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn indented(text: &str, width: usize, first: bool, blank: bool) -> String {
    let mut out = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if (index > 0 || first) && (blank || !line.is_empty()) {
            out.extend(std::iter::repeat_n(' ', width));
        }
        out.push_str(line);
    }
    out
}
