//! What a designer writes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    answer::origin,
    connector::{Connector, ResponseMapping, Target},
    request::{self, as_text},
    template::Template,
};

/// Which API is called, and where its answer goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The Alias of a connector in the project's folder connectors/, exactly.
    #[serde(default)]
    #[schemars(extend("examples" = ["sendEmail"]))]
    pub(crate) alias: Option<String>,
    /// A request of this flow's own, instead of a connector.
    #[serde(default)]
    pub(crate) request: Option<Request>,
    /// Values that the connector finds beside those of the context, and before them.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "orderId": "{{ context.order.id }}" }]))]
    pub(crate) input: BTreeMap<String, Value>,
    /// For a request of this flow's own: context keys, and the JSONPath of each in the answer's body.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "customerName": "$.customer.name" }]))]
    pub(crate) response_mapping: BTreeMap<String, String>,
    /// A context key for the whole answer: response, statusCode and headers.
    #[serde(default)]
    #[schemars(extend("format" = "context-key", "examples" = ["apiResponse"]))]
    pub(crate) store_response_in: Option<String>,
}

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// GET, POST and so on.
    #[serde(default = "get")]
    #[schemars(extend("examples" = ["GET", "POST"]))]
    method: String,
    /// The address. Its scheme, host and port have to be under [egress] in project.toml.
    #[schemars(extend("examples" = ["https://crm.example.com/customers"]))]
    pub(crate) url: String,
    /// Added to the address, encoded as it has to be. A value may be the name of a secret, as in a header.
    #[serde(default)]
    #[schemars(extend("x-secrets" = "query", "examples" = [{ "email": "{{ context.email }}" }]))]
    query: BTreeMap<String, Value>,
    /// Headers. A value that is the name of a secret, beginning with srn:, is sent as the secret. A template
    /// never is: what users say is sent as text.
    #[serde(default)]
    #[schemars(extend("x-secrets" = "header", "examples" = [{ "authorization": "srn:vault::example:secret:crm-token" }]))]
    headers: BTreeMap<String, String>,
    /// The body, sent as JSON. A text in it may be the name of a secret, as in a header.
    #[serde(default)]
    #[schemars(extend("x-secrets" = "body"))]
    body: Value,
}

fn get() -> String {
    "GET".to_owned()
}

impl Request {
    /// The request as a connector. It has no `${}` to fill and no secret to name: the host has resolved its
    /// templates, and put placeholders where the flow itself names secrets.
    pub(crate) fn into_connector(self, response_mapping: BTreeMap<String, String>) -> Connector {
        let query: Vec<(String, String)> = self
            .query
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, as_text(&value).into_owned()))
            .collect();
        let mut endpoint = self.url;
        if !query.is_empty() {
            endpoint.push(if endpoint.contains('?') { '&' } else { '?' });
            endpoint.push_str(&request::query(query.into_iter()));
        }
        let response_mapping = response_mapping.into_iter().map(|(key, path)| {
            let mapping = ResponseMapping::Body {
                response_body_path: path,
                output_path: format!("$['{key}']"),
            };
            (key, mapping)
        });
        Connector {
            alias: format!("{} {}", self.method, origin(&endpoint)),
            method: self.method,
            target: Target::Http {
                url: Template::literal(endpoint),
                headers: self
                    .headers
                    .into_iter()
                    .map(|(name, value)| (Template::literal(name), Template::literal(value)))
                    .collect(),
            },
            body: self.body,
            request_mapping: BTreeMap::new(),
            response_mapping: response_mapping.collect(),
        }
    }
}
