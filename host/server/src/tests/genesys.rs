//! Webhooks and the sign of life, over HTTP.

use super::support::{Desk, SITE};
use crate::host::Host;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use handoff_engine::name::AccountName;
use serde_json::json;
use tower::ServiceExt;

async fn post(desk: &Desk, path: &str, body: Vec<u8>) -> (StatusCode, String) {
    let request = Request::post(path)
        .body(Body::from(body))
        .expect("is a request");
    let answer = desk
        .host
        .router()
        .oneshot(request)
        .await
        .expect("never fails");
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .expect("reads");
    (status, String::from_utf8(body.to_vec()).expect("is text"))
}

fn site() -> String {
    Host::webhook_path(&AccountName::new(SITE))
}

#[tokio::test]
async fn a_webhook_for_no_account_is_not_found() {
    let desk = Desk::new().await;
    let path = Host::webhook_path(&AccountName::new("nobody"));
    let (status, body) = post(&desk, &path, b"{}".to_vec()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(body, "this host has no account 'nobody'\n");
}

#[tokio::test]
async fn a_webhook_is_answered_as_its_transport_says() {
    let desk = Desk::new().await;
    let answer = post(&desk, &site(), b"hello".to_vec()).await;
    let said = "5 bytes from nobody known".to_owned();
    assert_eq!(answer, (StatusCode::UNAUTHORIZED, said));
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status_and_never_by_path() {
    let desk = Desk::new().await;
    post(&desk, &site(), b"hello".to_vec()).await;
    post(&desk, &site(), b"hello".to_vec()).await;
    post(&desk, "/canary", Vec::new()).await;
    let text = desk.host.metrics().await;
    let route = "/v1/genesys/{account}/webhook";
    for series in [
        format!("_total{{method=\"POST\",route=\"{route}\",status=\"401\"}} 2"),
        "_total{method=\"POST\",route=\"none\",status=\"404\"} 1".to_owned(),
    ] {
        let series = format!("handoff_http_requests{series}\n");
        assert!(text.contains(&series), "{series}{text}");
    }
    let timed =
        format!("handoff_http_request_seconds_count{{method=\"POST\",route=\"{route}\"}} 2");
    assert!(text.contains(&timed), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn what_users_may_miss_is_counted_and_listed_and_not_acknowledged() {
    let desk = Desk::new().await;
    for (body, expected) in [
        ("for nobody", StatusCode::SERVICE_UNAVAILABLE),
        ("for nobody", StatusCode::SERVICE_UNAVAILABLE),
        ("unreadable", StatusCode::UNPROCESSABLE_ENTITY),
        ("forged", StatusCode::UNAUTHORIZED),
    ] {
        let (status, _) = post(&desk, &site(), body.into()).await;
        assert_eq!(status, expected, "{body}");
    }
    let text = desk.host.metrics().await;
    for (outcome, count) in [("unclaimed", 2), ("unreadable", 1), ("refused", 1)] {
        let series =
            format!("handoff_webhooks_total{{account=\"site\",outcome=\"{outcome}\"}} {count}\n");
        assert!(text.contains(&series), "{series}{text}");
    }
    let (counts, missed) = desk.host.0.metrics.webhooks().list();
    let counts = serde_json::to_value(counts).expect("is JSON");
    let unclaimed = json!({"account": "site", "outcome": "unclaimed", "count": 2});
    assert!(
        counts.as_array().expect("a list").contains(&unclaimed),
        "{counts}"
    );
    let missed = serde_json::to_value(missed).expect("is JSON");
    let at = desk.host.now().to_iso();
    assert_eq!(
        missed,
        json!([
            {"at": at, "account": "site", "outcome": "unreadable", "why": "it isno JSON"},
            {"at": at, "account": "site", "outcome": "unclaimed", "message": "m-1", "conversation": "c-1"},
        ]),
        "what is brought again is listed once"
    );
}

#[tokio::test]
async fn a_webhook_of_two_mebibytes_is_taken_and_a_longer_one_is_not() {
    let desk = Desk::new().await;
    let (status, _) = post(&desk, &site(), vec![b' '; 2 << 20]).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "the transport's own answer"
    );
    let (status, _) = post(&desk, &site(), vec![b' '; (2 << 20) + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_host_that_stops_asks_for_webhooks_to_be_brought_again() {
    let desk = Desk::new().await;
    let router = desk.host.router();
    desk.host.stop();
    let request = Request::post(site())
        .body(Body::empty())
        .expect("is a request");
    let answer = router.oneshot(request).await.expect("never fails");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_served_host_is_alive_until_it_stops() {
    let desk = Desk::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/healthz",
        listener.local_addr().expect("is bound")
    );
    desk.host.serve(listener);
    let client = handoff_genesys::http_client();
    let answer = client.get(&url).send().await.expect("is served");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.expect("reads"), "ok");
    desk.host.stop();
    desk.host.stopped().await;
    // The connection of before is closed as well.
    let refused = client.get(&url).send().await.expect_err("nobody is there");
    assert!(refused.is_connect() || refused.is_request(), "{refused}");
}
