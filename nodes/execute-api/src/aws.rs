//! Operations of AWS services by their Query protocol: a form out, XML back. The host signs the request
//! as it leaves, so the node names the credentials and never has them.

use handoff_node::{Fault, HttpRequest};
use serde_json::{Map, Value};

use crate::{connector::Connector, request};

/// The service that is known, what it is called in addresses and signatures, and the version of its API.
const SES: (&str, &str, &str) = ("SES", "email", "2010-12-01");

/// What is called, and the placeholder of the key to sign with.
pub(crate) struct Operation<'c> {
    pub(crate) service: &'c str,
    pub(crate) region: Option<&'c str>,
    pub(crate) placeholder: Option<&'c str>,
}

/// A request to an operation, with its parameters as the AWS SDK names them.
pub(crate) fn request(
    connector: &Connector,
    of: &Operation<'_>,
    parameters: &Value,
) -> Result<HttpRequest, Fault> {
    let (service, host, version) = SES;
    if of.service != service {
        return Err(bad(
            connector,
            &format!("the AWS service '{}' is not known here", of.service),
            "Only SES is",
        ));
    }
    let Some(region) = of.region else {
        return Err(bad(
            connector,
            "no AWS region is given",
            "Write [aws] region = \"eu-west-1\" into project.toml",
        ));
    };
    let Some(placeholder) = of.placeholder else {
        return Err(bad(
            connector,
            "no Credentials are given",
            "Name a secret of the project",
        ));
    };
    let mut pairs = vec![
        ("Action".to_owned(), operation(&connector.method)),
        ("Version".to_owned(), version.to_owned()),
    ];
    flatten(String::new(), parameters, &mut pairs);
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential={placeholder}/{region}/ses/aws4_request");
    Ok(HttpRequest {
        method: "POST".to_owned(),
        url: format!("https://{host}.{region}.amazonaws.com/"),
        headers: vec![
            (
                "content-type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("authorization".to_owned(), authorization),
        ],
        body: request::form(pairs.into_iter()),
    })
}

/// `sendEmail` of the SDK is `SendEmail` of the API.
fn operation(method: &str) -> String {
    let mut letters = method.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}

/// Parameters in the Query protocol: `Destination.ToAddresses.member.1`.
fn flatten(name: String, value: &Value, pairs: &mut Vec<(String, String)>) {
    let under = |part: &str| {
        if name.is_empty() {
            part.to_owned()
        } else {
            format!("{name}.{part}")
        }
    };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (key, value) in members {
                flatten(under(key), value, pairs);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(under(&format!("member.{}", index + 1)), item, pairs);
            }
        }
        Value::String(text) => pairs.push((name, text.clone())),
        other => pairs.push((name, other.to_string())),
    }
}

/// The result of an operation as the AWS SDK gives it: `{"MessageId": ..}`. None if it is not the XML of
/// one.
pub(crate) fn result(xml: &str) -> Option<Value> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let result = document
        .root_element()
        .children()
        .find(|node| node.tag_name().name().ends_with("Result"))?;
    Some(as_json(result))
}

/// What an error says: its code and its sentence.
pub(crate) fn error(xml: &str) -> Option<String> {
    let document = roxmltree::Document::parse(xml).ok()?;
    let error = document
        .descendants()
        .find(|node| node.has_tag_name_without_namespace("Error"))?;
    let text = |name: &str| {
        error
            .children()
            .find(|node| node.has_tag_name_without_namespace(name))
            .and_then(|node| node.text())
            .unwrap_or_default()
    };
    Some(format!("{}: {}", text("Code"), text("Message")))
}

trait Named {
    fn has_tag_name_without_namespace(&self, name: &str) -> bool;
}

impl Named for roxmltree::Node<'_, '_> {
    fn has_tag_name_without_namespace(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

fn as_json(node: roxmltree::Node<'_, '_>) -> Value {
    let elements: Vec<_> = node
        .children()
        .filter(roxmltree::Node::is_element)
        .collect();
    if elements.is_empty() {
        return Value::String(node.text().unwrap_or_default().trim().to_owned());
    }
    if elements
        .iter()
        .all(|child| child.tag_name().name() == "member")
    {
        return elements.into_iter().map(as_json).collect();
    }
    let members: Map<String, Value> = elements
        .into_iter()
        .map(|child| (child.tag_name().name().to_owned(), as_json(child)))
        .collect();
    Value::Object(members)
}

fn bad(connector: &Connector, wrong: &str, help: &str) -> Fault {
    Fault::invalid_config(
        "execute_api.bad_connector",
        format!(
            "The API '{}' cannot be called: {wrong}. {help}.",
            connector.alias
        ),
    )
}
