//! Signed webhook calls as strict readers refuse them: an agent's words reach their handoff, or the call
//! is not acknowledged, or it is known that something is missing.

use super::*;
use crate::driving::Events;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoff_engine::account::SecretRef;
use handoff_engine::clock::{Busy, SimClock};
use handoff_engine::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use std::sync::Mutex;
use tokio::sync::mpsc;

use super::super::calls::Event;
use super::super::switchboard::Line;

const WORDS: &str = "Your parcel leaves tonight";

/// A secret that can be changed behind the account's back.
struct Changing(Mutex<String>);

impl Secrets for Changing {
    fn resolve(&self, _: &SecretRef) -> Result<String, crate::secrets::SecretError> {
        Ok(self.0.lock().expect("no test panics here").clone())
    }
}

struct Bench {
    account: OpenMessaging,
    configured: engine::Account,
    clock: SimClock,
    heard: mpsc::UnboundedReceiver<(Event, Busy)>,
    _line: Line,
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut mac = mac.expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

impl Bench {
    fn new(secrets: &Changing) -> Self {
        let configured: engine::Account = serde_json::from_value(serde_json::json!({
            "transport": "cloud-open-messaging",
            "region": "mypurecloud.de",
            "client-id": "bridge",
            "client-secret": { "named": "one" },
            "integration": "handoff bridge",
            "webhook-secret": { "named": "one" },
        }))
        .expect("an account");
        let engine::Account::CloudOpenMessaging(own) = &configured else {
            panic!("is of this transport");
        };
        let clock = SimClock::new(Timestamp::from_iso("2026-01-05T10:00:10Z").expect("a time"));
        let account = OpenMessaging::new(
            &AccountName::new("acme"),
            own,
            secrets,
            Arc::new(clock.clone()),
            crate::http_client(),
        );
        let account = account.expect("is usable");
        let (events, heard): (Events<Event>, _) = mpsc::unbounded_channel();
        let switchboard = &account.0.switchboard;
        let line = switchboard.connect("ana", Some("c-1"), events, Waiting::Stale);
        Self {
            account,
            configured,
            clock,
            heard,
            _line: line,
        }
    }

    fn call(&self, secret: &str, body: &[u8]) -> WebhookReply {
        let mut headers = http::HeaderMap::new();
        let signature = signature(secret, body).parse().expect("a header");
        headers.insert("x-hub-signature-256", signature);
        self.account.webhook(&headers, body)
    }

    /// Whether the words came to the handoff.
    fn has_the_words(&mut self) -> bool {
        let mut has = false;
        while let Ok((event, _)) = self.heard.try_recv() {
            if let Event::Heard(message) = event {
                let message = serde_json::to_string(&message).expect("is written");
                has |= message.contains(WORDS);
            }
        }
        has
    }
}

const SECRET: &str = "a-secret-of-16-or-more";

fn secrets() -> Changing {
    Changing(Mutex::new(SECRET.to_owned()))
}

/// An agent's message, with a place for what is odd.
fn body(text: &str, more: &str) -> String {
    format!(
        "{{\"id\":\"m-1\",\"channel\":{{\"to\":{{\"id\":\"ana\"}},\"time\":\"2026-01-05T10:00:09.000Z\"}},\
         \"type\":\"Text\",\"text\":{text},\"originatingEntity\":\"Human\",\
         \"conversationId\":\"c-1\"{more}}}"
    )
}

#[test]
fn whatever_is_odd_about_a_signed_body_its_words_reach_the_user() {
    let plain = format!("\"{WORDS}\"");
    let of = |text: &str| body(&format!("\"{WORDS} {text}\""), "");
    let plain_body = body(&plain, "");
    let cut = plain_body.find(WORDS).expect("are there") + WORDS.len();
    let mut odd: Vec<Vec<u8>> = vec![
        body(&plain, "").into(),
        format!("\u{feff}{}", body(&plain, "")).into(),
        format!("{}\0\n", body(&plain, "")).into(),
        body(&plain, "").replace("\"m-1\"", "4711").into(),
        body(&plain, "")
            .replace("\"m-1\"", "471100000000000000000000000000")
            .into(),
        body(&plain, "").replace("\"m-1\"", "null").into(),
        body(&plain, "").replace("\"Text\"", "null").into(),
        body(&plain, "").replace("\"Text\"", "\"text\"").into(),
        body(&plain, "").replace("\"Text\"", "\"Hologram\"").into(),
        body(&plain, "")
            .replace("\"2026-01-05T10:00:09.000Z\"", "1767607209000")
            .into(),
        body(&plain, "")
            .replace("\"2026-01-05T10:00:09.000Z\"", "null")
            .into(),
        of("\u{1}")
            .bytes()
            .map(|it| if it == 1 { 0xff } else { it })
            .collect(),
        body(&plain, "")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
        // Cut off behind the words, and a little later.
        plain_body[..cut].into(),
        plain_body[..cut + 30].into(),
    ];
    let escapes = [
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\ud83d",
        "\\udc00\\ud800",
        "\\ud83d x",
        "\\x41",
        "\\u12",
        "\\'",
        "line\nbreak",
        "tab\there",
        "\u{1}",
    ];
    odd.extend(escapes.map(|escape| of(escape).into()));
    let members = [
        "content",
        "events",
        "status",
        "reasons",
        "direction",
        "originatingEntity",
        "id",
        "type",
        "text",
        "conversationId",
        "channel",
        "messageMetadata",
    ];
    for value in ["null", "\"\"", "[]", "{}", "[null]"] {
        // A key that is repeated, or there with nothing in it.
        let more = members.map(|key| body(&plain, &format!(",\"{key}\":{value}")).into());
        odd.extend(more);
    }
    for value in [
        "NaN",
        "1e999",
        "007",
        "True",
        "'x'",
        "undefined",
        "123456789012345678901234567890",
    ] {
        odd.push(body(&plain, &format!(",\"new\":{value}")).into());
        odd.push(body(&plain, &format!(",\"new\":[{value},],")).into());
    }
    for (number, body) in odd.iter().enumerate() {
        let mut bench = Bench::new(&secrets());
        let reply = bench.call(SECRET, body);
        let shown = String::from_utf8_lossy(body);
        assert!(bench.has_the_words(), "{number}: {reply:?} {shown}");
        assert_eq!(reply.status, StatusCode::OK, "{number}: {shown}");
    }
}

#[test]
fn what_cannot_be_read_is_told_and_fetched_where_its_conversation_shows() {
    let mut bench = Bench::new(&secrets());
    for (body, status, conversation) in [
        ("", StatusCode::UNPROCESSABLE_ENTITY, None),
        ("]", StatusCode::UNPROCESSABLE_ENTITY, None),
        ("\"hello\"", StatusCode::UNPROCESSABLE_ENTITY, None),
        ("{}", StatusCode::UNPROCESSABLE_ENTITY, None),
        ("{\"type\": \"Text\", \"text\": null}", StatusCode::OK, None),
        ("{\"type\": \"Hologram\"}", StatusCode::OK, None),
        (
            "[\"conversationId\": \"other\"",
            StatusCode::UNPROCESSABLE_ENTITY,
            Some("other"),
        ),
        ("[\"conversationId\": \"c-1\"", StatusCode::OK, Some("c-1")),
    ] {
        let reply = bench.call(SECRET, body.as_bytes());
        assert_eq!(reply.status, status, "{body}");
        let WebhookOutcome::Unreadable {
            conversation: found,
            ..
        } = reply.outcome
        else {
            panic!("{body}: {reply:?}");
        };
        assert_eq!(found.as_deref(), conversation);
    }
    let hints = std::iter::from_fn(|| bench.heard.try_recv().ok());
    assert_eq!(
        hints.count(),
        1,
        "the conversation that it names is looked at"
    );
}

#[test]
fn words_for_nobody_here_are_not_acknowledged_and_the_rest_is() {
    let mut bench = Bench::new(&secrets());
    let message = body(&format!("\"{WORDS}\""), "");
    for (body, status) in [
        (
            message.replace("\"ana\"", "\"rui\""),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            message.replace("\"c-1\"", "\"c-2\""),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            message.replace("\"ana\"", "null"),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            message
                .replace("\"ana\"", "\"rui\"")
                .replace("\"Text\"", "\"Receipt\""),
            StatusCode::OK,
        ),
        (
            message
                .replace("\"ana\"", "\"rui\"")
                .replace("\"Text\"", "\"Event\""),
            StatusCode::OK,
        ),
    ] {
        let reply = bench.call(SECRET, body.as_bytes());
        assert_eq!(reply.status, status, "{body}");
        let unclaimed = matches!(reply.outcome, WebhookOutcome::Unclaimed { .. });
        assert_eq!(unclaimed, status != StatusCode::OK);
        assert!(!bench.has_the_words(), "{body}");
    }
}

#[test]
fn a_new_secret_is_taken_without_a_restart_and_the_one_before_for_an_hour() {
    let secrets = secrets();
    let bench = Bench::new(&secrets);
    let message =
        body(&format!("\"{WORDS}\""), "").replace(",\"time\":\"2026-01-05T10:00:09.000Z\"", "");
    let status = |secret: &str| bench.call(secret, message.as_bytes()).status;
    let renew = || bench.account.renew_secrets(&bench.configured, &secrets);
    assert!(!renew().expect("is there"), "nothing has changed");
    *secrets.0.lock().expect("no test panics here") = "another-secret-of-16".to_owned();
    assert_eq!(status("another-secret-of-16"), StatusCode::UNAUTHORIZED);
    assert!(renew().expect("is there"));
    assert_eq!(status(SECRET), StatusCode::OK);
    assert_eq!(status("another-secret-of-16"), StatusCode::OK);
    bench.clock.set(bench.clock.now() + Millis::from_mins(60));
    assert_eq!(status(SECRET), StatusCode::UNAUTHORIZED);
    assert_eq!(status("another-secret-of-16"), StatusCode::OK);
}

/// A body with one thing broken, anywhere but in the words themselves.
#[test]
fn no_signed_body_is_acknowledged_while_its_words_are_dropped() {
    let whole = body(&format!("\"{WORDS}\""), ",\"content\":[]").into_bytes();
    let words = whole
        .windows(WORDS.len())
        .position(|it| it == WORDS.as_bytes());
    let words = words.expect("are there");
    let words = words..words + WORDS.len();
    let mut bench = Bench::new(&secrets());
    let mut check = |bytes: Vec<u8>| {
        let reply = bench.call(SECRET, &bytes);
        let reached = bench.has_the_words();
        let acknowledged = reply.outcome == WebhookOutcome::Taken;
        let shown = String::from_utf8_lossy(&bytes);
        assert!(reached || !acknowledged, "{reply:?} {shown}");
    };
    for at in (0..whole.len()).filter(|at| !words.contains(at)) {
        let mut removed = whole.clone();
        removed.remove(at);
        check(removed);
        for byte in b"\"'\\{}[],:#x0 \0\n\xff" {
            let mut replaced = whole.clone();
            replaced[at] = *byte;
            check(replaced);
            let mut inserted = whole.clone();
            inserted.insert(at, *byte);
            check(inserted);
        }
        if at > words.end {
            check(whole[..at].to_vec());
        }
    }
}
