//! Places in a request where a secret may stand.
//!
//! A secret is bound to an origin and to a place: a token that a connector sends in `authorization` goes
//! into that header and nowhere else, whatever a node does with its placeholder. Places are found in the
//! parsed request, never in its bytes, and a value is put in with the encoding of its place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where in a request a secret may stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The value of a header, by its lower-case name.
    Header(String),
    /// The value of a query parameter.
    Query(String),
    /// The value of a form field (`application/x-www-form-urlencoded`).
    Form(String),
    /// A text in a JSON body, by JSON Pointer (RFC 6901). An empty pointer is the whole body.
    Body(String),
    /// The key of an AWS signature. It signs the request and is not part of it.
    AwsSignature,
}

/// A text that is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a place for a secret; write 'header:authorization', 'query:key', 'form:client_secret', \
     'body:/credentials/token' or 'aws-signature'"
)]
pub struct PlaceError(String);

impl Place {
    /// A header, whatever the case of its name.
    #[must_use]
    pub fn header(name: &str) -> Self {
        Self::Header(name.to_ascii_lowercase())
    }

    /// The places that a value of a document's body comes to: a text of a JSON body, or a field if the body
    /// is sent as a form.
    pub(crate) fn in_body(pointer: &str) -> Vec<Self> {
        let mut places = vec![Self::Body(pointer.to_owned())];
        let field = pointer.strip_prefix('/').filter(|it| !it.contains('/'));
        places.extend(field.map(|name| Self::Form(name.replace("~1", "/").replace("~0", "~"))));
        places
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || PlaceError(text.to_owned());
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let named = |name: &str| {
            let fine = !name.is_empty() && !name.contains("${") && !name.contains("{{");
            fine.then(|| name.to_owned()).ok_or_else(bad)
        };
        match kind {
            "header" => {
                let token =
                    |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                let name = named(name)?;
                name.bytes()
                    .all(token)
                    .then(|| Self::header(&name))
                    .ok_or_else(bad)
            }
            "query" => Ok(Self::Query(named(name)?)),
            "form" => Ok(Self::Form(named(name)?)),
            "body" if name.is_empty() || name.starts_with('/') => Ok(Self::Body(name.to_owned())),
            "aws-signature" if text == kind => Ok(Self::AwsSignature),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Body(pointer) if pointer.is_empty() => f.write_str("body"),
            Self::Body(pointer) => write!(f, "body:{pointer}"),
            Self::AwsSignature => f.write_str("aws-signature"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Place {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Place".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A place in a request: a header, query parameter, form field or text of a JSON body, or 'aws-signature' for a key that signs.",
            "examples": ["header:authorization", "query:key", "form:client_secret", "body:/credentials/token", "aws-signature"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_it_is_read() {
        for text in [
            "header:authorization",
            "query:api key",
            "form:client_secret",
            "body:/credentials/0/token",
            "body",
            "aws-signature",
        ] {
            let place: Place = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(place.to_string(), text);
        }
        assert_eq!(
            "header:X-Key".parse(),
            Ok(Place::Header("x-key".to_owned()))
        );
    }

    #[test]
    fn text_that_is_no_place_is_refused() {
        for text in [
            "",
            "header",
            "header:",
            "header:a b",
            "header:${h}",
            "cookie:a",
            "body:token",
            "aws-signature:x",
            "query:",
            "form:{{ context.a }}",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
