//! What operators and builders of flows are told, and the document of the routes.

use super::client::{ADMIN, Client, json_of, request};
use crate::tests::support::{NoSecrets, renamed};
use axum::http::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn nodes_are_told_with_their_descriptors() {
    let client = Client::new().await;
    let (_, body) = client.get("/v1/nodes", ADMIN).await;
    let nodes = body["nodes"].as_array().expect("is a list");
    let names: Vec<&Value> = nodes.iter().map(|node| &node["type"]).collect();
    assert_eq!(names, ["ask", "redirect", "say"]);
    assert!(
        nodes
            .iter()
            .all(|node| node["config"]["properties"].is_object())
    );
}

#[tokio::test]
async fn a_project_is_told_with_its_bots_flows_and_accounts() {
    let client = Client::new().await;
    let (_, body) = client.get("/v1/projects", ADMIN).await;
    let digest = &body["projects"][0]["digest"];
    assert_eq!(
        body,
        json!({"projects": [{"name": "test", "digest": digest, "start": "main"}]})
    );
    let (_, project) = client.get("/v1/projects/test", ADMIN).await;
    assert_eq!(project["digest"], *digest);
    assert_eq!(
        project["bots"],
        json!([{"name": "main", "flow": "main", "enabled": true}])
    );
    assert_eq!(project["flows"][0]["nodes"]["topic"]["type"], "ask");
    let site = json!({
        "name": "site", "transport": "engage-chat-v2", "default": true,
        "at": "https://gms.example.org",
    });
    assert_eq!(project["accounts"][1], site);
    let (status, problem) = client.get("/v1/projects/other", ADMIN).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (404, &json!("project.unknown"))
    );
}

#[tokio::test]
async fn versions_are_told_with_the_sessions_that_are_left_on_each() {
    let client = Client::new().await;
    client.guest().await;
    let first = client.desk.host.project().digest().to_owned();
    let second = renamed("second").await;
    let deployed = client.desk.host.deploy(second.clone(), &NoSecrets);
    deployed.expect("its accounts are fine");
    let (_, body) = client.get("/v1/projects/second/versions", ADMIN).await;
    let wanted = json!({"versions": [
        {"digest": second.digest(), "current": true, "loaded": true, "openSessions": 0},
        {"digest": first, "current": false, "loaded": true, "openSessions": 1},
    ]});
    assert_eq!(body, wanted);
    // This host was given no directory.
    let reload = "/v1/projects/second/reload";
    let (status, body) = client.call("POST", reload, Some(ADMIN), None).await;
    assert_eq!(status, 422);
    assert_eq!(body["code"], "version.no_directory");
}

#[tokio::test]
async fn every_route_is_in_the_document() {
    let client = Client::new().await;
    let (_, document) = client.call("GET", "/openapi.json", None, None).await;
    assert!(
        document["openapi"]
            .as_str()
            .expect("a version")
            .starts_with("3.1")
    );
    let paths = document["paths"].as_object().expect("is an object");
    let paths: Vec<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/metrics",
            "/readyz",
            "/v1/backup",
            "/v1/keys/rotate",
            "/v1/nodes",
            "/v1/projects",
            "/v1/projects/{name}",
            "/v1/projects/{name}/reload",
            "/v1/projects/{name}/versions",
            "/v1/projects/{name}/versions/{digest}/activate",
            "/v1/secrets/reload",
            "/v1/sessions",
            "/v1/sessions/{id}",
            "/v1/sessions/{id}/attachments",
            "/v1/sessions/{id}/events",
            "/v1/sessions/{id}/leave",
            "/v1/sessions/{id}/messages",
            "/v1/sessions/{id}/receipts",
            "/v1/sessions/{id}/revoke",
            "/v1/sessions/{id}/socket",
            "/v1/sessions/{id}/timeline",
            "/v1/sessions/{id}/token",
            "/v1/sessions/{id}/typing",
            "/v1/webhooks",
        ]
    );
    assert_complete(&document, &document);
}

/// Every reference leads somewhere.
fn assert_complete(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref") {
                let pointer = reference
                    .as_str()
                    .expect("is a text")
                    .trim_start_matches('#');
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            members
                .values()
                .for_each(|it| assert_complete(document, it));
        }
        Value::Array(items) => items.iter().for_each(|it| assert_complete(document, it)),
        _ => {}
    }
}

#[tokio::test]
async fn metrics_are_told_to_the_operator_and_count_every_call_once() {
    let client = Client::new().await;
    let guest = client.guest().await;
    client.say(&guest, "hello").await;
    let (status, _) = client.get("/metrics", &guest.token).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let response = client
        .send(request("GET", "/metrics", Some(ADMIN), None))
        .await;
    let format = response.headers()["content-type"].to_str().expect("a text");
    assert!(
        format.starts_with("application/openmetrics-text"),
        "{format}"
    );
    let text = json_of(response).await;
    let text = text.as_str().expect("is no JSON");
    for series in [
        "sessions{owner=\"agent\"} 1",
        "http_requests_total{method=\"POST\",route=\"/v1/sessions/{id}/messages\",status=\"200\"} 1",
        "http_requests_total{method=\"GET\",route=\"/metrics\",status=\"403\"} 1",
    ] {
        assert!(
            text.contains(&format!("\nhandoff_{series}\n")),
            "{series}: {text}"
        );
    }
    assert!(!text.contains(&guest.id), "{text}");
}
