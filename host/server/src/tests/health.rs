//! Signs of life, from before a host works to its end.

use super::support::Desk;
use crate::http::{AdminToken, ApiOptions};
use crate::key::HostKey;
use crate::serve::{Door, ListenOptions, Starting};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

fn options() -> ApiOptions {
    let mut options = ApiOptions::new(HostKey::random().expect("random"));
    options.admin_token =
        Some(AdminToken::new("an-admin-token-of-the-tests").expect("is long enough"));
    options
}

fn door() -> Door {
    Door::open(ListenOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)))).expect("opens")
}

async fn get(url: &str, path: &str) -> (u16, String) {
    let client = handoff_genesys::http_client();
    let answer = client.get(format!("{url}{path}")).send().await;
    let answer = answer.expect("is answered");
    (
        answer.status().as_u16(),
        answer.text().await.expect("reads"),
    )
}

#[tokio::test]
async fn health_checks_are_answered_before_the_host_works() {
    let starting = Starting::open(door()).expect("is served");
    let url = starting.url().to_owned();
    assert_eq!(get(&url, "/healthz").await, (200, "ok".to_owned()));
    assert_eq!(
        get(&url, "/readyz").await,
        (503, "the host is starting\n".to_owned())
    );
    for path in [
        "/v1/sessions",
        "/v1/genesys/site/webhook",
        "/metrics",
        "/nothing",
    ] {
        let (status, body) = get(&url, path).await;
        let body: Value = serde_json::from_str(&body).expect("is JSON");
        assert_eq!(
            (status, body["code"].as_str()),
            (503, Some("host.starting")),
            "{path}"
        );
    }
    let desk = Desk::new().await;
    let server = starting.serve(&desk.host, options());
    assert_eq!(get(&url, "/readyz").await.0, 200);
    assert_eq!(get(&url, "/v1/nodes").await.0, 401);
    server.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_host_that_will_stop_says_so_and_does_everything_until_then() {
    let desk = Desk::new().await;
    let server = Starting::open(door())
        .expect("is served")
        .serve(&desk.host, options());
    let url = server.url().to_owned();
    server.announce_end();
    assert_eq!(get(&url, "/readyz").await.0, 503);
    assert_eq!(get(&url, "/healthz").await.0, 200);
    let client = handoff_genesys::http_client();
    let created = client.post(format!("{url}/v1/sessions"));
    let created = created
        .bearer_auth("an-admin-token-of-the-tests")
        .send()
        .await;
    assert_eq!(created.expect("is answered").status(), 201);
    server.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_host_whose_store_stopped_is_not_alive_and_says_why() {
    let desk = Desk::new().await;
    let server = Starting::open(door())
        .expect("is served")
        .serve(&desk.host, options());
    assert_eq!(get(server.url(), "/healthz").await.0, 200);
    desk.store.stop();
    let (status, why) = get(server.url(), "/healthz").await;
    assert_eq!(status, 503);
    assert!(why.contains("stopped"), "{why}");
    assert_eq!(get(server.url(), "/readyz").await.0, 503);
    server.shut_down(Duration::from_secs(5)).await;
}
