//! Calls of an account's webhook: as Genesys would make them, or as somebody who has no business to.
//!
//! The signature is made here, by the protocol's own words, and not by the host's code.

use crate::play::Failure;
use crate::stage::Stage;
use crate::step::{Signature, WebhookCall};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoff_genesys::http_client;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

/// Calls, and compares the status.
pub(crate) async fn call(stage: &Stage, line: usize, call: &WebhookCall) -> Result<(), Failure> {
    let expected = format!("the webhook to answer {}", call.answers);
    let fail = |got: String| {
        Err(Failure {
            line,
            expected: expected.clone(),
            got,
        })
    };
    let Some((url, secret)) = stage.webhook(&call.account) else {
        return fail(format!("account '{}' has no webhook", call.account));
    };
    let conversations = stage.control.conversations();
    let Some(conversation) = conversations.last() else {
        return fail("there is no conversation yet".to_owned());
    };
    let user = conversation.identity.get("id").cloned().unwrap_or_default();
    let id = format!("call-{line}");
    let body = json!({
        "id": id,
        "channel": {
            "platform": "Open",
            "type": "Private",
            "messageId": id,
            "to": { "id": user, "idType": "Opaque" },
            "time": stage.now().to_iso(),
        },
        "type": "Text",
        "text": call.says,
        "originatingEntity": "Human",
        "direction": "Outbound",
        "conversationId": conversation.id,
    })
    .to_string();
    let signature = match call.signature {
        Signature::Good => Some(sign(&secret, &body)),
        Signature::Bad => Some(sign("a-secret-that-nobody-agreed-on", &body)),
        Signature::OfAnotherBody => Some(sign(&secret, "{}")),
        Signature::Missing => None,
    };
    let mut request = http_client()
        .post(url)
        .header("Content-Type", "application/json")
        .body(body);
    if let Some(signature) = signature {
        request = request.header("X-Hub-Signature-256", signature);
    }
    match request.send().await {
        Ok(answer) if answer.status().as_u16() == call.answers => Ok(()),
        Ok(answer) => fail(format!("it answered {}", answer.status())),
        Err(error) => fail(error.to_string()),
    }
}

fn sign(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}
