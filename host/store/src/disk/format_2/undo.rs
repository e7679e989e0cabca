//! How format 2 told what a session was before a turn, by what it became.

use super::super::record;
use crate::StoreError;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a value was, told by what it became.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Undo<'a> {
    /// It was not there.
    Absent,
    /// It was this.
    Was(#[serde(borrow)] &'a RawValue),
    /// It was an object, and these of its members were not what they are.
    Members(#[serde(borrow)] BTreeMap<String, Undo<'a>>),
    /// It was a list.
    Items(#[serde(borrow)] Items<'a>),
}

/// A list was: what stood in front, then what is kept of the list, partly changed, then the rest.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Items<'a> {
    #[serde(borrow, default)]
    front: Vec<&'a RawValue>,
    /// How many of the items there are now, from the first on, were there.
    keep: usize,
    #[serde(borrow, default)]
    changed: BTreeMap<usize, Undo<'a>>,
    #[serde(borrow, default)]
    back: Vec<&'a RawValue>,
}

impl Undo<'_> {
    /// Makes of a value what it was.
    pub(super) fn apply(&self, value: &mut Value) -> Result<(), StoreError> {
        match self {
            Self::Absent => Err(fits_not("a value that was not there")),
            Self::Was(old) => {
                *value = parse(old)?;
                Ok(())
            }
            Self::Members(changes) => {
                let object = value.as_object_mut();
                undo_members(changes, object.ok_or_else(|| fits_not("an object"))?)
            }
            Self::Items(change) => {
                let list = value.as_array_mut();
                undo_items(change, list.ok_or_else(|| fits_not("a list"))?)
            }
        }
    }
}

fn undo_members(
    changes: &BTreeMap<String, Undo<'_>>,
    object: &mut Map<String, Value>,
) -> Result<(), StoreError> {
    for (key, change) in changes {
        match change {
            Undo::Absent => {
                object.remove(key);
            }
            Undo::Was(old) => {
                object.insert(key.clone(), parse(old)?);
            }
            change => change.apply(object.get_mut(key).ok_or_else(|| fits_not(key))?)?,
        }
    }
    Ok(())
}

fn undo_items(change: &Items<'_>, list: &mut Vec<Value>) -> Result<(), StoreError> {
    list.truncate(change.keep);
    for (place, change) in &change.changed {
        change.apply(list.get_mut(*place).ok_or_else(|| fits_not("an item"))?)?;
    }
    list.splice(0..0, parse_all(&change.front)?);
    list.extend(parse_all(&change.back)?);
    Ok(())
}

fn parse_all(items: &[&RawValue]) -> Result<Vec<Value>, StoreError> {
    items.iter().map(|item| parse(item)).collect()
}

fn parse(value: &RawValue) -> Result<Value, StoreError> {
    record::read(value.get().as_bytes())
}

fn fits_not(what: &str) -> StoreError {
    StoreError::corrupt(format!("the journal does not fit its session at {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn undone(change: &str, mut value: Value) -> Value {
        let undo: Undo<'_> = record::read(change.as_bytes()).expect("reads");
        undo.apply(&mut value).expect("fits");
        value
    }

    #[test]
    fn lists_and_members_become_what_they_were() {
        assert_eq!(
            undone(
                r#"{"members":{"lines":{"items":{"front":["one"],"keep":2}}}}"#,
                json!({"lines": ["two", "three", "four"]})
            ),
            json!({"lines": ["one", "two", "three"]})
        );
        assert_eq!(
            undone(
                r#"{"members":{"a":"absent","b":{"was":[1]}}}"#,
                json!({"a": 1, "b": 2, "c": 3})
            ),
            json!({"b": [1], "c": 3})
        );
        assert_eq!(
            undone(
                r#"{"items":{"keep":2,"changed":{"1":{"was":7}},"back":[8]}}"#,
                json!([1, 2])
            ),
            json!([1, 7, 8])
        );
    }

    #[test]
    fn a_change_that_does_not_fit_is_damage_and_no_panic() {
        let change: Undo<'_> =
            record::read(br#"{"items":{"keep":1,"changed":{"4":"absent"}}}"#).expect("reads");
        for mut value in [json!([1]), json!({}), json!(null)] {
            let error = change.apply(&mut value).expect_err("does not fit");
            assert_eq!(error.code(), "store.corrupt");
        }
    }
}
