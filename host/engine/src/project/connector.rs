//! API connectors: ServisBOT's BaaS documents, one a file in the folder `connectors/`.
//!
//! A document is read and checked here as ServisBOT writes it, and handed to the node that calls as it
//! stands. The engine knows it well enough to say, before anybody calls, what is missing for the call:
//! an address that is not allowed, a secret that is not there, a parameter that nothing fills.

use crate::egress::Place;
use crate::template::SECRET_NAME;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// The folder of connectors.
pub(super) const FOLDER: &str = "connectors/";

/// The node type that calls connectors, in flows and for the commands of agents.
pub const EXECUTE_API: &str = "executeApi";

/// An AWS service that connectors of type `aws-sdk` can call, and what its addresses begin with.
pub(super) const AWS_SERVICES: [(&str, &str); 1] = [("SES", "email")];

/// What a connector calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectorType {
    /// JSON over HTTP.
    ApiConnector,
    /// The same; from which address it comes is the operator's to say.
    PrivateApiConnector,
    /// An operation of an AWS service, as the AWS SDK for JavaScript names it.
    AwsSdk,
}

/// An API connector as it stands in its file. Members that ServisBOT's own tools add are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectorFile {
    /// By what flows and commands name it.
    pub alias: String,
    /// What it calls.
    #[serde(rename = "Type")]
    pub connector_type: ConnectorType,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The address, with `${parameter}` where values go; for `aws-sdk` the name of a service, `SES`.
    pub endpoint: String,
    /// The HTTP method; for `aws-sdk` the name of an operation, `sendEmail`.
    pub method: String,
    /// Headers, with `${parameter}` where values go. A value that is the name of a secret is sent as the
    /// secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// What lies under the values that are mapped into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Map<String, Value>>,
    /// Which values of the context go where.
    #[serde(default)]
    pub request_mapping: BTreeMap<String, RequestMapping>,
    /// Which values of the answer go where.
    #[serde(default)]
    pub response_mapping: BTreeMap<String, ResponseMapping>,
    /// The secret that `aws-sdk` signs with, by its name under `[secrets]`: an SRN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// The AWS region, where it is not the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// An icon, for ServisBOT's portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// The organisation at ServisBOT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// When it was made, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// When it was changed, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<u64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Where a value of the context goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum RequestMapping {
    /// Into the body.
    #[serde(rename = "requestBody")]
    Body {
        /// JSONPath into the context, `$.email`.
        input_path: String,
        /// JSONPath into the body, `$.Destination.ToAddresses[0]`. Objects and lists are made on the way.
        request_body_path: String,
    },
    /// Into the address, in place of `${parameter}`.
    #[serde(rename = "requestURL")]
    Url {
        /// JSONPath into the context.
        input_path: String,
        /// The parameter's name.
        request_parameter: String,
    },
    /// Into the headers, in place of `${parameter}`.
    #[serde(rename = "requestHeader")]
    Header {
        /// JSONPath into the context.
        input_path: String,
        /// The parameter's name.
        request_parameter: String,
    },
}

/// Where a value of the answer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ResponseMapping {
    /// From the body.
    #[serde(rename = "responseBody")]
    Body {
        /// JSONPath into the answer's body.
        response_body_path: String,
        /// JSONPath into the context, to one place.
        output_path: String,
    },
    /// From a header.
    #[serde(rename = "responseHeader")]
    Header {
        /// The header's name.
        response_header_key: String,
        /// JSONPath into the context, to one place.
        output_path: String,
    },
}

impl ConnectorFile {
    /// Where its requests go, parameters left as they stand. `region` is the project's AWS region. None if
    /// that is no address, or an AWS service that cannot be called.
    #[must_use]
    pub fn address(&self, region: Option<&str>) -> Option<Url> {
        let address = match self.connector_type {
            ConnectorType::ApiConnector | ConnectorType::PrivateApiConnector => {
                Url::parse(&self.endpoint).ok()?
            }
            ConnectorType::AwsSdk => {
                let region = self.region.as_deref().or(region)?;
                let known = AWS_SERVICES.iter();
                let (_, host) = known.into_iter().find(|(name, _)| *name == self.endpoint)?;
                Url::parse(&format!("https://{host}.{region}.amazonaws.com/")).ok()?
            }
        };
        (matches!(address.scheme(), "http" | "https") && address.has_host()).then_some(address)
    }

    /// Every text that may be the name of a secret, where the document itself has it. A value that is
    /// mapped into the request never is one.
    #[must_use]
    pub fn secrets(&self) -> Vec<NamedSecret<'_>> {
        let aws = self.connector_type == ConnectorType::AwsSdk;
        let mut found = Vec::new();
        if let Some(name) = &self.credentials {
            found.push(NamedSecret {
                at: "/Credentials".to_owned(),
                name,
                places: if aws {
                    vec![Place::AwsSignature]
                } else {
                    Vec::new()
                },
            });
        }
        for (header, value) in self.headers.iter().flatten() {
            if is_secret(value) {
                let named = !header.contains("${") && !aws;
                found.push(NamedSecret {
                    at: crate::source::pointer("/Headers", header),
                    name: value,
                    places: if named {
                        vec![Place::header(header)]
                    } else {
                        Vec::new()
                    },
                });
            }
        }
        for (member, value) in self.body.iter().flatten() {
            secrets_in(value, &crate::source::pointer("", member), aws, &mut found);
        }
        found
    }
}

/// The name of a secret in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSecret<'v> {
    /// JSON Pointer into the document.
    pub at: String,
    /// The name.
    pub name: &'v str,
    /// Where it stands in the request; none where no secret may.
    pub places: Vec<Place>,
}

/// Whether a text of a document can be the name of a secret.
fn is_secret(text: &str) -> bool {
    text.starts_with(SECRET_NAME) && !text.contains("${")
}

fn secrets_in<'v>(value: &'v Value, at: &str, aws: bool, found: &mut Vec<NamedSecret<'v>>) {
    match value {
        Value::String(text) if is_secret(text) => found.push(NamedSecret {
            name: text,
            places: if aws { Vec::new() } else { Place::in_body(at) },
            at: format!("/Body{at}"),
        }),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                secrets_in(item, &format!("{at}/{index}"), aws, found);
            }
        }
        Value::Object(members) => {
            for (member, value) in members {
                secrets_in(value, &crate::source::pointer(at, member), aws, found);
            }
        }
        _ => {}
    }
}
