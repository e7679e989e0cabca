//! Where each secret may stand: the places that the project lists, or those where its documents have it.

use super::check_connector::outside_of;
use super::connector::ConnectorFile;
use super::{Flow, Manifest};
use crate::diagnostic::Diagnostic;
use crate::egress::{Grant, Grants, Place};
use crate::name::FlowId;
use crate::source::{Document, pointer};
use std::collections::{BTreeMap, BTreeSet};

/// The places of the secrets that documents name.
#[derive(Debug, Default)]
pub(super) struct NamedPlaces(BTreeMap<String, BTreeSet<Place>>);

impl NamedPlaces {
    fn add(&mut self, name: &str, places: &[Place]) {
        let all = self.0.entry(name.to_owned()).or_default();
        all.extend(places.iter().cloned());
    }

    pub(super) fn add_connector(&mut self, connector: &ConnectorFile) {
        for secret in connector.secrets() {
            self.add(secret.name, &secret.places);
        }
    }

    /// Those of the flows' own requests, checked on the way.
    pub(super) fn add_flows(
        &mut self,
        flows: &BTreeMap<FlowId, Flow>,
        manifest: &Manifest,
        found: &mut Vec<Diagnostic>,
    ) {
        for flow in flows.values() {
            for (id, placed) in &flow.nodes {
                for secret in placed.config.secrets() {
                    let at = pointer("/nodes", id.as_str());
                    let at = flow
                        .document
                        .place(&format!("{at}/config{}", secret.pointer));
                    let name = &secret.name;
                    self.add(name, &secret.places);
                    match manifest.secrets.get(name) {
                        None => found.push(
                            Diagnostic::warning(
                                "project.unknown_secret",
                                at,
                                format!("there is no secret '{name}' under [secrets], so this is sent as text"),
                            )
                            .help(format!(
                                "if it is a secret, write into project.toml:\n[secrets]\n\"{name}\" = {{ env = \"HANDOFF_SECRET_NAME\", to = [\"https://api.example.com\"] }}"
                            )),
                        ),
                        Some(entry) if entry.to.is_empty() => found.push(
                            Diagnostic::error(
                                "flow.secret_not_allowed",
                                at,
                                format!("the secret '{name}' may not go anywhere"),
                            )
                            .help("write beside it under [secrets] where requests may carry it, for example to = [\"https://api.example.com\"]"),
                        ),
                        Some(entry) => found.extend(outside_of(entry, name, &secret.places, at)),
                    }
                }
            }
        }
    }

    /// Keys that sign are not sent.
    pub(super) fn check(
        &self,
        manifest: &Manifest,
        document: &Document,
        found: &mut Vec<Diagnostic>,
    ) {
        for (name, entry) in &manifest.secrets {
            let places = self.of(name, entry.places.as_deref());
            if places.contains(&Place::AwsSignature) && places.len() > 1 {
                let place = document.place(&pointer("/secrets", name));
                let message =
                    format!("the secret '{name}' signs requests to AWS, and is to be sent as well");
                found.push(
                    Diagnostic::error("project.bad_secret", place, message).help(
                        "a key that signs never leaves; give what is sent a secret of its own",
                    ),
                );
            }
        }
    }

    fn of(&self, name: &str, listed: Option<&[Place]>) -> BTreeSet<Place> {
        match listed {
            Some(listed) => listed.iter().cloned().collect(),
            None => self.0.get(name).cloned().unwrap_or_default(),
        }
    }

    /// What requests of nodes may carry.
    pub(super) fn grants(&self, manifest: &Manifest) -> Grants {
        let granted = manifest.secrets.iter().filter_map(|(name, entry)| {
            let grant = Grant {
                from: entry.from()?,
                to: entry.to.clone(),
                places: self.of(name, entry.places.as_deref()),
            };
            Some((name.clone(), grant))
        });
        Grants(granted.collect())
    }
}
