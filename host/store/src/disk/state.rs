//! A session as rows: what is small stands together, what is large in a row of its own.
//!
//! A turn changes little of a session, and only the rows it changed are written. A row is named by its path:
//! `/name` leads to a member of an object, `#0000000001` to an item of a list. In a name `~`, `/` and `#` are
//! written `~0`, `~1` and `~2`.

use crate::StoreError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Paths and JSON.
pub(super) type Rows = BTreeMap<String, String>;

/// A value up to this many bytes stands in the row of what it is in.
const SMALL: usize = 200;

/// A row holds at most this many bytes of small values; where there are more, each has its own. Much more would
/// be written again with every number that changes.
const ROW: usize = 256;

/// Below this, a value is one row whatever its size.
const DEPTH: usize = 8;

/// The rows of a value.
pub(super) fn split(value: Value) -> Rows {
    let mut rows = Rows::new();
    if let Some(whole) = part(value, &mut String::new(), 0, &mut rows) {
        rows.insert(String::new(), whole.to_string());
    }
    rows
}

/// Writes the large parts of a value as rows, or gives back a value that is small. What stands at the root is
/// always split.
fn part(value: Value, path: &mut String, depth: usize, rows: &mut Rows) -> Option<Value> {
    let splits = match &value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if !splits || depth == DEPTH {
        return keep(value, path, rows);
    }
    if depth > 0 && size(&value) <= SMALL {
        return Some(value);
    }
    match value {
        Value::Object(members) => split_object(members, path, depth, rows),
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                under(path, &format!("#{index:010}"), |path| {
                    if let Some(small) = part(item, path, depth + 1, rows) {
                        rows.insert(path.clone(), small.to_string());
                    }
                });
            }
        }
        _ => {}
    }
    None
}

fn keep(value: Value, path: &str, rows: &mut Rows) -> Option<Value> {
    if size(&value) <= SMALL {
        return Some(value);
    }
    rows.insert(path.to_owned(), value.to_string());
    None
}

fn split_object(members: Map<String, Value>, path: &mut String, depth: usize, rows: &mut Rows) {
    let mut small = Map::new();
    for (name, value) in members {
        let kept = under(path, &step_to(&name), |path| {
            part(value, path, depth + 1, rows)
        });
        if let Some(value) = kept {
            small.insert(name, value);
        }
    }
    let together = Value::Object(small);
    if size(&together) <= ROW {
        rows.insert(path.clone(), together.to_string());
        return;
    }
    // The object itself is told by the rows below it.
    if let Value::Object(small) = together {
        for (name, value) in small {
            let row = format!("{path}{}", step_to(&name));
            rows.insert(row, value.to_string());
        }
    }
}

fn under<T>(path: &mut String, step: &str, work: impl FnOnce(&mut String) -> T) -> T {
    let length = path.len();
    path.push_str(step);
    let done = work(path);
    path.truncate(length);
    done
}

fn step_to(name: &str) -> String {
    let name = name
        .replace('~', "~0")
        .replace('/', "~1")
        .replace('#', "~2");
    format!("/{name}")
}

/// Bytes of a value as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(_) => 5,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 1,
        Value::Object(members) => {
            members
                .iter()
                .map(|(name, value)| name.len() + 4 + size(value))
                .sum::<usize>()
                + 1
        }
    }
}

/// The value that rows were made of.
pub(super) fn join<'a>(rows: impl Iterator<Item = (&'a str, Value)>) -> Result<Value, StoreError> {
    let mut whole = Value::Null;
    // A row comes before those below it.
    for (path, value) in rows {
        let place = place_of(&mut whole, path)?;
        match (&mut *place, value) {
            (Value::Object(members), Value::Object(more)) => members.extend(more),
            (place, value) => *place = value,
        }
    }
    Ok(whole)
}

/// The place a path leads to, made where it is not there yet.
fn place_of<'v>(whole: &'v mut Value, path: &str) -> Result<&'v mut Value, StoreError> {
    let damaged = || StoreError::corrupt(format!("'{path}' is no place in a session"));
    let mut place = whole;
    let mut rest = path;
    while let Some(kind) = rest.chars().next() {
        let end = rest[1..].find(['/', '#']).map_or(rest.len(), |at| at + 1);
        let step = &rest[1..end];
        rest = &rest[end..];
        place = match kind {
            '/' => {
                if place.is_null() {
                    *place = Value::Object(Map::new());
                }
                let name = step
                    .replace("~2", "#")
                    .replace("~1", "/")
                    .replace("~0", "~");
                let members = place.as_object_mut().ok_or_else(damaged)?;
                members.entry(name).or_insert(Value::Null)
            }
            '#' => {
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let items = place.as_array_mut().ok_or_else(damaged)?;
                let index: usize = step.parse().map_err(|_| damaged())?;
                if index == items.len() {
                    items.push(Value::Null);
                }
                items.get_mut(index).ok_or_else(damaged)?
            }
            _ => return Err(damaged()),
        };
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn joined(rows: &Rows) -> Value {
        let rows = rows
            .iter()
            .map(|(path, json)| (path.as_str(), serde_json::from_str(json).expect("is JSON")));
        join(rows).expect("fits together")
    }

    #[test]
    fn a_small_change_in_a_large_session_changes_a_small_row() {
        let text = "x".repeat(5_000);
        let session = |revision| {
            json!({
                "revision": revision,
                "context": {"long": text, "city": "Lisboa"},
                "stack": [{"flow": {"bot": "CareBot"}}, {"agent": {"request": {"notes": text}, "handle": revision}}],
            })
        };
        let (old, new) = (split(session(1)), split(session(2)));
        let changed: usize = new
            .iter()
            .filter(|(path, row)| old.get(*path) != Some(row))
            .map(|(_, row)| row.len())
            .sum();
        assert!(changed < 100, "{changed} of {new:#?}");
        assert_eq!(joined(&new), session(2));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_damage_and_no_panic() {
        for path in ["x", "/a#x", "#0000000007", "/a/b"] {
            let rows = [("/a", json!(1)), (path, json!(2))];
            let error = join(rows.into_iter()).expect_err(path);
            assert_eq!(error.code(), "store.corrupt");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ab~/#\"\\\\é]{0,4}".prop_map(Value::from),
            "[ab]{0,2}".prop_map(|text| Value::from(text.repeat(300))),
        ];
        leaf.prop_recursive(12, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[ab~/#0]{0,3}", inner, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_split_is_joined_again(value in value()) {
            prop_assert_eq!(joined(&split(value.clone())), value);
        }
    }
}
