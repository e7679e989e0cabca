//! What clients get who want too much, and what the others get meanwhile.

use super::client::{ADMIN, Client, code, json_of, request};
use crate::http::Rate;
use crate::tests::support::Trick;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::oneshot;

/// A request to say something, whose body does not come.
fn stuck(path: &str, token: &str, content_type: &str) -> Request<Body> {
    let never = stream::pending::<Result<Bytes, Infallible>>();
    Request::post(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from_stream(never))
        .expect("is a request")
}

#[tokio::test]
async fn a_user_who_does_too_much_is_asked_to_wait_and_others_are_not() {
    let client = Client::with(|options| options.limits.inputs = Rate::new(1, 3)).await;
    let (ana, rui) = (client.guest().await, client.guest().await);
    for id in ["t-1", "t-2", "t-3"] {
        let (status, _) = client
            .act(&ana, "typing", json!({"id": id, "on": true}))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    let body = json!({"id": "m", "text": "hello"});
    let sends = request("POST", &ana.path("messages"), Some(&ana.token), Some(body));
    let response = client.send(sends).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(code(&json_of(response).await), "limit.inputs");
    client.say(&rui, "hello").await;
    let inputs = client.desk.inputs(&ana.id).await;
    assert_eq!(inputs.len(), 4, "nothing came of it: {inputs:?}");
}

#[tokio::test]
async fn anybody_starts_so_many_sessions_and_the_operator_goes_on() {
    let client = Client::with(|options| {
        options.public_sessions = true;
        options.limits.new_sessions = Rate::new(1, 2);
    })
    .await;
    for status in [201, 201, 429] {
        let (answered, _) = client.call("POST", "/v1/sessions", None, None).await;
        assert_eq!(answered.as_u16(), status);
    }
    client.guest().await;
}

#[tokio::test]
async fn those_who_send_slowly_take_nobodys_place_and_are_given_up() {
    let client = Client::with(|options| {
        options.limits.requests = 1;
        options.limits.request_time = Duration::from_millis(300);
    })
    .await;
    let ana = client.guest().await;
    let slow = stuck(&ana.path("messages"), &ana.token, "application/json");
    let mut slow = std::pin::pin!(client.send(slow));
    tokio::select! {
        biased;
        _ = &mut slow => panic!("its body does not come"),
        () = client.say(&ana, "hello") => {}
    }
    let given_up = slow.await;
    assert_eq!(given_up.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(code(&json_of(given_up).await), "request.too_slow");
    assert_eq!(client.desk.inputs(&ana.id).await, ["started", "user:hello"]);
}

#[tokio::test]
async fn a_host_whose_store_is_slow_asks_others_to_come_again() {
    let client = Client::with(|options| options.limits.requests = 1).await;
    let (ana, rui) = (client.guest().await, client.guest().await);
    let (release, released) = oneshot::channel();
    client.desk.store.play(&ana.id, Trick::Hold(released));
    let mut held = std::pin::pin!(client.say(&ana, "hello"));
    let path = format!("/v1/sessions/{}", rui.id);
    let looks = client.router_call(request("GET", &path, Some(&rui.token), None));
    let response = tokio::select! {
        biased;
        () = &mut held => panic!("the store holds it"),
        response = looks => response,
    };
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    assert_eq!(code(&json_of(response).await), "limit.busy");
    release.send(()).expect("is held");
    held.await;
    client.say(&rui, "hello").await;
}

#[tokio::test]
async fn uploads_that_do_not_come_take_the_places_of_uploads_only() {
    let client = Client::with(|options| {
        options.limits.uploads = 1;
        options.limits.upload_time = Duration::from_millis(300);
    })
    .await;
    let ana = client.guest().await;
    let form = "multipart/form-data; boundary=b";
    let slow = stuck(&ana.path("attachments"), &ana.token, form);
    let mut slow = std::pin::pin!(client.send(slow));
    tokio::select! {
        biased;
        _ = &mut slow => panic!("its body does not come"),
        () = client.say(&ana, "hello") => {}
    }
    let another = stuck(&ana.path("attachments"), &ana.token, form);
    let response = client.send(another).await;
    assert_eq!(code(&json_of(response).await), "limit.busy");
    assert_eq!(slow.await.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_session_has_so_many_streams_and_another_one_has_its_own() {
    let client = Client::with(|options| options.limits.streams = 2).await;
    let (ana, rui) = (client.guest().await, client.guest().await);
    let asks = |guest: &super::client::Guest| {
        let asks = request("GET", &guest.path("events"), Some(&guest.token), None);
        super::client::with_header(asks, "accept", "text/event-stream")
    };
    let first = client.send(asks(&ana)).await;
    let _second = client.send(asks(&ana)).await;
    let refused = client.send(asks(&ana)).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(code(&json_of(refused).await), "limit.streams");
    assert_eq!(client.send(asks(&rui)).await.status(), StatusCode::OK);
    drop(first);
    assert_eq!(client.send(asks(&ana)).await.status(), StatusCode::OK);
    let (status, _) = client.get(&ana.path("events"), ADMIN).await;
    assert_eq!(status, StatusCode::OK, "a list is no stream");
}
