//! Secrets in handles are sealed before anything is committed, and opened when a handoff is taken up.
//!
//! A transport marks what is secret in a handle; it stands in the journal encrypted under the host's
//! key, bound to its handoff. Sealing is deterministic (AES-SIV, RFC 5297): the same secret is the same
//! text each time, so that a journal that keeps what changes from turn to turn does not grow by it.

use crate::key::HostKey;
use aes_siv::siv::Aes256Siv;
use aes_siv::{Key, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use handoff_engine::name::HandoffId;
use handoff_genesys::SECRET;
use serde_json::{Value, json};
use std::fmt;

/// What the two halves of a sealing key are derived under.
const LABELS: [&str; 2] = ["handles, authentication", "handles, encryption"];

/// The one key of an object that holds a sealed secret.
const SEALED: &str = "$sealed";

/// Seals with the newest of the host's keys, and opens with each of them.
pub(crate) struct Seal {
    key: HostKey,
}

/// A handle with a seal that does not open.
#[derive(Debug, thiserror::Error)]
#[error(
    "the handle of handoff '{0}' was sealed with another key; start the host with the key it was sealed \
     with ('host.key' of its data directory)"
)]
pub(crate) struct BrokenSeal(HandoffId);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    pub(crate) fn new(key: &HostKey) -> Self {
        Self { key: key.clone() }
    }

    /// The keys to try, the newest first.
    fn keys(&self) -> impl Iterator<Item = Key<Aes256Siv>> {
        self.key.derive_each(LABELS).map(|halves| {
            let mut both = Key::<Aes256Siv>::default();
            for (place, half) in both.chunks_mut(32).zip(halves) {
                place.copy_from_slice(&half);
            }
            both
        })
    }

    /// The handle with its secrets sealed.
    pub(crate) fn seal(&self, handoff: &HandoffId, mut handle: Value) -> Value {
        if let Some(newest) = self.keys().next() {
            seal_within(&newest, handoff, &mut handle);
        }
        handle
    }

    /// The handle as its transport gave it.
    pub(crate) fn open(&self, handoff: &HandoffId, handle: &Value) -> Result<Value, BrokenSeal> {
        let mut handle = handle.clone();
        let keys: Vec<_> = self.keys().collect();
        open_within(&keys, handoff, &mut handle)?;
        Ok(handle)
    }
}

fn seal_within(key: &Key<Aes256Siv>, handoff: &HandoffId, value: &mut Value) {
    if let Some(secret) = only(value, SECRET) {
        let plain = secret.to_string();
        let mut siv = Aes256Siv::new(key);
        let sealed = siv.encrypt([handoff.as_str()], plain.as_bytes());
        let sealed = sealed.expect("one header is not too many");
        *value = json!({SEALED: STANDARD_NO_PAD.encode(sealed)});
        return;
    }
    for part in parts(value) {
        seal_within(key, handoff, part);
    }
}

fn open_within(
    keys: &[Key<Aes256Siv>],
    handoff: &HandoffId,
    value: &mut Value,
) -> Result<(), BrokenSeal> {
    if let Some(sealed) = only(value, SEALED) {
        let sealed = sealed
            .as_str()
            .and_then(|it| STANDARD_NO_PAD.decode(it).ok());
        let secret = sealed.and_then(|sealed| {
            keys.iter().find_map(|key| {
                let mut siv = Aes256Siv::new(key);
                let plain = siv.decrypt([handoff.as_str()], &sealed).ok()?;
                serde_json::from_slice::<Value>(&plain).ok()
            })
        });
        let secret = secret.ok_or_else(|| BrokenSeal(handoff.clone()))?;
        *value = json!({SECRET: secret});
        return Ok(());
    }
    for part in parts(value) {
        open_within(keys, handoff, part)?;
    }
    Ok(())
}

/// The value of an object that has this key and no other.
fn only<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get(key)
}

fn parts(value: &mut Value) -> Box<dyn Iterator<Item = &mut Value> + '_> {
    match value {
        Value::Object(members) => Box::new(members.values_mut()),
        Value::Array(items) => Box::new(items.iter_mut()),
        _ => Box::new(std::iter::empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new(&HostKey::random().expect("random numbers"))
    }

    #[test]
    fn a_handle_is_opened_as_it_was_sealed_and_shows_no_secret_in_between() {
        let seal = seal();
        let handoff = HandoffId::new("s/1/1");
        let handle = json!({
            "state": {"open": [{"key": {"$secret": "the secret"}, "alias": "1"}]},
            "$secret": {"not": "marked, because it is not alone"},
        });
        let sealed = seal.seal(&handoff, handle.clone());
        assert!(!sealed.to_string().contains("the secret"), "{sealed}");
        assert_eq!(sealed["state"]["open"][0]["alias"], "1");
        assert_eq!(
            seal.seal(&handoff, handle.clone()),
            sealed,
            "the same each time"
        );
        assert_eq!(seal.open(&handoff, &sealed).expect("opens"), handle);
    }

    #[test]
    fn a_rotated_key_still_opens_what_it_sealed_before() {
        let key = HostKey::random().expect("random numbers");
        let (seal, handoff) = (Seal::new(&key), HandoffId::new("s/1/1"));
        let handle = json!({"key": {"$secret": "k"}});
        let before = seal.seal(&handoff, handle.clone());
        key.rotate().expect("random numbers");
        let after = seal.seal(&handoff, handle.clone());
        assert_ne!(before, after, "the newest key seals");
        for sealed in [before, after] {
            assert_eq!(seal.open(&handoff, &sealed).expect("opens"), handle);
        }
    }

    #[test]
    fn what_was_never_sealed_is_left_as_it_is() {
        let handle = json!({"state": {"key": "from before there were seals"}, "n": [1, null]});
        let opened = seal().open(&HandoffId::new("s/1/1"), &handle);
        assert_eq!(opened.expect("opens"), handle);
    }

    #[test]
    fn another_key_another_handoff_and_what_is_no_seal_open_nothing() {
        let (seal, handoff) = (seal(), HandoffId::new("s/1/1"));
        let sealed = seal.seal(&handoff, json!({"key": {"$secret": "k"}}));
        let other = HandoffId::new("t/1/1");
        seal.open(&other, &sealed)
            .expect_err("is bound to its handoff");
        let key = HostKey::random().expect("random numbers");
        let error = Seal::new(&key).open(&handoff, &sealed);
        let error = error.expect_err("is another key").to_string();
        assert!(error.contains("host.key"), "{error}");
        for broken in [
            json!({"$sealed": "?"}),
            json!({"$sealed": 1}),
            json!({"$sealed": ""}),
        ] {
            seal.open(&handoff, &broken).expect_err("is no seal");
        }
    }
}
