//! Reading a node's config, and saying precisely where it is wrong.

use serde::de::DeserializeOwned;
use serde_json::json;
use serde_path_to_error::{Path, Segment};

use crate::Fault;

/// Whether a config string is, or contains, a template the host has not resolved yet.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Reads a resolved config.
///
/// # Errors
/// `config.invalid` with the JSON Pointer of the first place that does not fit, also in the details
/// as `pointer`.
pub(crate) fn read<C: DeserializeOwned>(config: &str) -> Result<C, Fault> {
    let mut json = serde_json::Deserializer::from_str(config);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        // serde_json ends its sentences with a position in a text nobody has seen.
        let reason = error.inner().to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        let place = if pointer.is_empty() {
            "The config"
        } else {
            pointer.as_str()
        };
        Fault::invalid_config("config.invalid", format!("{place} does not fit: {reason}."))
            .with_details(json!({ "pointer": pointer }))
    })
}

/// Reads a config as it stands in the flow file; none if it does not fit the type, most likely
/// because of a template or an expression. Whether it fits the schema is the host's to say.
pub(crate) fn read_unresolved<C: DeserializeOwned>(config: &str) -> Option<C> {
    // By the same deserializer: a second one would make the component a fifth larger.
    read(config).ok()
}

/// The path as a JSON Pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// Reads what a node remembered.
///
/// # Errors
/// `node.bad_state` if this build of the node can't read it.
pub(crate) fn read_state<S: DeserializeOwned>(state: Option<&str>) -> Result<S, Fault> {
    serde_json::from_str(state.unwrap_or("null")).map_err(|error| {
        Fault::permanent(
            "node.bad_state",
            format!(
                "The node can't read what it remembered ({error}). Run the session with the build \
                 of the node it started with."
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[allow(dead_code)]
        values: BTreeMap<String, Vec<u8>>,
    }

    #[test]
    fn the_fault_names_the_place_that_does_not_fit() {
        let fault = read::<Config>(r#"{"values": {"a/b": [1, "two"]}}"#).expect_err("does not fit");
        assert_eq!(fault.code, "config.invalid");
        assert_eq!(fault.details, Some(json!({ "pointer": "/values/a~1b/1" })));
        assert_eq!(
            fault.message,
            r#"/values/a~1b/1 does not fit: invalid type: string "two", expected u8."#
        );
    }

    #[test]
    fn an_unknown_field_is_named() {
        let fault = read::<Config>(r#"{"vlaues": {}}"#).expect_err("does not fit");
        assert!(fault.message.contains("unknown field `vlaues`"), "{fault}");
    }

    #[test]
    fn no_state_reads_as_null() {
        assert_eq!(read_state::<()>(None), Ok(()));
        assert_eq!(read_state::<Option<u8>>(None), Ok(None));
    }
}
