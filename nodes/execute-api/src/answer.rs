//! From an answer to values, or to a sentence about why it is none.

use handoff_node::{Fault, HttpError, HttpResponse};
use serde_json::{Map, Value};

use crate::{
    aws,
    connector::{Connector, ResponseMapping},
    paths,
    request::bad_path,
};

/// The body of an answer: JSON where it is, else text; of AWS the operation's result.
pub(crate) fn body(connector: &Connector, response: &HttpResponse) -> Value {
    let text = String::from_utf8_lossy(&response.body);
    if connector.is_aws()
        && let Some(result) = aws::result(&text)
    {
        return result;
    }
    match serde_json::from_slice(&response.body) {
        Ok(json) => json,
        Err(_) if text.is_empty() => Value::Null,
        Err(_) => Value::String(text.into_owned()),
    }
}

/// What the ResponseMapping takes from an answer. What is not in it is left out.
pub(crate) fn mapped(
    connector: &Connector,
    response: &HttpResponse,
    body: &Value,
) -> Result<Map<String, Value>, Fault> {
    let mut output = Value::Object(Map::new());
    for mapping in connector.response_mapping.values() {
        let (value, path) = match mapping {
            ResponseMapping::Body {
                response_body_path,
                output_path,
            } => {
                let value = paths::read(response_body_path, body)
                    .map_err(|error| bad_path(connector, &error))?;
                (value, output_path)
            }
            ResponseMapping::Header {
                response_header_key,
                output_path,
            } => {
                let header = response.header(&response_header_key.to_lowercase());
                (header.map(Value::from), output_path)
            }
        };
        if let Some(value) = value {
            paths::write(path, &mut output, value).map_err(|error| bad_path(connector, &error))?;
        }
    }
    match output {
        Value::Object(members) => Ok(members),
        other => Ok(Map::from_iter([("response".to_owned(), other)])),
    }
}

/// An answer that is not a success.
pub(crate) fn check(connector: &Connector, response: &HttpResponse) -> Result<(), Fault> {
    let alias = &connector.alias;
    let status = response.status;
    let said = said(connector, response);
    match status {
        200..=299 => Ok(()),
        300..=399 => {
            let to = response.header("location").unwrap_or("another address");
            Err(Fault::permanent(
                "execute_api.moved",
                format!(
                    "The API '{alias}' answered {status}: it has moved to {to}. Redirects are not \
                     followed; write the new address."
                ),
            ))
        }
        404 => Err(Fault::permanent(
            "execute_api.not_found",
            format!("The API '{alias}' answered 404{said}"),
        )),
        401 | 403 => Err(Fault::permanent(
            "execute_api.unauthorized",
            format!("The API '{alias}' answered {status}{said} Check its credentials."),
        )),
        429 | 500..=599 => Err(Fault::retryable(
            "execute_api.unavailable",
            format!("The API '{alias}' answered {status}{said}"),
        )),
        _ => Err(Fault::permanent(
            "execute_api.refused",
            format!("The API '{alias}' answered {status}{said}"),
        )),
    }
}

/// No answer at all.
pub(crate) fn none(connector: &Connector, url: &str, error: &HttpError) -> Fault {
    let alias = &connector.alias;
    match error {
        HttpError::Denied => {
            let origin = origin(url);
            Fault::permanent(
                "execute_api.denied",
                format!(
                    "The API '{alias}' was not called: no request may go to {origin}. Add it to \
                     'allow' under [egress] in project.toml, and start the host with --allow-egress \
                     {origin}."
                ),
            )
        }
        HttpError::TimedOut => Fault::retryable(
            "execute_api.timed_out",
            format!("The API '{alias}' did not answer in time. It may have done what was asked."),
        ),
        HttpError::Failed(why) => Fault::retryable(
            "execute_api.unreachable",
            format!(
                "The API '{alias}' could not be asked: {}.",
                why.trim_end_matches('.')
            ),
        ),
    }
}

/// Scheme, host and port of an address.
pub(crate) fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| host + at);
    &url[..end]
}

/// What an answer says about its failure, as the end of a sentence.
fn said(connector: &Connector, response: &HttpResponse) -> String {
    const MOST: usize = 300;
    let text = String::from_utf8_lossy(&response.body);
    let of_aws = connector.is_aws().then(|| aws::error(&text)).flatten();
    let said = of_aws.or_else(|| {
        let json: Value = serde_json::from_str(&text).ok()?;
        [
            "message",
            "Message",
            "error_description",
            "error",
            "detail",
            "title",
        ]
        .iter()
        .find_map(|member| json[member].as_str().map(str::to_owned))
    });
    let said = said.unwrap_or_else(|| text.trim().to_owned());
    let cut: String = said.chars().take(MOST).collect();
    if cut.is_empty() {
        ".".to_owned()
    } else {
        format!(": {}.", cut.trim_end_matches('.'))
    }
}
