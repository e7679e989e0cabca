//! A config value that is computed.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A config value a designer writes as an expression.
///
/// In a flow file it is text, for example `context.amount > 100`, and its schema says so (`"format":
/// "expression"`). The host evaluates the text before the step and passes the value, so that a node
/// never sees an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Expression<T>(pub T);

impl<T> JsonSchema for Expression<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "expression" })
    }
}
