//! Whether a webhook call is Genesys' own: HMAC-SHA256 over the raw body, in base64 (PROTOCOLS 4.3).

use crate::account::SHORTEST_KEY;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::time::{Millis, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

const HEADER: &str = "x-hub-signature-256";

/// How long the secret before is accepted after it was replaced, so that the integration and the host
/// need not change theirs at the same moment.
const OVERLAP: Millis = Millis::from_mins(60);

/// A secret that can be replaced while the host runs. What it replaced is accepted for an hour.
#[derive(Debug)]
pub(super) struct Renewable<T> {
    current: T,
    before: Option<(T, Timestamp)>,
}

impl<T: PartialEq> Renewable<T> {
    pub(super) fn new(secret: T) -> Self {
        Self {
            current: secret,
            before: None,
        }
    }

    /// Replaces the secret. False if it is the same.
    pub(super) fn renew(&mut self, secret: T, now: Timestamp) -> bool {
        if self.current == secret {
            return false;
        }
        let before = std::mem::replace(&mut self.current, secret);
        self.before = Some((before, now + OVERLAP));
        true
    }

    /// Whether one of the secrets that are accepted now passes.
    pub(super) fn any(&self, now: Timestamp, passes: impl Fn(&T) -> bool) -> bool {
        let before = self.before.as_ref().filter(|(_, until)| now < *until);
        let current = passes(&self.current);
        before.is_some_and(|(secret, _)| passes(secret)) || current
    }
}

/// The integration's Outbound Notification Webhook Signature Secret Token. One that is empty or shorter than
/// Genesys takes signs nothing.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct WebhookSecret(String);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

impl WebhookSecret {
    pub(super) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// Whether `body` was signed with this secret. Takes as long for a wrong signature as for a right
    /// one.
    pub(super) fn signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let Some(given) = headers.get(HEADER).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        if self.0.chars().count() < SHORTEST_KEY {
            return false;
        }
        let expected = self.signature(body);
        expected.as_bytes().ct_eq(given.trim().as_bytes()).into()
    }

    fn signature(&self, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(body);
        format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_with(secret: &str, given: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, given.parse().expect("a header"));
        WebhookSecret::new(secret.to_owned()).signed(&headers, b"{}")
    }

    #[test]
    fn only_the_base64_of_the_right_key_over_the_same_bytes_passes() {
        let right = WebhookSecret::new("a-secret-of-16-or-more".to_owned()).signature(b"{}");
        assert!(signed_with("a-secret-of-16-or-more", &right));
        assert!(!signed_with("another-secret-of-16", &right));
        assert!(!signed_with("a-secret-of-16-or-more", "sha256=deadbeef"));
        assert!(!WebhookSecret::new("s".to_owned()).signed(&HeaderMap::new(), b"{}"));
    }

    #[test]
    fn the_secret_before_passes_for_an_hour_and_none_from_before_that() {
        let secret = |text: &str| WebhookSecret::new(format!("{text}-of-sixteen-or-more"));
        let signed = |by: &str, renewable: &Renewable<WebhookSecret>, now| {
            let mut headers = HeaderMap::new();
            let signature = secret(by).signature(b"{}");
            headers.insert(HEADER, signature.parse().expect("a header"));
            renewable.any(now, |it| it.signed(&headers, b"{}"))
        };
        let mut renewable = Renewable::new(secret("one"));
        let begin = Timestamp(1_000_000);
        assert!(!renewable.renew(secret("one"), begin), "is the same");
        assert!(renewable.renew(secret("two"), begin));
        assert!(signed("one", &renewable, begin) && signed("two", &renewable, begin));
        assert!(!signed("three", &renewable, begin));
        assert!(
            !renewable.renew(secret("two"), begin),
            "does not lengthen it"
        );
        let later = begin + OVERLAP;
        assert!(!signed("one", &renewable, later) && signed("two", &renewable, later));
        renewable.renew(secret("three"), begin);
        assert!(!signed("one", &renewable, begin));
    }

    #[test]
    fn nothing_is_signed_with_an_empty_or_a_short_key() {
        for length in 0..SHORTEST_KEY {
            let key = "k".repeat(length);
            let right = WebhookSecret::new(key.clone()).signature(b"{}");
            assert!(!signed_with(&key, &right), "{length}");
        }
    }
}
