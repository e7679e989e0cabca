//! Who may do what.

use super::client::{ADMIN, Client, code, request, with_header};
use axum::http::{StatusCode, header};
use serde_json::json;

#[tokio::test]
async fn a_session_opens_to_its_own_token_only() {
    let client = Client::new().await;
    let (ana, rui) = (client.guest().await, client.guest().await);
    let body = json!({"id": "1", "text": "hello"});
    for (what, body) in [
        ("messages", body.clone()),
        ("typing", json!({"id": "1", "on": true})),
        (
            "receipts",
            json!({"id": "1", "message": "m", "receipt": "read"}),
        ),
        ("leave", json!({"id": "1"})),
        ("attachments", json!({})),
    ] {
        let path = ana.path(what);
        for (token, status, expected) in [
            (None, StatusCode::UNAUTHORIZED, "auth.missing"),
            (Some("nonsense"), StatusCode::FORBIDDEN, "auth.wrong"),
            (Some(&*rui.token), StatusCode::FORBIDDEN, "auth.wrong"),
            (Some(""), StatusCode::FORBIDDEN, "auth.wrong"),
        ] {
            let (answered, problem) = client.call("POST", &path, token, Some(body.clone())).await;
            assert_eq!((answered, code(&problem)), (status, expected), "{what}");
        }
    }
    for path in [format!("/v1/sessions/{}", ana.id), ana.path("events")] {
        let (status, _) = client.call("GET", &path, None, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let (status, _) = client.get(&path, &rui.token).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let (status, _) = client.get(&path, &ana.token).await;
        assert_eq!(status, StatusCode::OK);
        let (status, _) = client.get(&path, ADMIN).await;
        assert_eq!(
            status,
            StatusCode::OK,
            "the operator may look at all of them"
        );
    }
    assert_eq!(client.desk.inputs(&ana.id).await, ["started"]);
}

#[tokio::test]
async fn who_sends_no_token_is_told_how() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let path = ana.path("events");
    let response = client.send(request("GET", &path, None, None)).await;
    assert_eq!(
        response.headers()[header::WWW_AUTHENTICATE],
        "Bearer realm=\"handoff\""
    );
}

#[tokio::test]
async fn a_token_in_the_address_opens_what_a_browser_streams_and_nothing_else() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let query = format!("access_token={}", ana.token);
    let path = format!("{}?{query}", ana.path("events"));
    let (status, _) = client.call("GET", &path, None, None).await;
    assert_eq!(status, StatusCode::OK);
    let admin = format!("{}?access_token={ADMIN}", ana.path("events"));
    let (status, problem) = client.call("GET", &admin, None, None).await;
    assert_eq!(
        status,
        StatusCode::FORBIDDEN,
        "addresses are logged by whoever stands between"
    );
    assert_eq!(code(&problem), "auth.wrong");
    let path = format!("/v1/sessions/{}?{query}", ana.id);
    let (status, problem) = client.call("GET", &path, None, None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(code(&problem), "auth.missing");
}

#[tokio::test]
async fn a_session_that_is_no_more_is_told_only_to_whom_it_was_open() {
    let client = Client::new().await;
    let (status, problem) = client.get("/v1/sessions/nobody", "guess").await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "auth.wrong")
    );
    for path in ["/v1/sessions/nobody", "/v1/sessions/nobody/events"] {
        let (status, problem) = client.get(path, ADMIN).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(code(&problem), "session.unknown");
    }
}

#[tokio::test]
async fn the_operators_routes_want_the_operators_token() {
    let client = Client::new().await;
    let ana = client.guest().await;
    for path in ["/metrics", "/v1/nodes", "/v1/projects", "/v1/projects/test"] {
        let (status, problem) = client.call("GET", path, None, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(code(&problem), "auth.missing");
        let (status, problem) = client.get(path, &ana.token).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert_eq!(code(&problem), "auth.not_admin");
        let (status, _) = client.get(path, ADMIN).await;
        assert_eq!(status, StatusCode::OK);
    }
}

#[tokio::test]
async fn without_an_admin_token_nobody_is_the_operator() {
    let client = Client::with(|options| options.admin_token = None).await;
    let (status, problem) = client.get("/v1/nodes", "").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(code(&problem), "auth.not_admin");
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_same_shape_as_all_errors() {
    let client = Client::new().await;
    let (status, problem) = client.get("/v1/nothing", ADMIN).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(code(&problem), "request.unknown_address");
    let (status, problem) = client.call("DELETE", "/v1/sessions", None, None).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(code(&problem), "request.wrong_method");
}

#[tokio::test]
async fn a_page_from_anywhere_may_ask_before_it_calls() {
    let client = Client::new().await;
    let asks = request("OPTIONS", "/v1/sessions/s/messages", None, None);
    let asks = with_header(asks, "origin", "https://shop.example");
    let asks = with_header(asks, "access-control-request-method", "POST");
    let asks = with_header(asks, "access-control-request-headers", "authorization");
    let response = client.send(asks).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let allowed = &response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS];
    assert!(allowed.to_str().expect("is text").contains("authorization"));
}
