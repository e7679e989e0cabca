//! What is checked of API connectors, so that no agent is the first to find out.

use super::connector::{
    AWS_SERVICES, ConnectorFile, ConnectorType, RequestMapping, ResponseMapping,
};
use super::{EXECUTE_API, Manifest, SecretEntry};
use crate::diagnostic::{Diagnostic, did_you_mean, name_list};
use crate::egress::{Allowed, Origin, Place};
use crate::name::NodeType;
use crate::source::{Document, Part, pointer};
use serde_json::Value;
use serde_json_path::JsonPath;
use std::collections::BTreeMap;
use url::Url;

/// What connectors are checked against.
pub(super) struct Around<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) allowed: &'a Allowed,
}

/// Members of a connector's file that mean something, for those that are misspelt.
const MEMBERS: [&str; 13] = [
    "Alias",
    "Type",
    "Description",
    "Endpoint",
    "Method",
    "Headers",
    "Body",
    "RequestMapping",
    "ResponseMapping",
    "Credentials",
    "Region",
    "Persona",
    "Organization",
];

pub(super) fn check_connector(
    connector: &ConnectorFile,
    document: &Document,
    around: &Around<'_>,
    found: &mut Vec<Diagnostic>,
) {
    for member in connector.rest.keys() {
        if let Some(help) = did_you_mean(member, MEMBERS) {
            let place = document.place_of(&pointer("", member), Part::Key);
            let message = format!("'{member}' is no member of an API connector");
            found.push(Diagnostic::error("connector.unknown_member", place, message).help(help));
        }
    }
    check_mappings(connector, document, found);
    let to = match connector.connector_type {
        ConnectorType::AwsSdk => aws_address(connector, document, around, found),
        ConnectorType::ApiConnector | ConnectorType::PrivateApiConnector => {
            http_address(connector, document, found)
        }
    };
    let Some(to) = to else {
        return;
    };
    if !around.allowed.permits(&to) {
        let origin = Origin::of(&to);
        let place = document.place("/Endpoint");
        found.push(
            Diagnostic::error(
                "connector.not_allowed",
                place,
                format!(
                    "'{}' calls {origin}, and the project lets no request go there",
                    connector.alias
                ),
            )
            .help(format!(
                "write into project.toml:\n[egress]\nallow = [\"{origin}\"]"
            )),
        );
    }
    check_secrets(connector, document, around, &to, found);
}

/// The address of an AWS service.
fn aws_address(
    connector: &ConnectorFile,
    document: &Document,
    around: &Around<'_>,
    found: &mut Vec<Diagnostic>,
) -> Option<Url> {
    if connector.credentials.is_none() {
        let place = document.place("");
        found.push(
            Diagnostic::error(
                "connector.no_credentials",
                place,
                format!("'{}' calls AWS and names no 'Credentials'", connector.alias),
            )
            .help("write the name of a secret of the project, for example \"srn:vault::YOURORG:cross-account-role:ses\""),
        );
    }
    let services = || AWS_SERVICES.iter().map(|(name, _)| *name);
    if !services().any(|name| name == connector.endpoint) {
        let place = document.place("/Endpoint");
        let message = format!(
            "'{}' is no AWS service that can be called",
            connector.endpoint
        );
        let help = did_you_mean(&connector.endpoint, services())
            .unwrap_or_else(|| format!("those that can be called are {}", name_list(services())));
        found.push(Diagnostic::error("connector.unknown_service", place, message).help(help));
        return None;
    }
    let of_project = around.manifest.aws.as_ref();
    let of_project = of_project.map(|aws| aws.region.as_str());
    if connector.region.is_none() && of_project.is_none() {
        let place = document.place("/Endpoint");
        found.push(
            Diagnostic::error(
                "connector.no_region",
                place,
                format!(
                    "'{}' calls AWS, and nothing says in which region",
                    connector.alias
                ),
            )
            .help("write into project.toml, for example:\n[aws]\nregion = \"eu-west-1\""),
        );
        return None;
    }
    connector.address(of_project)
}

/// The address of an API, with something in place of its parameters.
fn http_address(
    connector: &ConnectorFile,
    document: &Document,
    found: &mut Vec<Diagnostic>,
) -> Option<Url> {
    let place = || document.place("/Endpoint");
    let mut plain = String::new();
    let mut rest = connector.endpoint.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        let filled = connector.request_mapping.values().any(|mapping| {
            matches!(mapping, RequestMapping::Url { request_parameter, .. } if request_parameter == name)
        });
        if !filled {
            found.push(
                Diagnostic::error(
                    "connector.unmapped_parameter",
                    place(),
                    format!("nothing fills '${{{name}}}' in the address"),
                )
                .help(format!(
                    "add to RequestMapping: \"{name}\": {{ \"type\": \"requestURL\", \"inputPath\": \"$.{name}\", \"requestParameter\": \"{name}\" }}"
                )),
            );
        }
        plain.push_str(before);
        plain.push('x');
        rest = after;
    }
    plain.push_str(rest);
    let host_end = connector
        .endpoint
        .find("://")
        .and_then(|at| {
            connector.endpoint[at + 3..]
                .find('/')
                .map(|end| at + 3 + end)
        })
        .unwrap_or(connector.endpoint.len());
    if connector.endpoint[..host_end].contains("${") {
        found.push(
            Diagnostic::error(
                "connector.variable_host",
                place(),
                "a parameter stands in the host of the address, so it could lead anywhere",
            )
            .help("write the host out, and one connector for each host"),
        );
        return None;
    }
    match Url::parse(&plain) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            found.push(
                Diagnostic::error(
                    "connector.bad_endpoint",
                    place(),
                    format!("'{}' is no address", connector.endpoint),
                )
                .help("write it whole, for example \"https://crm.example.com/customers/${customerId}\""),
            );
            None
        }
    }
}

fn check_mappings(connector: &ConnectorFile, document: &Document, found: &mut Vec<Diagnostic>) {
    let mut check = |at: String, path: &str, to_one: bool| {
        if let Some((message, help)) = bad_path(path, to_one) {
            let place = document.place(&at);
            found.push(Diagnostic::error("connector.bad_path", place, message).help(help));
        }
    };
    for (name, mapping) in &connector.request_mapping {
        let at = pointer("/RequestMapping", name);
        match mapping {
            RequestMapping::Body {
                input_path,
                request_body_path,
            } => {
                check(format!("{at}/inputPath"), input_path, false);
                check(format!("{at}/requestBodyPath"), request_body_path, true);
            }
            RequestMapping::Url { input_path, .. } | RequestMapping::Header { input_path, .. } => {
                check(format!("{at}/inputPath"), input_path, false);
            }
        }
    }
    for (name, mapping) in &connector.response_mapping {
        let at = pointer("/ResponseMapping", name);
        match mapping {
            ResponseMapping::Body {
                response_body_path,
                output_path,
            } => {
                check(format!("{at}/responseBodyPath"), response_body_path, false);
                check(format!("{at}/outputPath"), output_path, true);
            }
            ResponseMapping::Header { output_path, .. } => {
                check(format!("{at}/outputPath"), output_path, true);
            }
        }
    }
}

/// What is wrong with a path, and what to write instead. `${name}` in it stands for anything.
fn bad_path(path: &str, to_one: bool) -> Option<(String, String)> {
    let mut plain = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("${") {
        let (_, after) = after.split_once('}')?;
        plain.push_str(before);
        plain.push('x');
        rest = after;
    }
    plain.push_str(rest);
    if JsonPath::parse(&plain).is_err() {
        let message = format!("'{path}' is not a JSONPath");
        let name = path.trim_start_matches(['$', '.']);
        let name = if name.is_empty() { "email" } else { name };
        return Some((message, format!("write for example \"$.{name}\"")));
    }
    let to_many = ["*", "..", "?", ":", ","]
        .iter()
        .any(|sign| plain.contains(sign));
    (to_one && to_many).then(|| {
        let message = format!("'{path}' leads to many places, and one value goes to one place");
        let help = "write for example \"$.Destination.ToAddresses[0]\"".to_owned();
        (message, help)
    })
}

/// What the names of ServisBOT's secrets begin with.
const VAULT: &str = "srn:vault:";

fn check_secrets(
    connector: &ConnectorFile,
    document: &Document,
    around: &Around<'_>,
    to: &Url,
    found: &mut Vec<Diagnostic>,
) {
    let origin = Origin::of(to);
    for secret in connector.secrets() {
        let place = || document.place(&secret.at);
        let name = secret.name;
        match around.manifest.secrets.get(name) {
            // A parameter of AWS may be any text, and is never a secret.
            None if secret.places.is_empty() => {}
            // Bots and other things have SRNs too.
            None if !name.starts_with(VAULT) => found.push(
                Diagnostic::warning(
                    "project.unknown_secret",
                    place(),
                    format!("there is no secret '{name}' under [secrets], so this is sent as text"),
                ),
            ),
            None => found.push(
                Diagnostic::error(
                    "project.unknown_secret",
                    place(),
                    format!("there is no secret '{name}' under [secrets]"),
                )
                .help(format!(
                    "write into project.toml:\n[secrets]\n\"{name}\" = {{ env = \"HANDOFF_SECRET_NAME\", to = [\"{origin}\"] }}"
                )),
            ),
            Some(_) if secret.places.is_empty() => found.push(
                Diagnostic::error(
                    "connector.secret_misplaced",
                    place(),
                    format!("the secret '{name}' may not stand here"),
                )
                .help(
                    "name it as the value of a header whose name is written out, or in the body; of AWS \
                     as 'Credentials', which sign the request and are not sent",
                ),
            ),
            Some(entry) => {
                if !entry.to.iter().any(|it| it.permits(to)) {
                    found.push(
                        Diagnostic::error(
                            "connector.secret_not_allowed",
                            place(),
                            format!("the secret '{name}' may not go to {origin}"),
                        )
                        .help(format!("write to = [\"{origin}\"] beside it under [secrets]")),
                    );
                }
                found.extend(outside_of(entry, name, &secret.places, place()));
            }
        }
    }
}

/// A secret whose 'in' lists other places than this one.
pub(super) fn outside_of(
    entry: &SecretEntry,
    name: &str,
    places: &[Place],
    at: crate::diagnostic::Place,
) -> Option<Diagnostic> {
    let allowed = entry.places.as_ref()?;
    if places.iter().any(|place| allowed.contains(place)) {
        return None;
    }
    let first = places.first()?;
    let message = format!("the secret '{name}' may not stand in {first}");
    let help = format!("write in = [\"{first}\"] beside it under [secrets], or leave 'in' out");
    Some(Diagnostic::error("connector.secret_misplaced", at, message).help(help))
}

/// A project whose connectors nobody can call.
pub(super) fn check_caller<N>(
    connectors: &BTreeMap<String, Value>,
    library: &BTreeMap<NodeType, N>,
    place: crate::diagnostic::Place,
    found: &mut Vec<Diagnostic>,
) {
    if connectors.is_empty() || library.contains_key(&NodeType::new(EXECUTE_API)) {
        return;
    }
    found.push(
        Diagnostic::error(
            "connector.no_caller",
            place,
            format!("the project has API connectors, and there is no node of type '{EXECUTE_API}' to call them"),
        )
        .help("add its component, execute-api.wasm, to the nodes"),
    );
}
