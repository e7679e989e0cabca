//! Secrets on their way out: placeholders that nobody else can write, found where they stand.
//!
//! A placeholder ends in a mark that only the step it was made for knows. Without it a user could write
//! `{{secret:crm}}` into a chat and read the secret in the e-mail that a node makes of it. And a
//! placeholder counts only at a place its secret is bound to: the request is taken apart before it is
//! looked for, so that neither a node nor a clever value can move a secret elsewhere.

use super::substitution::{Spot, texts};
use super::{CallError, Origin, PlacedSecret};
use crate::account::SecretRef;
use crate::egress::Place;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// The project's secrets: where each comes from, and where it may go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants(pub(crate) BTreeMap<String, Grant>);

/// One secret.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) from: SecretRef,
    /// Origins.
    pub(crate) to: Vec<Origin>,
    /// Places: those that the project lists, or those where its documents have the secret.
    pub(crate) places: BTreeSet<Place>,
}

/// The placeholders of one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placeholders {
    mark: String,
}

impl Placeholders {
    /// Of a step, which its seed tells, under a key that only this process knows.
    pub(crate) fn new(key: &[u8], seed: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(key)
            .chain_update(seed)
            .finalize();
        let mark = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self { mark }
    }

    /// The placeholder of a secret.
    pub(crate) fn of(&self, name: &str) -> String {
        format!("{{{{secret:{name}:{}}}}}", self.mark)
    }

    /// A text without the mark of placeholders, as a journal keeps it: the same wherever a turn is made.
    pub(crate) fn unmarked(&self, text: String) -> String {
        match self.mark.is_empty() || !text.contains(&self.mark) {
            true => text,
            false => text.replace(&self.mark, ""),
        }
    }

    /// The placeholders in a request and their places, if each may stand there and go to this address.
    pub(crate) fn find(
        &self,
        grants: &Grants,
        url: &Url,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Vec<PlacedSecret>, CallError> {
        let mut found = Vec::new();
        if grants.0.is_empty() || self.mark.is_empty() {
            return Ok(found);
        }
        let marked: Vec<(Spot, String)> = texts(url, headers, body)
            .into_iter()
            .filter(|(_, text)| text.contains(&self.mark))
            .collect();
        if marked.is_empty() {
            return Ok(found);
        }
        for (name, grant) in &grants.0 {
            let placeholder = self.of(name);
            for (spot, text) in &marked {
                if !text.contains(&placeholder) {
                    continue;
                }
                if !grant.to.iter().any(|origin| origin.permits(url)) {
                    return Err(CallError::SecretDenied {
                        name: name.clone(),
                        origin: Origin::of(url),
                    });
                }
                let place = spot.place(text, &placeholder);
                let Some(place) = place.filter(|place| grant.places.contains(place)) else {
                    return Err(CallError::SecretMisplaced {
                        name: name.clone(),
                        place: spot.to_string(),
                    });
                };
                found.push(PlacedSecret {
                    placeholder: placeholder.clone(),
                    secret: grant.from.clone(),
                    place,
                });
            }
        }
        Ok(found)
    }
}
