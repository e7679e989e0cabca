//! API connectors: ServisBOT's BaaS documents, and the request that a flow writes itself.
//!
//! A document is read into typed pieces before any value is there: literals, parameters, and placeholders
//! of the secrets it names. What is filled in afterwards is a value and stays one, whatever it spells.

use std::collections::BTreeMap;

use handoff_node::{Context, Fault, Refused};
use serde::Deserialize;
use serde_json::Value;

use crate::template::Template;

/// A call whose values are still to be filled in.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) alias: String,
    pub(crate) method: String,
    pub(crate) target: Target,
    /// The body under the values that are mapped into it, with placeholders where the document names
    /// secrets.
    pub(crate) body: Value,
    pub(crate) request_mapping: BTreeMap<String, RequestMapping>,
    pub(crate) response_mapping: BTreeMap<String, ResponseMapping>,
}

/// What is called.
#[derive(Debug)]
pub(crate) enum Target {
    /// An address.
    Http {
        url: Template,
        headers: Vec<(Template, Template)>,
    },
    /// An operation of an AWS service.
    Aws {
        service: String,
        region: Option<String>,
        /// The placeholder of the key to sign with.
        credentials: Option<String>,
    },
}

impl Connector {
    /// Takes a document apart. Its secrets are named here and nowhere else.
    ///
    /// # Errors
    /// If the project lets the node use no secret that the document names.
    pub(crate) fn new(context: &impl Context, document: Document) -> Result<Self, Fault> {
        let (target, body) = match document.kind {
            Kind::AwsSdk => {
                let credentials = document.credentials.as_deref();
                let target = Target::Aws {
                    service: document.endpoint,
                    region: document.region,
                    credentials: credentials.map(|name| context.secret(name)).transpose()?,
                };
                // A key signs. Parameters are what they are.
                (target, document.body)
            }
            Kind::ApiConnector | Kind::PrivateApiConnector => {
                let mut headers = Vec::new();
                for (name, value) in document.headers {
                    let value = match secret(context, &value)? {
                        Some(placeholder) => Template::literal(placeholder),
                        None => Template::parse(&value),
                    };
                    headers.push((Template::parse(&name), value));
                }
                let url = Template::parse(&document.endpoint);
                let mut body = document.body;
                name_secrets(context, &mut body)?;
                (Target::Http { url, headers }, body)
            }
        };
        Ok(Self {
            alias: document.alias,
            method: document.method,
            target,
            body,
            request_mapping: document.request_mapping,
            response_mapping: document.response_mapping,
        })
    }

    pub(crate) fn is_aws(&self) -> bool {
        matches!(self.target, Target::Aws { .. })
    }
}

/// The placeholder of a secret, if a text of a document is the name of one: ServisBOT names secrets by SRN.
/// Any other text, a bot's SRN for example, is itself.
fn secret(context: &impl Context, text: &str) -> Result<Option<String>, Fault> {
    if !text.starts_with("srn:") || text.contains("${") {
        return Ok(None);
    }
    match context.secret(text) {
        Ok(placeholder) => Ok(Some(placeholder)),
        Err(Refused::SecretUnknown { .. }) => Ok(None),
        Err(refused) => Err(refused.into()),
    }
}

/// Puts placeholders in place of the names of secrets in a document's body.
fn name_secrets(context: &impl Context, document: &mut Value) -> Result<(), Fault> {
    match document {
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

/// The document of an API connector, as ServisBOT's `sb-cli baas` takes it. Members that say nothing about the call are
/// not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    alias: String,
    #[serde(rename = "Type")]
    kind: Kind,
    /// An address, which may hold `${parameter}`; for `aws-sdk` the name of a service.
    endpoint: String,
    /// An HTTP method; for `aws-sdk` the name of an operation.
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    request_mapping: BTreeMap<String, RequestMapping>,
    #[serde(default)]
    response_mapping: BTreeMap<String, ResponseMapping>,
    /// The name of the secret that `aws-sdk` signs with.
    #[serde(default)]
    credentials: Option<String>,
    /// The AWS region.
    #[serde(default)]
    region: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// JSON over HTTP.
    ApiConnector,
    /// The same; from which address it comes is the operator's to say.
    PrivateApiConnector,
    /// An operation of an AWS service.
    AwsSdk,
}

/// Where a value of the input goes.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(crate) enum RequestMapping {
    /// Into the body.
    #[serde(rename = "requestBody")]
    Body {
        input_path: String,
        request_body_path: String,
    },
    /// Into the address, in place of `${parameter}`.
    #[serde(rename = "requestURL")]
    Url {
        input_path: String,
        request_parameter: String,
    },
    /// Into the headers, in place of `${parameter}`.
    #[serde(rename = "requestHeader")]
    Header {
        input_path: String,
        request_parameter: String,
    },
}

impl RequestMapping {
    pub(crate) fn input_path(&self) -> &str {
        match self {
            Self::Body { input_path, .. }
            | Self::Url { input_path, .. }
            | Self::Header { input_path, .. } => input_path,
        }
    }
}

/// Where a value of the answer goes.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub(crate) enum ResponseMapping {
    /// From the body.
    #[serde(rename = "responseBody")]
    Body {
        response_body_path: String,
        output_path: String,
    },
    /// From a header.
    #[serde(rename = "responseHeader")]
    Header {
        response_header_key: String,
        output_path: String,
    },
}
