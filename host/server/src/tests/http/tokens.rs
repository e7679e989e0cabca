//! Tokens of sessions: how long they open them, and what ends that sooner.

use super::client::{ADMIN, Client, Guest, code, json_of, request, with_header};
use axum::http::StatusCode;
use futures_util::StreamExt;
use handoff_engine::time::Millis;
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

async fn renewed(client: &Client, guest: &Guest, token: &str) -> (StatusCode, Guest) {
    let path = guest.path("token");
    let (status, body) = client.call("POST", &path, Some(token), None).await;
    let token = body["token"].as_str().unwrap_or_default().to_owned();
    (
        status,
        Guest {
            id: guest.id.clone(),
            token,
        },
    )
}

#[tokio::test]
async fn a_token_expires_and_is_renewed_before() {
    let client = Client::with(|options| options.token_lifetime = Duration::from_secs(8 * 60)).await;
    let ana = client.guest().await;
    client
        .desk
        .clock
        .set(client.desk.host.now() + Millis::from_mins(7));
    let (status, later) = renewed(&client, &ana, &ana.token).await;
    assert_eq!(status, StatusCode::OK);
    client.say(&ana, "still good").await;
    client
        .desk
        .clock
        .set(client.desk.host.now() + Millis::from_mins(1));
    let path = ana.path("events");
    let (status, problem) = client.get(&path, &ana.token).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::UNAUTHORIZED, "auth.expired")
    );
    let (status, _) = renewed(&client, &ana, &ana.token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "too late");
    client.say(&later, "hello").await;
    let (status, issued) = renewed(&client, &ana, ADMIN).await;
    assert_eq!(status, StatusCode::OK);
    client.say(&issued, "by the operator's leave").await;
}

#[tokio::test]
async fn what_creating_returns_says_how_long_the_token_is_good() {
    let client = Client::with(|options| options.token_lifetime = HOUR).await;
    let (_, body) = client.call("POST", "/v1/sessions", Some(ADMIN), None).await;
    let expires = client.desk.host.now() + Millis::from(HOUR);
    assert_eq!(body["tokenExpires"], expires.to_iso());
}

#[tokio::test]
async fn revoked_tokens_open_nothing_and_the_new_one_does() {
    let client = Client::new().await;
    let (ana, rui) = (client.guest().await, client.guest().await);
    let (_, second) = renewed(&client, &ana, &ana.token).await;
    let (status, body) = client
        .call("POST", &ana.path("revoke"), Some(ADMIN), None)
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    for token in [&ana.token, &second.token] {
        let (status, problem) = client.get(&ana.path("events"), token).await;
        assert_eq!(
            (status, code(&problem)),
            (StatusCode::UNAUTHORIZED, "auth.revoked")
        );
        let (status, _) = renewed(&client, &ana, token).await;
        assert_eq!(
            status,
            StatusCode::UNAUTHORIZED,
            "nor does it get another one"
        );
    }
    let token = body["token"].as_str().expect("a token").to_owned();
    client
        .say(
            &Guest {
                id: ana.id.clone(),
                token,
            },
            "hello",
        )
        .await;
    client.say(&rui, "hello").await;
    let (status, _) = client
        .call("POST", &ana.path("revoke"), Some(&rui.token), None)
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN, "users revoke nothing");
    let (status, _) = client
        .call("POST", "/v1/sessions/nobody/revoke", Some(ADMIN), None)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked_or_expires() {
    for revoke in [true, false] {
        let client = Client::with(|options| options.token_lifetime = HOUR).await;
        let (ana, rui) = (client.guest().await, client.guest().await);
        let stream = async |guest: &Guest, token: &str| {
            let asks = request("GET", &guest.path("events"), Some(token), None);
            let response = client
                .send(with_header(asks, "accept", "text/event-stream"))
                .await;
            assert_eq!(response.status(), StatusCode::OK);
            response.into_body().into_data_stream()
        };
        let mut anas = stream(&ana, &ana.token).await;
        let mut ruis = stream(&rui, ADMIN).await;
        for stream in [&mut anas, &mut ruis] {
            stream
                .next()
                .await
                .expect("goes on")
                .expect("the first event");
        }
        if revoke {
            client
                .call("POST", &ana.path("revoke"), Some(ADMIN), None)
                .await;
        } else {
            client
                .desk
                .clock
                .set(client.desk.host.now() + Millis::from(HOUR));
        }
        assert!(anas.next().await.is_none(), "revoked: {revoke}");
        client.desk.say(&rui.id, "hello").await.expect("is taken");
        assert!(ruis.next().await.is_some(), "the operator's goes on");
    }
}

#[tokio::test]
async fn a_lone_surrogate_in_what_a_user_writes_is_delivered() {
    let client = Client::new().await;
    let ana = client.guest().await;
    for (id, text, expected) in [
        ("1", "hi \\ud83d", "hi \u{fffd}"),
        ("2", "\\ude00\\ud83d\\ude00", "\u{fffd}\u{1f600}"),
        ("3", "\\ud83d\\ud83d", "\u{fffd}\u{fffd}"),
    ] {
        let mut asks = request(
            "POST",
            &ana.path("messages"),
            Some(&ana.token),
            Some(json!({})),
        );
        *asks.body_mut() = format!("{{\"id\": \"{id}\", \"text\": \"{text}\"}}").into();
        let response = client.send(asks).await;
        let status = response.status();
        assert_eq!(status, StatusCode::OK, "{}", json_of(response).await);
        let journal = client.desk.journal(&ana.id).await;
        let input = serde_json::to_string(&journal.last().expect("a turn").input).expect("is JSON");
        assert!(input.contains(expected), "{input}");
    }
}
