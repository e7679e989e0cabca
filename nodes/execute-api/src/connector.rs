//! API connectors: ServisBOT's BaaS documents, and the request that a flow writes itself.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// An API connector, as ServisBOT's `sb-cli baas` takes it. Members that say nothing about the call are
/// not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Connector {
    pub(crate) alias: String,
    #[serde(rename = "Type")]
    pub(crate) kind: Kind,
    /// An address, which may hold `${parameter}`; for `aws-sdk` the name of a service.
    pub(crate) endpoint: String,
    /// An HTTP method; for `aws-sdk` the name of an operation.
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Value,
    #[serde(default)]
    pub(crate) request_mapping: BTreeMap<String, RequestMapping>,
    #[serde(default)]
    pub(crate) response_mapping: BTreeMap<String, ResponseMapping>,
    /// The name of the secret that `aws-sdk` signs with.
    #[serde(default)]
    pub(crate) credentials: Option<String>,
    /// The AWS region.
    #[serde(default)]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
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
