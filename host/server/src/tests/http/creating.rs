//! How sessions come to be.

use super::client::{ADMIN, Client, code, json_of, request, with_header};
use axum::http::{StatusCode, header};
use handoff_engine::time::Millis;
use serde_json::{Value, json};

const KEY: &str = "2a9c1a5e-7d09-4a7c-9c0b-3f6f8f1d2b11";

async fn create(
    client: &Client,
    key: &str,
    token: Option<&str>,
    body: Value,
) -> (StatusCode, Value) {
    let asks = request("POST", "/v1/sessions", token, Some(body));
    let response = client.send(with_header(asks, "idempotency-key", key)).await;
    (response.status(), json_of(response).await)
}

#[tokio::test]
async fn a_session_starts_with_its_bot() {
    let client = Client::new().await;
    let asks = request("POST", "/v1/sessions", Some(ADMIN), None);
    let response = client.send(asks).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = response.headers()[header::LOCATION].clone();
    let body = json_of(response).await;
    let path = format!("/v1/sessions/{}", body["id"].as_str().expect("an id"));
    assert_eq!(location, path.as_str());
    let token = body["token"].as_str().expect("a token");
    let (_, session) = client.get(&path, token).await;
    assert_eq!(
        session,
        json!({"id": body["id"], "revision": 1, "open": true, "owner": {"kind": "bot", "name": "main"}})
    );
    let (_, list) = client.get(&format!("{path}/events"), token).await;
    assert_eq!(list["events"][0]["text"], "What is it about?");
}

#[tokio::test]
async fn anybody_may_start_a_session_only_where_the_operator_says_so() {
    let client = Client::new().await;
    let (status, problem) = client.call("POST", "/v1/sessions", None, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(code(&problem), "auth.missing");
    let client = Client::with(|options| options.public_sessions = true).await;
    let (status, _) = client.call("POST", "/v1/sessions", None, None).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, _) = client.call("POST", "/v1/sessions", Some("x"), None).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a wrong token is no token");
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_repeated_without_another_session() {
    let client = Client::new().await;
    let first = create(&client, KEY, Some(ADMIN), json!({"channel": "web"})).await;
    let again = create(&client, KEY, Some(ADMIN), json!({"channel": "web"})).await;
    assert_eq!(first.0, StatusCode::CREATED);
    assert_eq!(first, again);
    let id = first.1["id"].as_str().expect("an id");
    assert_eq!(client.desk.inputs(id).await, ["started"]);
}

#[tokio::test]
async fn a_key_leads_to_one_session_of_one_caller_for_a_day() {
    let client = Client::with(|options| options.public_sessions = true).await;
    let (_, mine) = create(&client, KEY, Some(ADMIN), json!({})).await;
    let (_, anybodys) = create(&client, KEY, None, json!({})).await;
    assert_ne!(
        mine["id"], anybodys["id"],
        "nobody else gets at the operator's"
    );
    let (status, problem) = create(&client, KEY, Some(ADMIN), json!({"channel": "web"})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(&problem), "idempotency.used_key");
    client.desk.pass(Millis::from_secs(24 * 60 * 60 + 1)).await;
    let (status, problem) = create(&client, KEY, Some(ADMIN), json!({})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(&problem), "idempotency.used_key");
}

#[tokio::test]
async fn a_key_that_could_be_guessed_is_none() {
    let client = Client::new().await;
    let long = "x".repeat(129);
    for key in ["1", "with a space in it", &long] {
        let (status, problem) = create(&client, key, Some(ADMIN), json!({})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(code(&problem), "idempotency.bad_key");
    }
}

#[tokio::test]
async fn a_bot_that_is_not_there_is_told() {
    let client = Client::new().await;
    let body = json!({"bot": "nobody"});
    let (status, problem) = client
        .call("POST", "/v1/sessions", Some(ADMIN), Some(body))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(&problem), "bot.unknown");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_with_what_is_wrong() {
    let client = Client::new().await;
    for (body, expected) in [
        (json!({"bto": "main"}), "unknown field `bto`"),
        (json!({"bot": 1}), "expected a string"),
        (json!("hello"), "expected struct CreateSession"),
    ] {
        let (status, problem) = client
            .call("POST", "/v1/sessions", Some(ADMIN), Some(body))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(code(&problem), "request.malformed");
        let message = problem["message"].as_str().expect("a sentence");
        assert!(message.contains(expected), "{message}");
    }
    let asks = request("POST", "/v1/sessions", Some(ADMIN), Some(json!({})));
    let response = client
        .send(with_header(asks, "content-type", "text/plain"))
        .await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_host_that_is_about_to_stop_takes_no_new_sessions_and_goes_on_with_the_others() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let (status, _) = client.call("GET", "/readyz", None, None).await;
    assert_eq!(status, StatusCode::OK);
    client.api.drain();
    let response = client
        .send(request("POST", "/v1/sessions", Some(ADMIN), None))
        .await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(code(&json_of(response).await), "host.draining");
    client.say(&ana, "an order").await;
    let (status, _) = client.call("GET", "/readyz", None, None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, _) = client.call("GET", "/healthz", None, None).await;
    assert_eq!(status, StatusCode::OK);
}
