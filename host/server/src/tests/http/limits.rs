//! What clients get who want too much, and what the others get meanwhile.

use super::client::{ADMIN, Client, Guest, code, json_of, request};
use crate::http::Rate;
use crate::tests::support::Trick;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::oneshot;
use tower::ServiceExt;

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

const FORM: &str = "multipart/form-data; boundary=b";

/// A form with a file, whose bytes come up to here and no further.
fn begun(path: &str, token: &str, bytes: usize) -> Request<Body> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let first = [head.as_bytes(), &vec![7; bytes]].concat();
    let begins = stream::once(async { Ok::<_, Infallible>(Bytes::from(first)) });
    let mut asks = stuck(path, token, FORM);
    *asks.body_mut() = Body::from_stream(begins.chain(stream::pending()));
    asks
}

async fn uploads(client: &Client, guest: &Guest) -> u16 {
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhi\r\n--b--\r\n";
    let mut asks = stuck(&guest.path("attachments"), &guest.token, FORM);
    *asks.body_mut() = Body::from(body);
    client.router_call(asks).await.status().as_u16()
}

#[tokio::test]
async fn uploads_that_do_not_come_take_no_place_of_other_sessions() {
    for (sent, count) in [(0, 40), (1 << 20, 40)] {
        let client = Client::with(|options| {
            options.limits.upload_room = 4 << 20;
            options.limits.inputs = Rate::new(1000, 1000);
            options.limits.upload_stall = Duration::from_millis(400);
        })
        .await;
        let (ana, rui) = (client.guest().await, client.guest().await);
        let idle = (0..count).map(|_| {
            let asks = begun(&ana.path("attachments"), &ana.token, sent);
            let router = client.router.clone();
            tokio::spawn(async move { router.oneshot(asks).await.expect("never fails").status() })
        });
        let idle: Vec<_> = idle.collect();
        // Those that are one too many are answered; the others wait for bytes.
        let refused = |idle: &[tokio::task::JoinHandle<StatusCode>]| {
            idle.iter().filter(|it| it.is_finished()).count()
        };
        while refused(&idle) < count - 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(uploads(&client, &rui).await, 201, "another session's");
        client.say(&ana, "hello").await;
        let mut answers = Vec::new();
        for it in idle {
            answers.push(it.await.expect("runs").as_u16());
        }
        answers.sort_unstable();
        assert_eq!(answers[..2], [408, 408], "slow bodies are given up");
        assert!(
            answers[2..].iter().all(|status| *status == 429),
            "{answers:?}"
        );
        assert_eq!(uploads(&client, &ana).await, 201, "places are free again");
    }
}

/// A request as it comes from an address.
fn from(address: &str, mut asks: Request<Body>) -> Request<Body> {
    let peer: SocketAddr = address.parse().expect("is an address");
    asks.extensions_mut().insert(ConnectInfo(peer));
    asks
}

#[tokio::test]
async fn one_client_that_starts_sessions_leaves_others_theirs() {
    let client = Client::with(|options| {
        options.public_sessions = true;
        options.trusted_proxies = vec!["10.0.0.0/8".parse().expect("is a network")];
        options.limits.new_sessions = Rate::new(1, 10);
        options.limits.client_sessions = Rate::new(1, 3);
    })
    .await;
    let create = async |peer: &str, forwarded: &str| {
        let asks = from(peer, request("POST", "/v1/sessions", None, None));
        let asks = super::client::with_header(asks, "x-forwarded-for", forwarded);
        let response = client.send(asks).await;
        let status = response.status().as_u16();
        let retry = response.headers().contains_key(header::RETRY_AFTER);
        assert_eq!(retry, status == 429);
        (status, json_of(response).await)
    };
    for number in 0..20 {
        // It says that it is somebody else each time; only a proxy would be believed.
        let (status, body) = create("203.0.113.9:4000", &format!("198.51.100.{number}")).await;
        assert_eq!(status, if number < 3 { 201 } else { 429 }, "{number}");
        assert!(status == 201 || code(&body) == "limit.client_sessions");
    }
    assert_eq!(create("203.0.113.10:4000", "x").await.0, 201);
    for number in 0..4 {
        let (status, _) = create("10.1.1.1:80", "6.6.6.6, 203.0.113.11").await;
        assert_eq!(status, if number < 3 { 201 } else { 429 }, "{number}");
    }
    assert_eq!(create("10.1.1.1:80", "6.6.6.6, 203.0.113.12").await.0, 201);
    for number in 0..4 {
        let (status, body) = create(&format!("[2001:db8::{number}]:80"), "x").await;
        assert_eq!(status, if number < 2 { 201 } else { 429 }, "{body}");
    }
}

#[tokio::test]
async fn a_client_has_so_many_requests_and_operators_have_theirs() {
    let client = Client::with(|options| options.limits.client_requests = Rate::new(1, 3)).await;
    let ana = client.guest().await;
    let get = async |peer: &str, path: &str, token: &str| {
        let response = client
            .send(from(peer, request("GET", path, Some(token), None)))
            .await;
        let status = response.status().as_u16();
        (status, json_of(response).await)
    };
    let path = format!("/v1/sessions/{}", ana.id);
    for number in 0..5 {
        // Whether the token is right makes no difference to who guesses.
        let token = if number == 0 { "a guess" } else { &ana.token };
        let (status, body) = get("203.0.113.9:1", &path, token).await;
        let expected = [403, 200, 200, 429, 429][number];
        assert_eq!(status, expected, "{body}");
        assert!(status != 429 || code(&body) == "limit.client");
    }
    assert_eq!(get("203.0.113.10:1", &path, &ana.token).await.0, 200);
    assert_eq!(get("203.0.113.9:1", &path, ADMIN).await.0, 200);
    for _ in 0..5 {
        assert_eq!(get("203.0.113.9:1", "/readyz", "").await.0, 200);
    }
}

#[tokio::test]
async fn one_admin_token_has_so_many_requests() {
    let client = Client::with(|options| options.limits.operator_requests = Rate::new(1, 3)).await;
    for status in [200, 200, 200, 429] {
        let (answered, body) = client.get("/v1/nodes", ADMIN).await;
        assert_eq!(answered.as_u16(), status);
        assert!(status == 200 || code(&body) == "limit.admin");
    }
}

#[tokio::test]
async fn a_session_is_read_so_often_by_its_user_and_by_operators() {
    let paths: [fn(&Guest) -> String; 3] = [
        |guest| format!("/v1/sessions/{}", guest.id),
        |guest| guest.path("events"),
        |guest| guest.path("events?limit=1"),
    ];
    for path in paths {
        let client = Client::with(|options| options.limits.reads = Rate::new(1, 3)).await;
        let (ana, rui) = (client.guest().await, client.guest().await);
        for status in [200, 200, 200, 429] {
            let asks = request("GET", &path(&ana), Some(&ana.token), None);
            let response = client.send(asks).await;
            assert_eq!(response.status().as_u16(), status, "{}", path(&ana));
            let retry = response.headers().contains_key(header::RETRY_AFTER);
            assert_eq!(retry, status == 429);
            assert!(status == 200 || code(&json_of(response).await) == "limit.reads");
        }
        assert_eq!(client.get(&path(&rui), &rui.token).await.0, StatusCode::OK);
        assert_eq!(client.get(&path(&ana), ADMIN).await.0, StatusCode::OK);
        client.say(&ana, "writing is another thing").await;
    }
    let client = Client::with(|options| options.limits.reads = Rate::new(1, 3)).await;
    let ana = client.guest().await;
    for status in [200, 200, 200, 429] {
        let (answered, _) = client.get(&ana.path("timeline"), ADMIN).await;
        assert_eq!(answered.as_u16(), status);
    }
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
