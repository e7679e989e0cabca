use handoff_node::{
    HttpError, HttpResponse,
    testing::{self, TestContext},
};
use serde_json::json;

use super::*;

fn connector(extra: Value) -> Value {
    let mut document = json!({
        "Alias": "lookUp",
        "Type": "api-connector",
        "Endpoint": "https://crm.example.com/users/${userId}",
        "Method": "PUT",
        "Headers": { "Authorization": "Bearer ${jwt}", "X-Secret": "srn:vault::X:secret:crm" },
        "Body": { "token": "srn:vault::X:secret:crm", "fixed": true },
        "RequestMapping": {
            "userId": { "type": "requestURL", "inputPath": "$.user.id", "requestParameter": "userId" },
            "jwt": { "type": "requestHeader", "inputPath": "$.jwt", "requestParameter": "jwt" },
            "name": { "type": "requestBody", "inputPath": "$.user.name", "requestBodyPath": "$.names[0]" }
        },
        "ResponseMapping": {
            "status": { "type": "responseBody", "responseBodyPath": "$.state", "outputPath": "$.user.state" },
            "kind": { "type": "responseHeader", "responseHeaderKey": "Content-Type", "outputPath": "$.contentType" }
        }
    });
    if let (Value::Object(document), Value::Object(extra)) = (&mut document, extra) {
        document.extend(extra);
    }
    document
}

fn session(document: Value) -> TestContext {
    let mut session = TestContext::new();
    session.connectors.insert("lookUp".to_owned(), document);
    session.secrets.insert("srn:vault::X:secret:crm".to_owned());
    session
        .context
        .insert("user".to_owned(), json!({ "id": "a/b c", "name": "Ada" }));
    session.context.insert("jwt".to_owned(), json!("1a2b"));
    session
}

fn answered(status: u16, body: &str) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    })
}

fn call(session: &mut TestContext) -> Result<Outcome, Fault> {
    testing::step::<ExecuteApi>(session, json!({ "alias": "lookUp" }), Trigger::Entered)
}

#[test]
fn the_examples_hold() {
    testing::check_examples::<ExecuteApi>();
}

#[test]
fn the_schema_of_the_config_is_as_reviewed() {
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!(testing::descriptor::<ExecuteApi>()["config"]);
    });
}

#[test]
fn values_go_into_address_headers_and_body_and_those_of_the_answer_into_the_context() {
    let mut session = session(connector(json!({})));
    session
        .answers
        .push_back(answered(200, r#"{"state": "active"}"#));
    assert_eq!(call(&mut session), Ok(Outcome::Leave(Port::NEXT)));

    let request = &session.requests[0];
    assert_eq!(request.method, "PUT");
    assert_eq!(request.url, "https://crm.example.com/users/a%2Fb%20c");
    assert_eq!(
        request.headers,
        [
            ("Authorization", "Bearer 1a2b"),
            ("X-Secret", "secret:srn:vault::X:secret:crm"),
            ("content-type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let body: Value = serde_json::from_slice(&request.body).expect("it is JSON");
    assert_eq!(
        body,
        json!({ "token": "secret:srn:vault::X:secret:crm", "fixed": true, "names": ["Ada"] })
    );
    assert_eq!(
        session.context["user"],
        json!({ "id": "a/b c", "name": "Ada", "state": "active" })
    );
    assert_eq!(session.context["contentType"], json!("application/json"));
}

#[test]
fn a_path_may_hold_values_of_the_input() {
    let mut session = session(connector(json!({
        "Endpoint": "https://crm.example.com/",
        "Headers": {},
        "RequestMapping": {
            "jwt": { "type": "requestBody", "inputPath": "$.tokens.${jwt}", "requestBodyPath": "$.users.${jwt}.key" }
        },
        "Body": {}
    })));
    session
        .context
        .insert("tokens".to_owned(), json!({ "1a2b": "key" }));
    session.answers.push_back(answered(204, ""));
    assert_eq!(call(&mut session), Ok(Outcome::Leave(Port::NEXT)));
    let body: Value = serde_json::from_slice(&session.requests[0].body).expect("it is JSON");
    assert_eq!(body, json!({ "users": { "1a2b": { "key": "key" } } }));
}

#[test]
fn a_form_is_sent_as_a_form() {
    let mut session = session(connector(json!({
        "Endpoint": "https://crm.example.com/",
        "Method": "POST",
        "Headers": { "Content-Type": "application/x-www-form-urlencoded" },
        "Body": { "grant": "a b&c" },
        "RequestMapping": {}
    })));
    session.answers.push_back(answered(200, "{}"));
    assert_eq!(call(&mut session), Ok(Outcome::Leave(Port::NEXT)));
    assert_eq!(session.requests[0].body, b"grant=a+b%26c");
}

#[test]
fn what_is_no_success_is_a_fault_that_quotes_the_answer() {
    let say = |status, body: &str| {
        let mut session = session(connector(json!({})));
        session.answers.push_back(answered(status, body));
        let fault = call(&mut session).expect_err("it is no success");
        (fault.code.into_owned(), fault.message)
    };
    insta::assert_debug_snapshot!([
        say(400, r#"{"message": "userId is unknown"}"#),
        say(401, ""),
        say(404, "not here"),
        say(503, "<html>overloaded</html>"),
        say(302, ""),
    ]);
}

#[test]
fn no_answer_is_a_fault_that_says_what_to_do() {
    let say = |error| {
        let mut session = session(connector(json!({})));
        session.answers.push_back(Err(error));
        let fault = call(&mut session).expect_err("there is no answer");
        (fault.code.into_owned(), fault.message)
    };
    insta::assert_debug_snapshot!([
        say(HttpError::Denied),
        say(HttpError::TimedOut),
        say(HttpError::Failed("the name cannot be resolved".to_owned())),
    ]);
}

#[test]
fn a_refusal_of_ses_is_quoted() {
    let document = connector(json!({
        "Type": "aws-sdk",
        "Endpoint": "SES",
        "Method": "sendEmail",
        "Region": "eu-west-1",
        "Credentials": "srn:vault::X:secret:crm",
        "RequestMapping": {}
    }));
    let mut session = session(document);
    session.answers.push_back(answered(
        400,
        "<ErrorResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\"><Error><Type>Sender</Type>\
         <Code>MessageRejected</Code><Message>Email address is not verified.</Message></Error>\
         <RequestId>1</RequestId></ErrorResponse>",
    ));
    let fault = call(&mut session).expect_err("SES refuses");
    assert_eq!(
        fault.message,
        "The API 'lookUp' answered 400: MessageRejected: Email address is not verified."
    );
}

#[test]
fn an_alias_nobody_has_is_named() {
    let mut session = TestContext::new();
    let fault = call(&mut session).expect_err("there is no connector");
    assert_eq!(fault.code, "execute_api.unknown_alias");
}

#[test]
fn mistakes_are_found_before_the_flow_runs() {
    let codes = |config| -> Vec<_> {
        testing::validate::<ExecuteApi>(config)
            .into_iter()
            .map(|found| (found.path, found.code))
            .collect()
    };
    let one = |path: &str, code: &str| vec![(path.to_owned(), code.to_owned())];
    assert_eq!(codes(json!({})), one("", "execute_api.nothing"));
    assert_eq!(
        codes(json!({ "alias": "a", "request": { "url": "https://a.example.com" } })),
        one("/request", "execute_api.both")
    );
    assert_eq!(
        codes(json!({ "request": { "url": "crm.example.com" } })),
        one("/request/url", "execute_api.bad_url")
    );
    assert_eq!(
        codes(
            json!({ "request": { "url": "https://a.example.com" }, "responseMapping": { "a/b": "name" } })
        ),
        one("/responseMapping/a~1b", "execute_api.bad_path")
    );
    assert_eq!(
        codes(json!({ "alias": "a", "responseMapping": { "a": "$.b" } })),
        one("/responseMapping", "execute_api.mapped_twice")
    );
}

#[test]
fn a_value_keeps_to_its_segment_of_the_path() {
    let document = |endpoint: &str| {
        connector(json!({
            "Endpoint": endpoint,
            "Headers": {},
            "Body": {},
            "RequestMapping": {
                "id": { "type": "requestURL", "inputPath": "$.user.id", "requestParameter": "id" }
            }
        }))
    };
    let called = |endpoint: &str, id: &str| {
        let mut session = session(document(endpoint));
        session
            .context
            .insert("user".to_owned(), json!({ "id": id }));
        session.answers.push_back(answered(200, "{}"));
        call(&mut session)
            .map(|_| session.requests[0].url.clone())
            .map_err(|fault| fault.code.into_owned())
    };
    let refused = Err("execute_api.bad_path_value".to_owned());
    for id in ["..", ".", ""] {
        assert_eq!(
            called("https://a.example.com/u/${id}/orders", id),
            refused,
            "{id}"
        );
        assert_eq!(called("https://a.example.com/u/${id}", id), refused, "{id}");
    }
    assert_eq!(
        called("https://a.example.com/u/.${id}/orders", "."),
        refused
    );
    assert_eq!(called("https://a.example.com/u/.${id}/orders", ""), refused);
    for (id, url) in [
        ("../x", "https://a.example.com/u/..%2Fx/orders"),
        ("a?b#c", "https://a.example.com/u/a%3Fb%23c/orders"),
        ("...", "https://a.example.com/u/.../orders"),
        ("%2e%2e", "https://a.example.com/u/%252e%252e/orders"),
    ] {
        assert_eq!(
            called("https://a.example.com/u/${id}/orders", id),
            Ok(url.to_owned())
        );
    }
    assert_eq!(
        called("https://a.example.com/u?id=${id}", ".."),
        Ok("https://a.example.com/u?id=..".to_owned())
    );
    let own = |url: &str| {
        let mut session = session(connector(json!({})));
        session.answers.push_back(answered(200, "{}"));
        let config = json!({ "request": { "url": url } });
        testing::step::<ExecuteApi>(&mut session, config, Trigger::Entered)
            .map_err(|fault| fault.code.into_owned())
    };
    for path in [
        "/u/../orders",
        "/u/./orders",
        "/u/%2e%2E/orders",
        "/u/..\\orders",
        "/u/..",
    ] {
        let refused = own(&format!("https://a.example.com{path}"));
        assert_eq!(
            refused,
            Err("execute_api.bad_path_value".to_owned()),
            "{path}"
        );
    }
    assert!(own("https://a.example.com/u/..x/orders?path=/../y").is_ok());
}

#[test]
fn a_header_that_http_cannot_carry_is_refused_for_good_and_named() {
    for value in ["José", "a\nb", "a\r\nx-other: 1", "\0", "\u{7f}", "日本"] {
        let mut session = session(connector(json!({})));
        session.context.insert("jwt".to_owned(), json!(value));
        let fault = call(&mut session).expect_err("is refused");
        assert_eq!(fault.code, "execute_api.bad_header", "{value:?}");
        assert!(
            fault.message.contains("'Authorization'"),
            "{}",
            fault.message
        );
        assert!(session.requests.is_empty());
    }
}

#[test]
fn text_that_begins_as_the_name_of_a_secret_is_text() {
    let mut session = session(connector(json!({
        "Body": { "bot": "srn:bot::X:care", "token": "srn:vault::X:secret:crm" }
    })));
    let name = "srn:vault::X:secret:crm";
    session
        .context
        .insert("user".to_owned(), json!({ "id": name, "name": name }));
    session.context.insert("jwt".to_owned(), json!(name));
    session.answers.push_back(answered(200, "{}"));
    assert_eq!(call(&mut session), Ok(Outcome::Leave(Port::NEXT)));
    let request = &session.requests[0];
    assert_eq!(request.headers[0].1, format!("Bearer {name}"));
    let body: Value = serde_json::from_slice(&request.body).expect("it is JSON");
    assert_eq!(
        body,
        json!({ "bot": "srn:bot::X:care", "token": format!("secret:{name}"), "names": [name] })
    );
}
