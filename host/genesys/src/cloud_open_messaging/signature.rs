//! Whether a webhook call is Genesys' own: HMAC-SHA256 over the raw body, in base64 (PROTOCOLS 4.3).

use crate::account::SHORTEST_KEY;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

const HEADER: &str = "x-hub-signature-256";

/// The integration's Outbound Notification Webhook Signature Secret Token. One that is empty or shorter than
/// Genesys takes signs nothing.
#[derive(Clone)]
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
    fn nothing_is_signed_with_an_empty_or_a_short_key() {
        for length in 0..SHORTEST_KEY {
            let key = "k".repeat(length);
            let right = WebhookSecret::new(key.clone()).signature(b"{}");
            assert!(!signed_with(&key, &right), "{length}");
        }
    }
}
