//! Where a project sends requests, against what its operator lets out.

use super::{Flow, Manifest};
use crate::diagnostic::Diagnostic;
use crate::egress::Allowed;
use crate::name::FlowId;
use crate::source::{Document, pointer};
use std::collections::BTreeMap;

/// What the project lets out has to be what the operator lets out too.
pub(super) fn check_egress(
    manifest: &Manifest,
    document: &Document,
    operator: &Allowed,
    flows: &BTreeMap<FlowId, Flow>,
    found: &mut Vec<Diagnostic>,
) {
    for (index, origin) in manifest.egress.allow.iter().enumerate() {
        if !operator.covers(origin) {
            found.push(
                Diagnostic::error(
                    "egress.not_allowed",
                    document.place(&format!("/egress/allow/{index}")),
                    format!("whoever runs this host lets no request go to {origin}"),
                )
                .help(format!(
                    "start it with --allow-egress '{origin}', or remove the line"
                )),
            );
        }
    }
    if !manifest.egress.allow.is_empty() {
        return;
    }
    let calling = flows.values().flat_map(|flow| {
        let nodes = flow.nodes.iter();
        nodes
            .filter(|(_, placed)| placed.node.calls_out())
            .map(move |(id, placed)| (flow, id, placed))
    });
    for (flow, id, placed) in calling {
        let at = pointer("/nodes", id.as_str());
        found.push(
            Diagnostic::warning(
                "egress.nothing_allowed",
                flow.document.place(&format!("{at}/type")),
                format!(
                    "a node of type '{}' sends requests, and the project lets none out",
                    placed.node.descriptor().node_type
                ),
            )
            .help("write into project.toml, for example:\n[egress]\nallow = [\"https://api.example.com\"]"),
        );
    }
}
