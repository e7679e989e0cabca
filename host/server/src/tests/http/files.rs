//! Users' files.

use super::client::{ADMIN, Client, Guest, code, json_of};
use crate::http::Rate;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

const BOUNDARY: &str = "a-boundary";

fn form(name: &str, mime: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {mime}\r\n\r\n"
    );
    let tail = format!("\r\n--{BOUNDARY}--\r\n");
    [head.as_bytes(), bytes, tail.as_bytes()].concat()
}

async fn upload(client: &Client, guest: &Guest, body: Vec<u8>) -> (StatusCode, Value) {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = Request::post(guest.path("attachments"))
        .header(header::AUTHORIZATION, format!("Bearer {}", guest.token))
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .expect("is a request");
    let response = client.send(request).await;
    (response.status(), json_of(response).await)
}

#[tokio::test]
async fn a_file_is_uploaded_named_in_a_message_and_served() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let (status, file) = upload(&client, &ana, form("a b.png", "image/png", b"pixels")).await;
    assert_eq!(status, StatusCode::CREATED, "{file}");
    let url = file["url"].as_str().expect("an address").to_owned();
    assert_eq!(
        file,
        json!({"name": "a b.png", "mime": "image/png", "url": url, "size": 6})
    );
    let mut renamed = file.clone();
    renamed["name"] = json!("invoice.pdf");
    let body = json!({"id": "1", "attachments": [renamed]});
    let (status, _) = client.act(&ana, "messages", body).await;
    assert_eq!(status, StatusCode::OK);
    let journal = client.desk.journal(&ana.id).await;
    let turn = serde_json::to_value(&journal[1].input).expect("is JSON");
    assert_eq!(
        turn["kind"]["user-message"]["attachments"],
        json!([file]),
        "the name is the one it was uploaded with"
    );
    let path = url.strip_prefix("http://host.example").expect("is ours");
    let response = client
        .send(
            Request::get(path)
                .body(Body::empty())
                .expect("is a request"),
        )
        .await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "image/png");
    assert_eq!(json_of(response).await, "pixels");
}

#[tokio::test]
async fn users_name_files_of_this_host_only_and_the_platform_any() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let body = |url: &str| json!({"id": url, "attachments": [{"url": url, "name": "a.png"}]});
    let foreign = "https://elsewhere.example/a.png";
    let (status, problem) = client.act(&ana, "messages", body(foreign)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(&problem), "message.foreign_attachment");
    let platform = Guest {
        id: ana.id.clone(),
        token: ADMIN.to_owned(),
    };
    let (status, _) = client
        .act(&platform, "messages", body("file:///etc/passwd"))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = client.act(&platform, "messages", body(foreign)).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn an_upload_without_a_file_or_too_large_a_one_is_told() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let empty = format!("--{BOUNDARY}--\r\n").into_bytes();
    let (status, problem) = upload(&client, &ana, empty).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(code(&problem), "attachment.no_file");
    for length in [(25 << 20) + 1, 26 << 20] {
        let (status, problem) =
            upload(&client, &ana, form("a", "text/plain", &vec![7; length])).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(code(&problem), "request.too_large");
    }
    let most = vec![7; 25 << 20];
    let (status, _) = upload(&client, &ana, form("a", "text/plain", &most)).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, problem) = client.act(&ana, "attachments", json!({})).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(code(&problem), "request.wrong_media_type");
    let (status, problem) = upload(&client, &ana, b"--a-boundary\r\nnonsense".to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(code(&problem), "request.malformed");
}

/// Whatever a user adds to the address of a file, agents get the address that it was kept under.
#[tokio::test]
async fn nothing_that_a_user_adds_to_an_address_reaches_agents() {
    let client = Client::with(|options| options.limits.inputs = Rate::new(1000, 1000)).await;
    let ana = client.guest().await;
    let (_, file) = upload(&client, &ana, form("a b.png", "image/png", b"pixels")).await;
    let url = file["url"].as_str().expect("an address").to_owned();
    let (bare, name) = url.rsplit_once('/').expect("has a name");
    let id = bare.rsplit_once('/').expect("has an id").1;
    let tails = [
        "?x=1",
        "#x",
        "/x",
        "/../../evil",
        "/https://evil.example",
        "?redirect=https://evil.example",
        "%0d%0aX: y",
        "\"><script>",
        " ",
        "\n",
        "@evil.example",
        "\\evil",
    ];
    let mut odd: Vec<String> = tails.iter().map(|tail| format!("{url}{tail}")).collect();
    odd.extend(tails.iter().map(|tail| format!("{bare}{tail}")));
    odd.extend([
        bare.to_owned(),
        format!("{bare}/"),
        format!("{bare}/{name}.exe"),
    ]);
    for spelling in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
    ] {
        odd.push(url.replace(id, &spelling));
    }
    odd.extend([
        url.replace("http://host.example", "http://host.example@evil.example"),
        url.replace("http://host.example", "http://host.example.evil.example"),
        url.replace("http://", "HTTP://"),
        url.replace("/v1/media", "//v1/media"),
        url.replace("/v1/media", "/x/../v1/media"),
    ]);
    for (number, given) in odd.iter().enumerate() {
        let before = client.desk.journal(&ana.id).await.len();
        let body = json!({"id": number.to_string(), "attachments": [{"url": given, "name": "x"}]});
        let (status, answer) = client.act(&ana, "messages", body).await;
        let journal = client.desk.journal(&ana.id).await;
        if status == StatusCode::OK {
            let turn = serde_json::to_value(&journal[before].input).expect("is JSON");
            let kept = &turn["kind"]["user-message"]["attachments"];
            assert_eq!(*kept, json!([file]), "{given}");
        } else {
            assert_eq!(code(&answer), "message.foreign_attachment", "{given}");
            assert_eq!(journal.len(), before);
        }
    }
}
