//! JSONPath for reading (RFC 9535), and its singular form for writing: `$.Destination.ToAddresses[0]`.

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

/// A path that is none, or cannot be used where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadPath(pub(crate) String);

/// What a path finds: nothing, one value, or the list of all.
pub(crate) fn read(path: &str, value: &Value) -> Result<Option<Value>, BadPath> {
    let path = JsonPath::parse(path).map_err(|error| {
        BadPath(format!(
            "'{path}' is not a JSONPath: {error}. Write for example $.customer.email"
        ))
    })?;
    let mut found = path.query(value).all();
    Ok(match found.len() {
        0 => None,
        1 => Some(found.remove(0).clone()),
        _ => Some(Value::Array(found.into_iter().cloned().collect())),
    })
}

/// Whether a path can be read by.
pub(crate) fn check(path: &str) -> Result<(), BadPath> {
    read(path, &Value::Null).map(drop)
}

/// One step of a path that leads to one place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    Index(usize),
}

/// The longest list that a path may make by naming a place in it.
const MAX_INDEX: usize = 999;

/// Puts a value where a path leads, and makes objects and lists on the way. What was there before goes.
pub(crate) fn write(path: &str, into: &mut Value, value: Value) -> Result<(), BadPath> {
    let mut place = into;
    for segment in segments(path)? {
        place = match segment {
            Segment::Name(name) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                // The line above made it one.
                let Value::Object(members) = place else {
                    return Ok(());
                };
                members.entry(name).or_insert(Value::Null)
            }
            Segment::Index(index) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let Value::Array(items) = place else {
                    return Ok(());
                };
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
        };
    }
    *place = value;
    Ok(())
}

fn segments(path: &str) -> Result<Vec<Segment>, BadPath> {
    let bad = || {
        BadPath(format!(
            "'{path}' does not lead to one place. Write for example $.Destination.ToAddresses[0]"
        ))
    };
    let mut rest = path.strip_prefix('$').ok_or_else(bad)?;
    let mut segments = Vec::new();
    while !rest.is_empty() {
        let (segment, after) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            (Segment::Name(name[..end].to_owned()), &name[end..])
        } else {
            let inner = rest.strip_prefix('[').ok_or_else(bad)?;
            let end = inner.find(']').ok_or_else(bad)?;
            (bracketed(&inner[..end]).ok_or_else(bad)?, &inner[end + 1..])
        };
        if matches!(&segment, Segment::Name(name) if name.is_empty() || name == "*") {
            return Err(bad());
        }
        segments.push(segment);
        rest = after;
    }
    Ok(segments)
}

/// What stands in brackets: a place in a list, or a quoted name.
fn bracketed(text: &str) -> Option<Segment> {
    let quoted = ['\'', '"']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    if let Some(name) = quoted {
        return Some(Segment::Name(name.to_owned()));
    }
    let index = text.parse().ok().filter(|index| *index <= MAX_INDEX)?;
    Some(Segment::Index(index))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_makes_the_list_it_leads_into() {
        let mut body = json!({ "Message": { "Subject": { "Data": "Hello" } } });
        write(
            "$.Destination.ToAddresses[0]",
            &mut body,
            json!("ada@example.com"),
        )
        .expect("it leads to one place");
        assert_eq!(
            body,
            json!({
                "Message": { "Subject": { "Data": "Hello" } },
                "Destination": { "ToAddresses": ["ada@example.com"] }
            })
        );
    }

    #[test]
    fn places_before_the_one_that_is_named_are_null() {
        let mut body = Value::Null;
        write("$['list'][2].name", &mut body, json!(1)).expect("it leads to one place");
        assert_eq!(body, json!({ "list": [null, null, { "name": 1 }] }));
    }

    #[test]
    fn a_path_to_many_places_cannot_be_written() {
        for path in ["$.a[*]", "$..a", "a.b", "$.a[-1]", "$.a[1000]", "$.*", "$."] {
            assert!(segments(path).is_err(), "{path}");
        }
    }

    #[test]
    fn what_a_path_finds_is_nothing_one_value_or_a_list() {
        let value = json!({ "a": [{ "b": 1 }, { "b": 2 }], "c": "x" });
        assert_eq!(read("$.c", &value), Ok(Some(json!("x"))));
        assert_eq!(read("$.a[*].b", &value), Ok(Some(json!([1, 2]))));
        assert_eq!(read("$.d", &value), Ok(None));
        assert!(read("email", &value).is_err());
    }
}
