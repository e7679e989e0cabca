//! What leaves, and what comes back, over real sockets.

use super::{Carrier, EgressOptions};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use handoff_engine::account::SecretRef;
use handoff_engine::clock::SimClock;
use handoff_engine::egress::{Body, CallError, HttpRequest, HttpResponse, Place, PlacedSecret};
use handoff_engine::time::{Millis, Timestamp};
use std::sync::Arc;
use tokio::net::TcpListener;
use url::Url;

const PLACEHOLDER: &str = "{{secret:crm:0123456789abcdef}}";

fn secret() -> SecretRef {
    SecretRef::Env("CRM_TOKEN".to_owned())
}

/// An API that tells what it got, is slow, endless, or somewhere else.
async fn api() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let echo = async |headers: HeaderMap, body: Bytes| {
        let mut told: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default()))
            .collect();
        told.sort();
        told.push(String::from_utf8_lossy(&body).into_owned());
        told.join("\n")
    };
    let router = Router::new()
        .route("/echo", axum::routing::any(echo))
        .route(
            "/moved",
            axum::routing::any(async || {
                (StatusCode::FOUND, [(header::LOCATION, "/echo")]).into_response()
            }),
        )
        .route(
            "/silent",
            axum::routing::any(async || {
                std::future::pending::<()>().await;
            }),
        )
        .route(
            "/bytes",
            axum::routing::any(async |body: Bytes| [&[0xff, 0xfe][..], &body].concat()),
        )
        .route(
            "/compressed",
            axum::routing::any(async |body: Bytes| ([(header::CONTENT_ENCODING, "br")], body)),
        )
        .route("/long", axum::routing::any(async || "x".repeat(2_000)));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}/")).expect("an address")
}

fn placed(secret: SecretRef, place: Place) -> PlacedSecret {
    PlacedSecret {
        placeholder: PLACEHOLDER.to_owned(),
        secret,
        place,
    }
}

fn request(url: Url) -> HttpRequest {
    HttpRequest {
        id: "session/1/1/call-1".to_owned(),
        method: "POST".to_owned(),
        url,
        headers: vec![("x-test".to_owned(), "yes".to_owned())],
        body: b"hello".to_vec(),
        secrets: Vec::new(),
        deadline: Millis(5_000),
        most: 1_000,
    }
}

async fn send(options: EgressOptions, request: HttpRequest) -> Result<HttpResponse, CallError> {
    let clock = Arc::new(SimClock::new(Timestamp(1_440_938_160_000)));
    let carrier = Arc::new(Carrier::new(options, clock));
    let keys = r#"{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}"#;
    let version = super::OfVersion {
        carrier,
        secrets: vec![
            (secret(), "hunter2-token".to_owned()),
            (SecretRef::Env("AWS".to_owned()), keys.to_owned()),
        ],
    };
    handoff_engine::egress::Egress::send(&version, request).await
}

fn inside() -> EgressOptions {
    EgressOptions {
        private_addresses: true,
        ..EgressOptions::default()
    }
}

fn text(response: &HttpResponse) -> &str {
    match &response.body {
        Body::Text(text) => text,
        Body::Bytes(_) => "",
    }
}

#[tokio::test]
async fn a_secret_is_put_in_on_the_way_out_and_taken_out_on_the_way_back() {
    let mut asked = request(api().await.join("echo").expect("an address"));
    asked
        .headers
        .push(("authorization".to_owned(), format!("Bearer {PLACEHOLDER}")));
    let kind = "application/x-www-form-urlencoded".to_owned();
    asked.headers.push(("content-type".to_owned(), kind));
    asked.body = format!("token={PLACEHOLDER}").into_bytes();
    asked.secrets = vec![
        placed(secret(), Place::header("authorization")),
        placed(secret(), Place::Form("token".to_owned())),
    ];
    let length = "token=hunter2-token".len();

    let answer = send(inside(), asked).await.expect("an answer");
    // The API got the value: the length it counted is the value's. The node gets the placeholder.
    let text = text(&answer);
    assert!(
        text.contains(&format!("content-length: {length}")),
        "{text}"
    );
    assert!(
        text.contains(&format!("authorization: Bearer {PLACEHOLDER}")),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_placeholder_nobody_vouches_for_stays_what_it_is() {
    let mut asked = request(api().await.join("echo").expect("an address"));
    asked.body = PLACEHOLDER.as_bytes().to_vec();
    let answer = send(inside(), asked).await.expect("an answer");
    assert!(text(&answer).ends_with(PLACEHOLDER));
}

#[tokio::test]
async fn names_and_addresses_inside_the_network_are_refused_unless_they_are_meant() {
    let url = api().await.join("echo").expect("an address");
    let mut by_name = url.clone();
    by_name.set_host(Some("localhost")).expect("a host");
    for url in [url, by_name] {
        let refused = send(EgressOptions::default(), request(url.clone())).await;
        assert!(
            matches!(&refused, Err(CallError::PrivateAddress { .. })),
            "{url}: {refused:?}"
        );
        let answer = send(inside(), request(url)).await.expect("an answer");
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let url = api().await.join("moved").expect("an address");
    let answer = send(inside(), request(url)).await.expect("an answer");
    assert_eq!(answer.status, 302);
    assert!(
        answer
            .headers
            .contains(&("location".to_owned(), "/echo".to_owned()))
    );
}

#[tokio::test]
async fn an_answer_that_does_not_come_or_does_not_end_is_given_up() {
    let base = api().await;
    let mut silent = request(base.join("silent").expect("an address"));
    silent.deadline = Millis(50);
    assert!(matches!(
        send(inside(), silent).await,
        Err(CallError::TimedOut {
            deadline: Millis(50),
            ..
        })
    ));
    let long = request(base.join("long").expect("an address"));
    assert_eq!(
        send(inside(), long).await,
        Err(CallError::ResponseTooLong { limit: 1_000 })
    );
}

#[tokio::test]
async fn nobody_there_is_told_with_the_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let url = Url::parse(&format!("http://{address}/")).expect("an address");
    let refused = send(inside(), request(url)).await;
    assert!(
        matches!(refused, Err(CallError::Unreachable { .. })),
        "{refused:?}"
    );
}

/// A key, a time and a region as AWS' own example of Signature Version 4 has them.
#[tokio::test]
async fn a_request_to_aws_is_signed_with_the_key_and_the_key_stays_here() {
    let mut asked = request(Url::parse("https://iam.amazonaws.com/echo").expect("an address"));
    asked.headers.push((
        "authorization".to_owned(),
        format!("AWS4-HMAC-SHA256 Credential={PLACEHOLDER}/us-east-1/iam/aws4_request"),
    ));
    let key = SecretRef::Env("AWS".to_owned());
    asked.secrets.push(placed(key, Place::AwsSignature));
    let options = EgressOptions {
        stand_in: Some(api().await),
        ..EgressOptions::default()
    };
    let answer = send(options, asked).await.expect("an answer");
    let text = text(&answer);
    assert!(text.contains("host: iam.amazonaws.com\n"), "{text}");
    assert!(text.contains("x-amz-date: 20150830T123600Z\n"), "{text}");
    assert!(
        text.contains(
            "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=host;x-amz-date;x-test, Signature="
        ),
        "{text}"
    );
    assert!(!text.contains("wJalr"), "{text}");
}

#[tokio::test]
async fn a_key_to_sign_with_that_is_none_is_told_without_being_quoted() {
    let mut asked = request(Url::parse("https://iam.amazonaws.com/").expect("an address"));
    asked.headers.push((
        "authorization".to_owned(),
        format!("AWS4-HMAC-SHA256 Credential={PLACEHOLDER}/us-east-1/iam/aws4_request"),
    ));
    asked.secrets.push(placed(secret(), Place::AwsSignature));
    let refused = send(EgressOptions::default(), asked).await;
    let Err(error @ CallError::BadSecret { .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

/// Text that would be something else if it were not encoded for its place.
const AWKWARD: &str = "a&b=\"c\\+ %41{x}";

#[tokio::test]
async fn a_secret_is_encoded_as_its_place_demands_and_comes_back_from_none() {
    let base = api().await;
    let clock = Arc::new(SimClock::new(Timestamp(0)));
    let version = super::OfVersion {
        carrier: Arc::new(Carrier::new(inside(), clock)),
        secrets: vec![(secret(), AWKWARD.to_owned())],
    };
    let encoded: String = url::form_urlencoded::byte_serialize(PLACEHOLDER.as_bytes()).collect();
    let json = serde_json::json!({"user": PLACEHOLDER, "deep": [{"key": PLACEHOLDER}]});
    let cases = [
        (Place::header("x-key"), "", String::new()),
        (Place::Query("key".to_owned()), "", String::new()),
        (
            Place::Form("key".to_owned()),
            "application/x-www-form-urlencoded",
            format!("user={encoded}&key={encoded}&last=1"),
        ),
        (
            Place::Body("/deep/0/key".to_owned()),
            "application/json",
            json.to_string(),
        ),
    ];
    for (place, kind, body) in cases {
        for path in ["echo", "bytes", "compressed"] {
            let mut asked = request(base.join(path).expect("an address"));
            asked
                .url
                .set_query(Some(&format!("user={encoded}&key={encoded}")));
            asked.headers = vec![
                ("x-key".to_owned(), PLACEHOLDER.to_owned()),
                ("x-user".to_owned(), PLACEHOLDER.to_owned()),
                ("content-type".to_owned(), kind.to_owned()),
            ];
            asked.body = body.clone().into_bytes();
            let mut put = asked.clone();
            let secret = placed(secret(), place.clone());
            put.put(&secret, AWKWARD).expect("it fits");
            assert_eq!(found(&put), std::slice::from_ref(&place), "{put:?}");
            asked.secrets = vec![secret];
            let answer = handoff_engine::egress::Egress::send(&version, asked).await;
            match answer {
                Ok(answer) => assert!(!format!("{answer:?}").contains(AWKWARD), "{answer:?}"),
                Err(error) => assert!(
                    path != "echo" && matches!(error, CallError::AnswerDropped { .. }),
                    "{path}: {error}"
                ),
            }
        }
    }
}

/// Where a request has the secret, once it is taken apart as its receiver does.
fn found(request: &HttpRequest) -> Vec<Place> {
    let mut places = Vec::new();
    for (name, value) in &request.headers {
        if value.contains(AWKWARD) {
            places.push(Place::header(name));
        }
    }
    for (name, value) in request.url.query_pairs() {
        if value == AWKWARD {
            places.push(Place::Query(name.into_owned()));
        }
    }
    for (name, value) in url::form_urlencoded::parse(&request.body) {
        if value == AWKWARD {
            places.push(Place::Form(name.into_owned()));
        }
    }
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(&request.body) {
        for pointer in ["/user", "/deep/0/key"] {
            if json.pointer(pointer).and_then(|it| it.as_str()) == Some(AWKWARD) {
                places.push(Place::Body(pointer.to_owned()));
            }
        }
    }
    places
}
