//! Which operator may call what, for every route that the description of the API lists.

use super::client::{Client, code, json_of, request};
use crate::audit::Audit;
use crate::http::{AdminTokens, Role};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;

fn token_of(role: Role) -> String {
    format!("the-token-of-the-role-{role}")
}

/// A token for each role, one for none of them that has expired, and where they are kept.
fn tokens(folder: &tempfile::TempDir) -> (AdminTokens, PathBuf) {
    let path = folder.path().join("tokens.toml");
    let mut text = String::new();
    for role in Role::ALL {
        let token = token_of(role);
        text += &format!("[[token]]\nname = '{role}'\nrole = '{role}'\ntoken = '{token}'\n");
    }
    text += "[[token]]\nname = 'gone'\nroles = ['view', 'operate', 'deploy']\n\
             token = 'a-token-that-has-expired'\nexpires = 2020-01-01\n";
    write(&path, &text);
    (AdminTokens::new(None, Some(&path)).expect("is valid"), path)
}

fn write(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).expect("is written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let own = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, own).expect("is ours");
    }
}

/// Every operation that takes an admin token: its method, its path, and whether it takes a session's token
/// as well.
fn operations(client: &Client) -> Vec<(Method, String, bool)> {
    let document = serde_json::to_value(client.api.document()).expect("is JSON");
    let paths = document["paths"].as_object().expect("has paths");
    let mut found = Vec::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("has operations") {
            let Some(security) = operation["security"].as_array() else {
                assert_eq!(path, "/readyz", "{path} says who may call it");
                continue;
            };
            let session = security.iter().any(|it| it.get("session").is_some());
            let method = method.to_uppercase().parse().expect("is a method");
            found.push((method, path.clone(), session));
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

#[tokio::test]
async fn every_route_opens_to_one_role_and_to_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tokens, _) = tokens(&folder);
    let client = Client::with(|options| options.admin_tokens = Some(tokens)).await;
    let operate = token_of(Role::Operate);
    let (_, ana) = client
        .call("POST", "/v1/sessions", Some(&operate), Some(json!({})))
        .await;
    let id = ana["id"].as_str().expect("an id");
    for (method, path, session) in operations(&client) {
        let address = path
            .replace("{id}", id)
            .replace("{name}", "test")
            .replace("{digest}", "0");
        let mut open = Vec::new();
        for role in Role::ALL {
            let token = token_of(role);
            let (status, body) = client
                .call(method.as_str(), &address, Some(&token), None)
                .await;
            let refused = status == StatusCode::FORBIDDEN || status == StatusCode::UNAUTHORIZED;
            if refused {
                assert_eq!(code(&body), "auth.role", "{method} {path} for {role}");
            } else {
                open.push(role);
            }
        }
        assert_eq!(open.len(), 1, "{method} {path} opens to {open:?}");
        let changes = method != Method::GET;
        assert!(
            !changes || open != [Role::View],
            "{method} {path}: who looks changes nothing"
        );
        for wrong in ["a-token-that-nobody-has", "a-token-that-has-expired"] {
            let (status, body) = client
                .call(method.as_str(), &address, Some(wrong), None)
                .await;
            let expected = match (wrong.ends_with("expired"), session) {
                (true, _) => "auth.expired",
                (false, true) => "auth.wrong",
                (false, false) => "auth.not_admin",
            };
            assert_eq!(code(&body), expected, "{method} {path}: {status}");
        }
        // An admin token in an address is none.
        let query = format!("{address}?access_token={operate}");
        let (status, body) = client.call(method.as_str(), &query, None, None).await;
        assert!(status.is_client_error(), "{method} {path}: {status}");
        assert!(
            ["auth.missing", "auth.wrong"].contains(&code(&body)),
            "{method} {path}: {body}"
        );
    }
}

#[tokio::test]
async fn who_only_looks_is_not_shown_what_people_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tokens.toml");
    let both =
        "[[token]]\nname = 'both'\nroles = ['view', 'operate']\ntoken = 'a-token-with-two-roles'\n";
    write(
        &path,
        &format!("{both}[[token]]\nname = 'v'\nrole = 'view'\ntoken = 'a-token-to-look-around'\n"),
    );
    let tokens = AdminTokens::new(None, Some(&path)).expect("is valid");
    let client = Client::with(|options| options.admin_tokens = Some(tokens)).await;
    let (_, ana) = client
        .call(
            "POST",
            "/v1/sessions",
            Some("a-token-with-two-roles"),
            Some(json!({})),
        )
        .await;
    let timeline = format!(
        "/v1/sessions/{}/timeline",
        ana["id"].as_str().expect("an id")
    );
    let revealed = format!("{timeline}?reveal=true");
    for (path, token, expected) in [
        (&timeline, "a-token-to-look-around", StatusCode::OK),
        (&revealed, "a-token-to-look-around", StatusCode::FORBIDDEN),
        (&revealed, "a-token-with-two-roles", StatusCode::OK),
    ] {
        let (status, _) = client.get(path, token).await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn an_operator_who_is_taken_out_of_the_file_is_out_without_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tokens, path) = tokens(&folder);
    let kept = tokens.clone();
    let client = Client::with(|options| options.admin_tokens = Some(tokens)).await;
    let (status, _) = client.get("/v1/nodes", &token_of(Role::View)).await;
    assert_eq!(status, StatusCode::OK);
    write(&path, "");
    assert!(kept.reload().expect("is valid"));
    let (status, problem) = client.get("/v1/nodes", &token_of(Role::View)).await;
    assert_eq!(
        (status, code(&problem)),
        (StatusCode::FORBIDDEN, "auth.not_admin")
    );
}

#[tokio::test]
async fn what_operators_do_is_in_the_audit_log_without_tokens_and_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tokens, _) = tokens(&folder);
    let log = folder.path().join("audit.jsonl");
    let audit = Audit::to_file(&log).expect("opens");
    let client = Client::with(|options| {
        options.admin_tokens = Some(tokens);
        options.audit = audit.clone();
    })
    .await;
    let operate = token_of(Role::Operate);
    let (_, ana) = client
        .call("POST", "/v1/sessions", Some(&operate), Some(json!({})))
        .await;
    let id = ana["id"].as_str().expect("an id").to_owned();
    let session_token = ana["token"].as_str().expect("a token").to_owned();
    let messages = format!("/v1/sessions/{id}/messages");
    let said = json!({"id": "1", "text": "canary"});
    client
        .call("POST", &messages, Some(&operate), Some(said.clone()))
        .await;
    client
        .call(
            "POST",
            &messages,
            Some(&session_token),
            Some(json!({"id": "2", "text": "canary"})),
        )
        .await;
    client.get("/metrics", &token_of(Role::View)).await;
    client
        .get(
            &format!("/v1/sessions/{id}/timeline?reveal=true"),
            &token_of(Role::View),
        )
        .await;
    let activate = format!("/v1/projects/test/versions/{}/activate", "a".repeat(64));
    client
        .call("POST", &activate, Some(&token_of(Role::Deploy)), None)
        .await;
    client
        .call("POST", "/v1/keys/rotate", Some(&token_of(Role::View)), None)
        .await;
    audit.flush();
    let text = std::fs::read_to_string(&log).expect("is written");
    for secret in ["canary", &operate, &session_token] {
        assert!(!text.contains(secret), "{text}");
    }
    let lines: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect();
    let shown = |line: &Value| {
        let part = |key: &str| line[key].as_str().unwrap_or("-").to_owned();
        (
            part("operator"),
            part("route"),
            line["status"].as_u64(),
            part("error"),
        )
    };
    let line = |operator: &str, route: &str, status, error: &str| {
        (
            operator.to_owned(),
            route.to_owned(),
            Some(status),
            error.to_owned(),
        )
    };
    assert_eq!(
        lines.iter().map(shown).collect::<Vec<_>>(),
        [
            line("operate", "/v1/sessions", 201, "-"),
            line("operate", "/v1/sessions/{id}/messages", 200, "-"),
            line("view", "/v1/sessions/{id}/timeline", 403, "auth.role"),
            line(
                "deploy",
                "/v1/projects/{name}/versions/{digest}/activate",
                422,
                "version.no_directory"
            ),
            line("view", "/v1/keys/rotate", 403, "auth.role"),
        ]
    );
    assert_eq!(lines[0]["session"], *id, "of what was created");
    assert_eq!(lines[1]["session"], *id);
    assert_eq!(lines[2]["revealed"], true);
    assert_eq!(lines[3]["version"], "a".repeat(64));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&log)
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "nobody else may read it");
    }
}

#[tokio::test]
async fn a_new_key_signs_new_tokens_and_the_ones_before_stay_good() {
    let client = Client::new().await;
    let ana = client.guest().await;
    let admin = super::client::ADMIN;
    let key = "a-key-of-this-creation-alone";
    let create = || {
        let asks = request("POST", "/v1/sessions", Some(admin), Some(json!({})));
        client.send(super::client::with_header(asks, "idempotency-key", key))
    };
    let first = json_of(create().await).await;
    let rotated = client
        .call("POST", "/v1/keys/rotate", Some(admin), None)
        .await;
    assert_eq!(rotated.0, StatusCode::NO_CONTENT);
    client.say(&ana, "hello").await;
    let again = json_of(create().await).await;
    assert_eq!(first["id"], again["id"], "a repetition is one across keys");
    let rui = client.guest().await;
    client.say(&rui, "hello").await;
}
