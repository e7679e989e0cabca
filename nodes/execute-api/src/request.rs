//! From a connector and its input to a request: values are mapped, `${}` is filled in, secrets are named.

use std::{borrow::Cow, collections::BTreeMap};

use handoff_node::{Context, Fault, HttpRequest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{
    aws,
    connector::{Connector, Kind, RequestMapping},
    paths::{self, BadPath},
};

/// What may stand in an address as it is (RFC 3986, section 2.3).
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The request that a connector makes of an input.
pub(crate) fn build(
    context: &impl Context,
    connector: &Connector,
    input: &Value,
) -> Result<HttpRequest, Fault> {
    let mut body = connector.body.clone();
    let mut in_url = BTreeMap::new();
    let mut in_headers = BTreeMap::new();
    for mapping in connector.request_mapping.values() {
        let value = mapped(connector, mapping.input_path(), input)?;
        match mapping {
            RequestMapping::Body {
                request_body_path, ..
            } => {
                let path = fill_path(request_body_path, input);
                paths::write(&path, &mut body, value)
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
    name_secrets(context, &mut body)?;
    if connector.kind == Kind::AwsSdk {
        return aws::request(context, connector, &body);
    }
    let mut headers = Vec::new();
    for (name, value) in &connector.headers {
        let name = fill(connector, name, &in_headers)?;
        let value = match secret(context, value)? {
            Some(placeholder) => placeholder,
            None => fill(connector, value, &in_headers)?,
        };
        headers.push((name, value));
    }
    let url = fill(connector, &connector.endpoint, &in_url)?;
    let body = written(&connector.method, &mut headers, &body);
    Ok(HttpRequest {
        method: connector.method.to_uppercase(),
        url,
        headers,
        body,
    })
}

/// The value of an input path, which has to be there.
fn mapped(connector: &Connector, path: &str, input: &Value) -> Result<Value, Fault> {
    let path = fill_path(path, input);
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

/// `${name}` in a path stands for the input's value of that name. As a member's name it is quoted, so that
/// it may be anything.
fn fill_path<'p>(path: &'p str, input: &Value) -> Cow<'p, str> {
    if !path.contains("${") {
        return Cow::Borrowed(path);
    }
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, name, after)) = next_parameter(rest) {
        let value = as_text(&input[name]);
        match before.strip_suffix('.') {
            Some(before) => {
                let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
                filled.push_str(&format!("{before}['{quoted}']"));
            }
            None => filled.push_str(&format!("{before}{value}")),
        }
        rest = after;
    }
    filled.push_str(rest);
    Cow::Owned(filled)
}

/// Puts values in place of `${parameter}`.
fn fill(
    connector: &Connector,
    text: &str,
    values: &BTreeMap<&str, String>,
) -> Result<String, Fault> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next_parameter(rest) {
        let Some(value) = values.get(name) else {
            return Err(Fault::invalid_config(
                "execute_api.unmapped_parameter",
                format!(
                    "The API '{}' has ${{{name}}} in '{text}', and no RequestMapping fills it. Add \
                     one with \"requestParameter\": \"{name}\".",
                    connector.alias
                ),
            ));
        };
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The text before the next `${name}`, the name, and the text after it.
fn next_parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// The placeholder of a secret, if the text is the name of one: ServisBOT names secrets by SRN.
fn secret(context: &impl Context, text: &str) -> Result<Option<String>, Fault> {
    if !text.starts_with("srn:") {
        return Ok(None);
    }
    Ok(Some(context.secret(text)?))
}

/// Puts placeholders in place of the names of secrets.
fn name_secrets(context: &impl Context, value: &mut Value) -> Result<(), Fault> {
    match value {
        Value::String(text) => {
            if let Some(placeholder) = secret(context, text)? {
                *text = placeholder;
            }
        }
        Value::Array(items) => {
            for item in items {
                name_secrets(context, item)?;
            }
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                name_secrets(context, member)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
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
            // A placeholder stays readable for the host that swaps it.
            if value.starts_with("{{secret:") {
                format!("{name}={value}")
            } else {
                format!("{name}={}", utf8_percent_encode(&value, UNRESERVED))
            }
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
