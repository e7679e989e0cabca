//! From a connector and its input to a request: values are mapped, and `${}` is filled in.

use std::{borrow::Cow, collections::BTreeMap};

use handoff_node::{Fault, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{
    aws,
    connector::{Connector, RequestMapping, Target},
    paths::{self, BadPath},
    template::{Piece, Template},
};

/// What may stand in an address as it is (RFC 3986, section 2.3).
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The request that a connector makes of an input.
pub(crate) fn build(connector: &Connector, input: &Value) -> Result<HttpRequest, Fault> {
    let mut body = connector.body.clone();
    let mut in_url = BTreeMap::new();
    let mut in_headers = BTreeMap::new();
    for mapping in connector.request_mapping.values() {
        let value = mapped(connector, mapping.input_path(), input)?;
        match mapping {
            RequestMapping::Body {
                request_body_path, ..
            } => {
                let parameter = |name: &str| as_text(&input[name]).into_owned();
                paths::write_filled(request_body_path, &parameter, &mut body, value)
                    .map_err(|error| bad_path(connector, &error))?;
            }
            RequestMapping::Url {
                request_parameter, ..
            } => {
                let text = as_text(&value);
                let text = utf8_percent_encode(&text, UNRESERVED).to_string();
                in_url.insert(request_parameter.as_str(), text);
            }
            RequestMapping::Header {
                request_parameter, ..
            } => {
                in_headers.insert(request_parameter.as_str(), as_text(&value).into_owned());
            }
        }
    }
    let (url, templates) = match &connector.target {
        Target::Aws {
            service,
            region,
            credentials,
        } => {
            let of = aws::Operation {
                service,
                region: region.as_deref(),
                placeholder: credentials.as_deref(),
            };
            return aws::request(connector, &of, &body);
        }
        Target::Http { url, headers } => (url, headers),
    };
    let mut headers = Vec::new();
    for (name, value) in templates {
        let name = fill(connector, name, &in_headers)?;
        let value = fill(connector, value, &in_headers)?;
        check_header(connector, &name, &value)?;
        headers.push((name, value));
    }
    check_path(connector, url, &in_url)?;
    let url = fill(connector, url, &in_url)?;
    let body = written(&connector.method, &mut headers, &body);
    Ok(HttpRequest {
        method: connector.method.to_uppercase(),
        url,
        headers,
        body,
    })
}

/// Whether HTTP can carry a header (RFC 9110, section 5.5).
fn check_header(connector: &Connector, name: &str, value: &str) -> Result<(), Fault> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let wrong = if name.is_empty() || !name.bytes().all(token) {
        "its name is not a header name".to_owned()
    } else if let Some(bad) = value
        .chars()
        .find(|letter| !matches!(letter, ' '..='~' | '\t'))
    {
        format!(
            "its value has the character '{}', and headers carry printable ASCII only",
            bad.escape_default()
        )
    } else {
        return Ok(());
    };
    let name = name.escape_default();
    Err(Fault::permanent(
        "execute_api.bad_header",
        format!(
            "The API '{}' was not called: the header '{name}' cannot be sent, because {wrong}. Send the \
             value in the body, or encoded.",
            connector.alias
        ),
    ))
}

/// Keeps values from walking up or along the path of an address: a segment of it that a value fills is
/// neither empty nor `.` nor `..`. In the address of a flow's own request no segment is a dot segment.
fn check_path(
    connector: &Connector,
    url: &Template,
    values: &BTreeMap<&str, String>,
) -> Result<(), Fault> {
    let refused = |what: &str| {
        Fault::permanent(
            "execute_api.bad_path_value",
            format!(
                "The API '{}' was not called: a value makes {what} in the path of its address, so that it \
                 would lead elsewhere.",
                connector.alias
            ),
        )
    };
    // Segments of the filled address, and whether a value is in each.
    let mut segments = vec![(String::new(), false)];
    'pieces: for piece in url.pieces() {
        let (text, filled) = match piece {
            Piece::Literal(text) => (text.as_str(), false),
            Piece::Parameter(name) => match values.get(name.as_str()) {
                Some(value) => (value.as_str(), true),
                None => return Ok(()),
            },
        };
        for letter in text.chars() {
            match letter {
                '?' | '#' => break 'pieces,
                '/' | '\\' => segments.push((String::new(), false)),
                '\t' | '\r' | '\n' => {}
                other => {
                    if let Some((segment, _)) = segments.last_mut() {
                        segment.push(other);
                    }
                }
            }
        }
        if filled && let Some((_, by_value)) = segments.last_mut() {
            *by_value = true;
        }
    }
    // Scheme, nothing, and host come first.
    for (segment, by_value) in segments.iter().skip(3) {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        if plain == "." || plain == ".." {
            return Err(refused("a dot segment"));
        }
        if *by_value && plain.is_empty() {
            return Err(refused("an empty segment"));
        }
    }
    Ok(())
}

/// The value of an input path, which has to be there.
fn mapped(connector: &Connector, path: &str, input: &Value) -> Result<Value, Fault> {
    let parameter = |name: &str| as_text(&input[name]).into_owned();
    let path = paths::fill(path, &parameter).map_err(|error| bad_path(connector, &error))?;
    paths::read(&path, input)
        .map_err(|error| bad_path(connector, &error))?
        .filter(|value| !value.is_null())
        .ok_or_else(|| {
            Fault::permanent(
                "execute_api.missing_input",
                format!(
                    "The API '{}' needs {path}, and there is no such value in the context. Set it \
                     before.",
                    connector.alias
                ),
            )
        })
}

/// Puts values in place of parameters.
fn fill(
    connector: &Connector,
    template: &Template,
    values: &BTreeMap<&str, String>,
) -> Result<String, Fault> {
    template.fill(values).map_err(|name| {
        Fault::invalid_config(
            "execute_api.unmapped_parameter",
            format!(
                "The API '{}' has the parameter ${{{name}}}, and no RequestMapping fills it. Add one with \
                 \"requestParameter\": \"{name}\".",
                connector.alias
            ),
        )
    })
}

/// The body as bytes, in the form that the headers say: JSON if they say nothing. A method that has no
/// body has none unless there is something in it.
fn written(method: &str, headers: &mut Vec<(String, String)>, body: &Value) -> Vec<u8> {
    let empty = match body {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    let bodiless = ["GET", "HEAD", "DELETE", "OPTIONS"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(method));
    if empty && (bodiless || body.is_null()) {
        return Vec::new();
    }
    let content_type = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.to_ascii_lowercase());
    match (content_type, body) {
        (Some(kind), Value::Object(members))
            if kind.starts_with("application/x-www-form-urlencoded") =>
        {
            form(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), as_text(value).into_owned())),
            )
        }
        (Some(_), Value::String(text)) => text.clone().into_bytes(),
        (Some(_), body) => body.to_string().into_bytes(),
        (None, body) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            body.to_string().into_bytes()
        }
    }
}

/// Names and values as a form, with a plus for a space.
pub(crate) fn form(pairs: impl Iterator<Item = (String, String)>) -> Vec<u8> {
    query(pairs).replace("%20", "+").into_bytes()
}

/// Names and values as the query of an address.
pub(crate) fn query(pairs: impl Iterator<Item = (String, String)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(name, value)| {
            let name = utf8_percent_encode(&name, UNRESERVED);
            format!("{name}={}", utf8_percent_encode(&value, UNRESERVED))
        })
        .collect();
    pairs.join("&")
}

/// Text as it is, nothing as nothing, anything else as JSON text.
pub(crate) fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

pub(crate) fn bad_path(connector: &Connector, error: &BadPath) -> Fault {
    Fault::invalid_config(
        "execute_api.bad_path",
        format!("The API '{}': {}.", connector.alias, error.0),
    )
}
