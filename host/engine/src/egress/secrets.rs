//! Secrets on their way out: placeholders that nobody else can write.
//!
//! A placeholder ends in a mark that only the step it was made for knows. Without it a user could write
//! `{{secret:crm}}` into a chat and read the secret in the e-mail that a node makes of it.

use super::{CallError, Origin};
use crate::account::SecretRef;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use url::Url;

/// The project's secrets: where each comes from, and where it may go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grants(pub(crate) BTreeMap<String, Grant>);

/// One secret.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) from: SecretRef,
    pub(crate) to: Vec<Origin>,
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
        let mark = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self { mark }
    }

    /// The placeholder of a secret.
    pub(crate) fn of(&self, name: &str) -> String {
        format!("{{{{secret:{name}:{}}}}}", self.mark)
    }

    /// The placeholders in a request's texts, if all of them may go to this address.
    pub(crate) fn find(
        &self,
        grants: &Grants,
        url: &Url,
        texts: &[&str],
    ) -> Result<BTreeMap<String, SecretRef>, CallError> {
        let mut found = BTreeMap::new();
        for (name, grant) in &grants.0 {
            let placeholder = self.of(name);
            if !texts.iter().any(|text| text.contains(&placeholder)) {
                continue;
            }
            if !grant.to.iter().any(|origin| origin.permits(url)) {
                return Err(CallError::SecretDenied {
                    name: name.clone(),
                    origin: Origin::of(url),
                });
            }
            found.insert(placeholder, grant.from.clone());
        }
        Ok(found)
    }
}
