//! Webhook and trigger calls, from the bytes of their headers and bodies on.
//!
//! The first line of an input says what stands in the header that proves the caller: `signed`,
//! `signature value`, `bearer` or `authorization value`; the rest is the body. Who cannot prove it is
//! refused. Who can is refused a webhook only if its words would be lost: no handoff is for them, or they
//! cannot be read.

use crate::media::NoMedia;
use crate::secrets::{SecretError, Secrets};
use crate::transport::{Transport, WebhookOutcome};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::account::{Account, SecretRef};
use handoff_engine::clock::SimClock;
use handoff_engine::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::Sha256;
use std::sync::{Arc, LazyLock};

const SECRET: &str = "a-secret-of-16-or-more";
const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");

struct OneSecret;

impl Secrets for OneSecret {
    fn resolve(&self, _: &SecretRef) -> Result<String, SecretError> {
        Ok(SECRET.to_owned())
    }
}

/// Hands a call over.
pub(super) fn call(input: &[u8]) {
    let (head, body) = halves(input);
    let (word, value) = halves_at(head, b' ');
    match word {
        b"signed" => {
            let reply = account().webhook(&headers(SIGNATURE, signature(body).as_bytes()), body);
            let right = match &reply.outcome {
                WebhookOutcome::Taken | WebhookOutcome::Stale => reply.status == StatusCode::OK,
                WebhookOutcome::Unclaimed { .. } => reply.status == StatusCode::SERVICE_UNAVAILABLE,
                WebhookOutcome::Unreadable { .. } => {
                    [StatusCode::OK, StatusCode::UNPROCESSABLE_ENTITY].contains(&reply.status)
                }
                WebhookOutcome::Refused => false,
            };
            assert!(right, "{reply:?}");
        }
        b"bearer" => {
            let token = format!("Bearer {SECRET}");
            let reply = account().event(&headers(header::AUTHORIZATION, token.as_bytes()), body);
            assert!(
                [StatusCode::OK, StatusCode::BAD_REQUEST].contains(&reply.status),
                "{reply:?}"
            );
        }
        b"authorization" => {
            let reply = account().event(&headers(header::AUTHORIZATION, value), body);
            let borne = String::from_utf8_lossy(value).contains(SECRET);
            assert!(
                borne || reply.status == StatusCode::UNAUTHORIZED,
                "{reply:?}"
            );
        }
        _ => {
            let reply = account().webhook(&headers(SIGNATURE, value), body);
            let right = String::from_utf8_lossy(value).contains(&signature(body));
            assert!(
                right || reply.status == StatusCode::UNAUTHORIZED,
                "{reply:?}"
            );
        }
    }
}

fn account() -> &'static dyn Transport {
    static ACCOUNT: LazyLock<Arc<dyn Transport>> = LazyLock::new(|| {
        let account: Account = serde_json::from_value(serde_json::json!({
            "transport": "cloud-open-messaging",
            "region": "mypurecloud.de",
            "client-id": "bridge",
            "client-secret": { "named": "one" },
            "integration": "handoff bridge",
            "webhook-secret": { "named": "one" },
            "events-token": { "named": "one" },
        }))
        .expect("an account");
        let clock = Arc::new(SimClock::new(Timestamp(1_767_607_200_000)));
        let http = crate::http_client();
        let name = "acme".into();
        let transport =
            crate::transport(&name, &account, &OneSecret, clock, http, Arc::new(NoMedia));
        transport.expect("a transport")
    });
    ACCOUNT.as_ref()
}

fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(name, value);
    }
    headers
}

/// As Genesys signs (PROTOCOLS 4.4), worked out here anew.
fn signature(body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The first line, and the rest.
pub(super) fn halves(input: &[u8]) -> (&[u8], &[u8]) {
    halves_at(input, b'\n')
}

fn halves_at(input: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == separator) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[]),
    }
}
