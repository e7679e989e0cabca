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

/// A path with `${name}` in it, for reading: each stands for a value. As a member's name the value is
/// quoted, so that it may be anything and is never more of the path than that name.
pub(crate) fn fill(path: &str, parameter: &dyn Fn(&str) -> String) -> Result<String, BadPath> {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, inside)) = rest.split_once("${") {
        let Some((name, after)) = inside.split_once('}') else {
            break;
        };
        let value = parameter(name);
        let escaped = || value.replace('\\', "\\\\").replace('\'', "\\'");
        let index = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if let Some(member) = before.strip_suffix('.').filter(|_| ends_name(after)) {
            filled.push_str(&format!("{member}['{}']", escaped()));
        } else if before.ends_with('[') && index {
            filled.push_str(&format!("{before}{value}"));
        } else if before.ends_with('[') {
            filled.push_str(&format!("{before}'{}'", escaped()));
        } else if before.ends_with("['") {
            filled.push_str(&format!("{before}{}", escaped()));
        } else if !value.is_empty() && value.bytes().all(plain) {
            filled.push_str(&format!("{before}{value}"));
        } else {
            return Err(BadPath(format!(
                "'{path}' has ${{{name}}} inside a name, and its value is more than letters and digits"
            )));
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether a name is complete where this text begins.
fn ends_name(after: &str) -> bool {
    after.is_empty() || after.starts_with(['.', '['])
}

/// Puts a value where a path leads that has `${name}` in it. The path is taken apart first: a value is one
/// name in it, or one place in a list.
pub(crate) fn write_filled(
    path: &str,
    parameter: &dyn Fn(&str) -> String,
    into: &mut Value,
    value: Value,
) -> Result<(), BadPath> {
    let mut segments = segments(path)?;
    for segment in &mut segments {
        let (Segment::Name(name) | Segment::Parameter(name)) = segment else {
            continue;
        };
        let mut filled = String::new();
        let mut rest = name.as_str();
        while let Some((before, inside)) = rest.split_once("${") {
            let Some((name, after)) = inside.split_once('}') else {
                break;
            };
            filled.push_str(before);
            filled.push_str(&parameter(name));
            rest = after;
        }
        filled.push_str(rest);
        *segment = match segment {
            Segment::Parameter(_) => {
                index_in(&filled).map_or(Segment::Name(filled), Segment::Index)
            }
            _ => Segment::Name(filled),
        };
    }
    place(&segments, into, value);
    Ok(())
}

/// One step of a path that leads to one place.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Name(String),
    Index(usize),
    /// `[${name}]`: a place in a list if the value is a number, else a name.
    Parameter(String),
}

/// The longest list that a path may make by naming a place in it.
const MAX_INDEX: usize = 999;

/// Puts a value where a path leads, and makes objects and lists on the way. What was there before goes.
pub(crate) fn write(path: &str, into: &mut Value, value: Value) -> Result<(), BadPath> {
    place(&segments(path)?, into, value);
    Ok(())
}

fn place(segments: &[Segment], into: &mut Value, value: Value) {
    let mut place = into;
    for segment in segments {
        place = match segment {
            Segment::Name(name) | Segment::Parameter(name) => {
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                // The line above made it one.
                let Value::Object(members) = place else {
                    return;
                };
                members.entry(name.clone()).or_insert(Value::Null)
            }
            Segment::Index(index) => {
                if !place.is_array() {
                    *place = Value::Array(Vec::new());
                }
                let Value::Array(items) = place else {
                    return;
                };
                if items.len() <= *index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[*index]
            }
        };
    }
    *place = value;
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
    if text.starts_with("${") && text.ends_with('}') {
        return Some(Segment::Parameter(text.to_owned()));
    }
    index_in(text).map(Segment::Index)
}

fn index_in(text: &str) -> Option<usize> {
    text.parse().ok().filter(|index| *index <= MAX_INDEX)
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
    fn a_value_in_a_path_is_one_name_whatever_it_spells() {
        for value in [
            "a']['b", "a.b", "*", "..", "a]", "", "'", "\\", "${x}", "0", "$",
        ] {
            let parameter = |_: &str| value.to_owned();
            let read_from = json!({ "users": { value: 1, "b": 2, "a": { "b": 3 } } });
            for path in ["$.users.${x}", "$.users['${x}']"] {
                let path = fill(path, &parameter).expect("it is a path");
                assert_eq!(read(&path, &read_from), Ok(Some(json!(1))), "{path}");
            }
            for path in ["$.users.${x}.key", "$['users']['${x}'].key"] {
                let mut body = json!({ "token": "t" });
                write_filled(path, &parameter, &mut body, json!(1)).expect("it leads to one place");
                let expected = json!({ "token": "t", "users": { value: { "key": 1 } } });
                assert_eq!(body, expected, "{path} {value}");
            }
        }
        let listed = |value: &str| {
            let mut body = json!({});
            write_filled("$.list[${i}]", &|_| value.to_owned(), &mut body, json!(1))
                .expect("one place");
            body
        };
        assert_eq!(listed("1"), json!({ "list": [null, 1] }));
        assert_eq!(listed("0].x[1"), json!({ "list": { "0].x[1": 1 } }));
        assert!(fill("$.pre${x}", &|_| "a.b".to_owned()).is_err());
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
