//! What happened in a session, as operators ask for it.

use super::client::{ADMIN, Client, code, request};
use axum::http::{StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn a_timeline_is_for_the_operator_only() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let path = ana.path("timeline");
    let (status, problem) = client.call("GET", &path, None, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(code(&problem), "auth.missing");
    let (status, problem) = client.get(&path, &ana.token).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(code(&problem), "auth.not_admin");
    let (status, problem) = client.get("/v1/sessions/nobody/timeline", ADMIN).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(code(&problem), "session.unknown");
}

#[tokio::test]
async fn a_timeline_hides_what_was_said_unless_it_is_asked_for() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let said = json!({"id": "1", "text": "my secret wish"});
    let (status, _) = client.act(&ana, "messages", said).await;
    assert_eq!(status, StatusCode::OK);
    let path = ana.path("timeline");
    let (status, told) = client.get(&path, ADMIN).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(told["format"], "timeline@1");
    assert_eq!(told["session"], json!(ana.id));
    // The opening is on its way, and nothing is settled before the platform says so.
    let rows = told["rows"].as_array().expect("is a list");
    let opening = rows
        .iter()
        .find(|row| row["detail"]["request"].is_object())
        .expect("it is handed over");
    assert_eq!(opening["state"], "pending");
    for (query, shown) in [
        ("", false),
        ("&reveal=false", false),
        ("&reveal=true", true),
    ] {
        for (format, media_type) in [
            ("json", "application/json"),
            ("text", "text/plain; charset=utf-8"),
            ("html", "text/html; charset=utf-8"),
        ] {
            let path = format!("{path}?format={format}{query}");
            let response = client.send(request("GET", &path, Some(ADMIN), None)).await;
            assert_eq!(response.headers()[header::CONTENT_TYPE], media_type);
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
            let body = String::from_utf8(body.expect("reads").to_vec()).expect("is text");
            assert_eq!(body.contains("my secret wish"), shown, "{path}: {body}");
        }
    }
    let (status, problem) = client.get(&format!("{path}?format=pdf"), ADMIN).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(code(&problem), "request.malformed");
}
