//! How to get from a session back to what it was before a turn.
//!
//! A journal of whole sessions grows with the square of a conversation. What a turn changed is
//! little, and reading from the newest turn backwards reads only as much as is asked for. Changes
//! are found by comparing texts, so that what did not change is not even parsed.

use super::record;
use crate::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Below this, a value is kept as it was instead of member by member.
const DEPTH: usize = 8;

/// What a value was, told by what it became.
#[derive(Debug, Serialize, Deserialize)]
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
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Items<'a> {
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    front: Vec<&'a RawValue>,
    /// How many of the items there are now, from the first on, were there.
    keep: usize,
    #[serde(borrow, default, skip_serializing_if = "BTreeMap::is_empty")]
    changed: BTreeMap<usize, Undo<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    back: Vec<&'a RawValue>,
}

/// How to get from `new` to `old`; none if they are the same.
pub(super) fn undo<'a>(old: &'a [u8], new: &'a [u8]) -> Result<Option<Undo<'a>>, StoreError> {
    compare(record::read(old)?, record::read(new)?, 0)
}

fn compare<'a>(
    old: &'a RawValue,
    new: &'a RawValue,
    depth: usize,
) -> Result<Option<Undo<'a>>, StoreError> {
    if old.get() == new.get() {
        return Ok(None);
    }
    let starts = [old, new].map(|value| value.get().as_bytes().first());
    Ok(Some(match starts {
        _ if depth == DEPTH => Undo::Was(old),
        [Some(b'{'), Some(b'{')] => Undo::Members(members(old, new, depth)?),
        [Some(b'['), Some(b'[')] => Undo::Items(items(old, new, depth)?),
        _ => Undo::Was(old),
    }))
}

fn members<'a>(
    old: &'a RawValue,
    new: &'a RawValue,
    depth: usize,
) -> Result<BTreeMap<String, Undo<'a>>, StoreError> {
    let old: BTreeMap<String, &'a RawValue> = record::read(old.get().as_bytes())?;
    let new: BTreeMap<String, &'a RawValue> = record::read(new.get().as_bytes())?;
    let mut changes = BTreeMap::new();
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        changes.insert(key.clone(), Undo::Absent);
    }
    for (key, old) in old {
        let change = match new.get(&key) {
            Some(new) => compare(old, new, depth + 1)?,
            None => Some(Undo::Was(old)),
        };
        changes.extend(change.map(|change| (key, change)));
    }
    Ok(changes)
}

fn items<'a>(old: &'a RawValue, new: &'a RawValue, depth: usize) -> Result<Items<'a>, StoreError> {
    let old: Vec<&'a RawValue> = record::read(old.get().as_bytes())?;
    let new: Vec<&'a RawValue> = record::read(new.get().as_bytes())?;
    // Lists of lines grow at the end and lose what is oldest.
    let same = |(old, new): (&&RawValue, &&RawValue)| old.get() == new.get();
    let goes_on = |gone: &usize| {
        let kept = &old[*gone..];
        kept.len() <= new.len() && kept.iter().zip(&new).all(same)
    };
    if let Some(gone) = (0..old.len()).find(goes_on) {
        return Ok(Items {
            front: old[..gone].to_vec(),
            keep: old.len() - gone,
            ..Items::default()
        });
    }
    // Stacks change at the top.
    let keep = old.len().min(new.len());
    let mut changed = BTreeMap::new();
    for (place, (old, new)) in old.iter().zip(&new).enumerate() {
        changed.extend(compare(old, new, depth + 1)?.map(|change| (place, change)));
    }
    Ok(Items {
        front: Vec::new(),
        keep,
        changed,
        back: old[keep..].to_vec(),
    })
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
    use proptest::prelude::*;
    use serde_json::json;

    fn change(old: &Value, new: &Value) -> Option<String> {
        let [old, new] = [old, new].map(|value| serde_json::to_vec(value).expect("is data"));
        let undo = undo(&old, &new).expect("compares");
        undo.map(|undo| serde_json::to_string(&undo).expect("is data"))
    }

    fn undone(old: &Value, new: &Value) -> Value {
        let mut value = new.clone();
        if let Some(change) = change(old, new) {
            let undo: Undo<'_> = record::read(change.as_bytes()).expect("reads");
            undo.apply(&mut value).expect("fits");
        }
        value
    }

    #[test]
    fn what_is_the_same_takes_no_room() {
        let value = json!({"a": [1, {"b": null}]});
        assert_eq!(change(&value, &value), None);
    }

    #[test]
    fn a_line_more_costs_a_number_and_a_line_less_its_text() {
        let old = json!({"lines": ["one", "two", "three"]});
        let new = json!({"lines": ["two", "three", "four"]});
        assert_eq!(
            change(&old, &new).expect("differ"),
            r#"{"members":{"lines":{"items":{"front":["one"],"keep":2}}}}"#
        );
        assert_eq!(undone(&old, &new), old);
    }

    #[test]
    fn a_change_deep_in_a_stack_leaves_the_rest_of_it_out() {
        let frame = |handle| json!({"agent": {"request": "x".repeat(1000), "handle": handle}});
        let [old, new] = [1, 2].map(|handle| json!([{"flow": "main"}, frame(handle)]));
        let change = change(&old, &new).expect("differ");
        assert!(change.len() < 100, "{change}");
        assert_eq!(undone(&old, &new), old);
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

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ab\"\\\\é]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(12, 40, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[ab\"]{1}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_changed_is_undone(old in value(), new in value()) {
            prop_assert_eq!(undone(&old, &new), old);
        }
    }
}
