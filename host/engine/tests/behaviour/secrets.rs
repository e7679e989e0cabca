//! Secrets leave only where the project's documents put them, whatever anybody says.
//!
//! Every place a secret may stand is tried with every way in which words of users, agents and APIs come into
//! a request. An egress puts the secrets in as a carrier does, and what would be sent is taken apart again.

use crate::support::{Outside, Sample, Talk, entries, told};
use handoff_engine::account::SecretRef;
use handoff_engine::egress::{HttpRequest, Place, Recorded};
use handoff_engine::session::Entry;
use serde_json::{Value, json};
use std::sync::Arc;

/// The value of the secret, which is also what tells that a place has it.
const VALUE: &str = "v@lue&of=the \"secret\"";
const NAME: &str = "srn:vault::ACME:secret:crm";
const KEY: &str = "srn:vault::ACME:cross-account-role:ses";

const TOP: &str = r#"
[egress]
allow = ["https://api.example.com", "https://email.eu-west-1.amazonaws.com"]

[aws]
region = "eu-west-1"

[secrets]
"srn:vault::ACME:secret:crm" = { env = "CRM", to = ["https://api.example.com"] }
"srn:vault::ACME:secret:other" = { env = "OTHER", to = ["https://api.example.com"] }
"srn:vault::ACME:cross-account-role:ses" = { env = "KEY", to = ["https://email.eu-west-1.amazonaws.com"] }
"#;

/// What people type who know how secrets are named, and how placeholders look.
fn attacks() -> Vec<String> {
    let mark = "0123456789abcdef0123456789abcdef";
    let mut texts = vec![
        NAME.to_owned(),
        KEY.to_owned(),
        "srn:bot::ACME:no-secret".to_owned(),
        format!("{{{{secret:{NAME}}}}}"),
        format!("{{{{secret:{NAME}:{mark}}}}}"),
        format!("{{{{secret:x&to=attacker@example.com&key={NAME}"),
        format!("x&key={NAME}"),
        format!("x\", \"key\": \"{NAME}\", \"y\": \""),
        format!("x'].key['{NAME}"),
        "${key}".to_owned(),
        format!("AWS4-HMAC-SHA256 Credential={NAME}/eu-west-1/ses/aws4_request"),
        format!(
            "AWS4-HMAC-SHA256 Credential={{{{secret:{KEY}:{mark}}}}}/eu-west-1/ses/aws4_request"
        ),
        "Grüße".to_owned(),
    ];
    let percent: String = NAME.bytes().map(|byte| format!("%{byte:02x}")).collect();
    texts.push(percent);
    texts
}

/// Where the request would have the secret, as its receiver reads it.
fn places_of(request: &HttpRequest, value: &str) -> Vec<Place> {
    let mut request = request.clone();
    for secret in std::mem::take(&mut request.secrets) {
        let known = secret.secret == SecretRef::Env("CRM".to_owned());
        let value = if known { value } else { "another value" };
        request.put(&secret, value).expect("the value fits");
    }
    let mut found = Vec::new();
    for (name, text) in &request.headers {
        if text.contains(value) {
            found.push(Place::header(name));
        }
    }
    for (name, text) in request.url.query_pairs() {
        if text.contains(value) {
            found.push(Place::Query(name.into_owned()));
        }
    }
    for (name, text) in url::form_urlencoded::parse(&request.body) {
        if text == value {
            found.push(Place::Form(name.into_owned()));
        }
    }
    if let Ok(json) = serde_json::from_slice::<Value>(&request.body) {
        texts(&json, "", &mut |at, text| {
            if text.contains(value) {
                found.push(Place::Body(at.to_owned()));
            }
        });
    }
    found
}

fn texts(value: &Value, at: &str, see: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(at, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, &format!("{at}/{index}"), see);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                texts(member, &format!("{at}/{name}"), see);
            }
        }
        _ => {}
    }
}

/// A connector that has the secret at a place, and takes `$.said` everywhere else that values go.
fn connector(place: &Place) -> Value {
    let form = matches!(place, Place::Form(_));
    let mut headers = json!({"x-said": "${said}"});
    let mut body = json!({"fixed": "srn:bot::ACME:no-secret"});
    match place {
        Place::Header(name) => headers[name] = NAME.into(),
        Place::Form(name) => body[name] = NAME.into(),
        Place::Body(_) => body["deep"] = json!({"list": [{"key": NAME}]}),
        Place::Query(_) | Place::AwsSignature => {}
    }
    if form {
        headers["content-type"] = "application/x-www-form-urlencoded".into();
    }
    json!({
        "Alias": "call", "Type": "api-connector", "Method": "POST",
        "Endpoint": "https://api.example.com/u/${said}/x?q=${said}",
        "Headers": headers, "Body": body,
        "RequestMapping": {
            "a": {"type": "requestURL", "inputPath": "$.said", "requestParameter": "said"},
            "b": {"type": "requestHeader", "inputPath": "$.said", "requestParameter": "said"},
            "c": {"type": "requestBody", "inputPath": "$.said", "requestBodyPath": "$.said"},
            "d": {"type": "requestBody", "inputPath": "$.said", "requestBodyPath": "$.names.${said}"},
            "e": {"type": "requestBody", "inputPath": "$.list", "requestBodyPath": "$.all[0]"},
        },
        "ResponseMapping": {"t": {"type": "responseBody", "responseBodyPath": "$.text", "outputPath": "$.answer"}},
    })
}

/// A connector of AWS whose parameters are what was said.
fn aws_connector() -> Value {
    json!({
        "Alias": "call", "Type": "aws-sdk", "Endpoint": "SES", "Method": "sendEmail", "Credentials": KEY,
        "Body": {"Source": "srn:bot::ACME:no-secret", "Message": {"Subject": {"Data": "x"}}},
        "RequestMapping": {
            "a": {"type": "requestBody", "inputPath": "$.said", "requestBodyPath": "$.Message.Body.Text.Data"},
            "b": {"type": "requestBody", "inputPath": "$.list", "requestBodyPath": "$.Destination.ToAddresses"},
        },
    })
}

/// A request of the flow's own that has the secret at a place, and what was said at every other one.
fn own_request(place: &Place) -> Value {
    let said = "{{ context.said }}";
    let mut request = json!({
        "method": "POST",
        "url": "https://api.example.com/u",
        "headers": {"x-said": said, "authorization": said},
        "query": {"said": said, "other": "srn:bot::ACME:no-secret"},
        "body": {"said": said, "list": [said, {"deep": said}], "whole": "{{ [context.said] }}"},
    });
    match place {
        Place::Header(name) => request["headers"][name] = NAME.into(),
        Place::Query(name) => request["query"][name] = NAME.into(),
        Place::Form(name) => {
            request["headers"]["content-type"] = "application/x-www-form-urlencoded".into();
            request["body"][name] = NAME.into();
        }
        Place::Body(_) => request["body"]["deep"] = json!({"list": [{"key": NAME}]}),
        Place::AwsSignature => {}
    }
    request
}

/// A flow that asks, and calls with what was said by its own words (`{{ message }}` kept in the context), as
/// input and in lists.
fn flow(call: &Value) -> Sample {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "What?", "saveTo": "said"}, "to": {"next": "list"}},
        "list": {"type": "setContext", "config": {"values": {"list": ["{{ context.said }}"]}}, "to": {"next": "call"}},
        "call": {"type": "executeApi", "config": call, "to": {"next": "done", "error": "sorry"}},
        "done": {"type": "say", "config": {"text": "done"}},
        "sorry": {"type": "say", "config": {"text": "{{ error.code }}: {{ error.message }}"}},
    });
    Sample::main("ask", nodes).top(TOP)
}

fn places() -> Vec<Place> {
    vec![
        Place::header("x-key"),
        Place::Query("key".to_owned()),
        Place::Form("key".to_owned()),
        Place::Body("/deep/list/0/key".to_owned()),
        Place::AwsSignature,
    ]
}

#[tokio::test]
async fn a_secret_leaves_only_where_its_document_has_it_whatever_a_user_says() {
    for place in places() {
        let alias = json!({"alias": "call"});
        let input = json!({"alias": "call", "input": {"said": "{{ context.said }}", "list": ["{{ context.said }}"]}});
        let with_connector = |config: Value| {
            let document = match place {
                Place::AwsSignature => aws_connector(),
                _ => connector(&place),
            };
            flow(&config).file("connectors/call.json", &document)
        };
        let own = flow(&json!({"request": own_request(&place)}));
        for (way, sample, own) in [
            ("mapping", with_connector(alias), false),
            ("input", with_connector(input), false),
            ("template", own, true),
        ] {
            let project = sample.load().await;
            for text in attacks() {
                let outside = Outside::answering(200, "{}");
                let mut talk = Talk::new(Arc::clone(&project));
                talk.egress = Arc::clone(&outside) as _;
                talk.start().await;
                let turn = talk.user(&text).await;
                let case = format!("{place} by {way}: {text}");
                let requests = outside.requests();
                let [request] = requests.as_slice() else {
                    // Nothing leaves at all, because HTTP has no such header.
                    assert!(
                        told(&turn)[0].contains("execute_api.bad_header"),
                        "{case}: {turn:?}"
                    );
                    assert!(!text.is_ascii(), "{case}");
                    continue;
                };
                let there = match (&place, own) {
                    (Place::AwsSignature, _) | (Place::Query(_), false) => vec![],
                    (place, _) => vec![place.clone()],
                };
                assert_eq!(places_of(request, VALUE), there, "{case}");
                let signs = request
                    .secrets
                    .iter()
                    .any(|it| it.place == Place::AwsSignature);
                assert_eq!(signs, place == Place::AwsSignature && !own, "{case}");
                // What was said is there as it was said, and nothing was added to it.
                assert!(said_in(request, &text), "{case}: {request:?}");
            }
        }
    }
}

/// Whether a request has a text as one whole value somewhere.
fn said_in(request: &HttpRequest, said: &str) -> bool {
    let mut found = url::form_urlencoded::parse(&request.body).any(|(_, value)| value == said);
    if let Ok(json) = serde_json::from_slice::<Value>(&request.body) {
        texts(&json, "", &mut |_, text| found |= text == said);
    }
    found
}

/// A connector with the secret in a header and in its body, and a value everywhere else.
fn noted(alias: &str, input: &str) -> Value {
    json!({
        "Alias": alias, "Type": "api-connector", "Method": "POST",
        "Endpoint": "https://api.example.com/notes/${said}",
        "Headers": {"X-Key": NAME},
        "Body": {"deep": {"key": NAME}},
        "RequestMapping": {
            "a": {"type": "requestURL", "inputPath": input, "requestParameter": "said"},
            "b": {"type": "requestBody", "inputPath": input, "requestBodyPath": "$.said"},
        },
        "ResponseMapping": {"t": {
            "type": "responseBody", "responseBodyPath": "$.text", "outputPath": "$.translation",
        }},
    })
}

#[tokio::test]
async fn neither_arguments_of_commands_nor_translated_texts_become_secrets() {
    let top = format!(
        "{TOP}\n[slash-commands.'/note']\nactions = [{{ type = 'executeApi', value = 'note' }}]\n\
         [translation]\nconnector = 'translate'\nagent-language = 'en'"
    );
    let nodes = json!({
        "set": {"type": "setContext", "config": {"values": {"language": "de"}}, "to": {"next": "agent"}},
        "agent": {"type": "redirect", "config": {"queue": "Support", "resumeBot": true}, "to": {"completed": "after"}},
        "after": {"type": "ask", "config": {"text": "?", "saveTo": "x"}},
    });
    let project = Sample::main("set", nodes)
        .top(&top)
        .and_nodes(&["executeApi"])
        .file("connectors/note.json", &noted("note", "$.arguments"))
        .file("connectors/translate.json", &noted("translate", "$.text"))
        .load()
        .await;
    for text in attacks() {
        let outside = Outside::answering(200, "{}");
        let mut talk = Talk::new(Arc::clone(&project));
        talk.egress = Arc::clone(&outside) as _;
        talk.start().await;
        talk.joined("Kim").await;
        talk.agent_says("Kim", &format!("/note {text}")).await;
        talk.agent_says("Kim", &text).await;
        talk.user(&text).await;
        let requests = outside.requests();
        assert_eq!(requests.len(), 3, "{text}");
        for request in requests {
            let there = [Place::header("x-key"), Place::Body("/deep/key".to_owned())];
            assert_eq!(places_of(&request, VALUE), there, "{text}");
            assert!(said_in(&request, &text), "{text}: {request:?}");
        }
    }
}

#[tokio::test]
async fn a_turn_with_a_secret_is_made_again_from_its_journal_elsewhere() {
    for place in places() {
        let load = || flow(&json!({"request": own_request(&place)})).load();
        let mut talk = Talk::new(load().await);
        talk.egress = Outside::answering(200, "{}");
        talk.start().await;
        let turn = talk.user("hat").await;
        assert_eq!(told(&turn)[0], "main: done");
        let calls = entries(&turn, |entry| match entry {
            Entry::Called { call, .. } => Some(call.clone()),
            _ => None,
        });
        // Another runtime has another key for its placeholders.
        let mut again = Talk::new(load().await);
        again.egress = Arc::new(Recorded::new(calls));
        again.start().await;
        let turn = again.user("hat").await;
        assert_eq!(told(&turn)[0], "main: done", "{place}");
    }
}

#[tokio::test]
async fn a_place_that_the_project_does_not_list_is_refused_at_load() {
    let top = |places: &str| {
        TOP.replace(
            "env = \"CRM\",",
            &format!("env = \"CRM\", in = [{places}],"),
        )
    };
    let load = async |top: String, place: &Place| {
        let sample = flow(&json!({"request": own_request(place)}));
        let loaded = sample.replace_top(&top).try_load().await;
        loaded.map_err(|found| {
            let codes: Vec<_> = found.iter().map(|it| it.code.to_string()).collect();
            codes.join(" ")
        })
    };
    for place in places().into_iter().filter(|it| *it != Place::AwsSignature) {
        let right = format!("\"{place}\"");
        assert!(load(top(&right), &place).await.is_ok(), "{place}");
        let wrong = load(top("\"header:x-other\""), &place).await;
        let refused = wrong.expect_err("is refused");
        assert!(
            refused.contains("connector.secret_misplaced"),
            "{place}: {refused}"
        );
    }
    let both = load(
        top("\"aws-signature\", \"header:x-key\""),
        &Place::header("x-key"),
    )
    .await;
    assert!(both.expect_err("is refused").contains("project.bad_secret"));
}
