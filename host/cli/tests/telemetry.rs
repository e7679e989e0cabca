//! What the command logs, and what it sends to a collector, while handoffs are played on every
//! transport.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

const SCENARIO: &str = "fixtures/projects/sentione/scenarios/resume-on.toml";

/// What is said in it, and by whom.
const SAID: [&str; 5] = ["suitcase", "Porto", "Lima", "airline desk", "Rui"];

/// Beginnings and names of what opens doors: JWTs, tokens, keys.
const KEYS: [&str; 5] = ["eyJ", "Bearer", "secureKey", "access_token", "sim-secret"];

const TRANSPORTS: [&str; 4] = [
    "engage-chat-v2",
    "cloud-webchat",
    "cloud-web-messaging",
    "cloud-open-messaging",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Plays the scenario, on a transport or on all.
fn play(transport: Option<&str>, arguments: &[&str], log: &str) -> Output {
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    let output = Command::new(env!("CARGO_BIN_EXE_handoff"))
        .args(["test", SCENARIO])
        .args(transport.iter().flat_map(|name| ["--transport", *name]))
        .args(arguments)
        .current_dir(workspace())
        .env("HANDOFF_NODES", nodes)
        .env("HANDOFF_LOG", log)
        .output()
        .expect("the command starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", logged(&output));
    output
}

fn logged(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A collector that keeps what it is sent.
struct Collector {
    url: String,
    received: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("is bound"));
        let received: Arc<Mutex<Vec<Bytes>>> = Arc::default();
        let keep = async |State(received): State<Arc<Mutex<Vec<Bytes>>>>, body: Bytes| {
            received.lock().expect("no test panics here").push(body);
        };
        let router = Router::new()
            .route("/v1/traces", post(keep))
            .with_state(Arc::clone(&received));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, received }
    }

    fn received(&self) -> Vec<Bytes> {
        self.received.lock().expect("no test panics here").clone()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.received().into_iter().map(|body| {
            ExportTraceServiceRequest::decode(body).expect("is what a collector takes")
        });
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

/// An attribute as text; none if there is none.
fn attribute(span: &Span, key: &str) -> Option<String> {
    let mut found = span.attributes.iter().filter(|it| it.key == key);
    let first = found.next()?;
    assert!(found.next().is_none(), "{key} twice: {span:?}");
    Some(match first.value.as_ref()?.value.as_ref()? {
        Told::StringValue(text) => text.clone(),
        Told::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_all_of_a_handoff_in_one_trace_with_genesys_correlation_ids() {
    for transport in TRANSPORTS {
        let collector = Collector::start().await;
        let url = collector.url.clone();
        let playing = move || play(Some(transport), &["--otlp-endpoint", &url], "error");
        let output = tokio::task::spawn_blocking(playing).await.expect("plays");
        assert_eq!(logged(&output), "", "nothing is wrong");
        let spans = collector.spans();
        all_of_a_handoff_is_there(transport, &spans);
        steps_and_commits_belong_to_turns(&spans);
        for body in collector.received() {
            let text = String::from_utf8_lossy(&body);
            for word in SAID.iter().chain(&KEYS) {
                assert!(!text.contains(word), "{transport}: {word}");
            }
        }
    }
}

fn all_of_a_handoff_is_there(transport: &str, spans: &[Span]) {
    let asking = |span: &&Span| attribute(span, "kind").as_deref() == Some("open-handoff");
    let first: Vec<&Span> = spans.iter().filter(asking).collect();
    assert_eq!(first.len(), 1, "{transport}: {first:?}");
    let first = first[0];
    assert!(first.parent_span_id.is_empty(), "it begins the trace");
    let handoff = attribute(first, "handoff").expect("is named");
    assert!(handoff.starts_with("session-1/"), "{handoff}");
    let mut kinds = BTreeSet::new();
    for span in spans {
        let of_it = attribute(span, "handoff").as_ref() == Some(&handoff);
        assert_eq!(
            of_it,
            span.trace_id == first.trace_id,
            "{transport}: {span:?}"
        );
        if of_it {
            assert_eq!(attribute(span, "session").as_deref(), Some("session-1"));
            kinds.insert(span.name.split(' ').next().unwrap_or_default().to_owned());
        }
    }
    for kind in ["turn", "commit", "effect"] {
        assert!(kinds.contains(kind), "{transport}: {kind} in {kinds:?}");
    }
    let requests: Vec<&Span> = spans
        .iter()
        .filter(|span| attribute(span, "http.request.method").is_some())
        .filter(|span| attribute(span, "handoff").is_some())
        .collect();
    assert!(!requests.is_empty(), "{transport}");
    for request in requests {
        assert_eq!(attribute(request, "transport").as_deref(), Some(transport));
        assert!(attribute(request, "account").is_some(), "{request:?}");
        assert_eq!(attribute(request, "attempt").as_deref(), Some("1"));
        let status = attribute(request, "http.response.status_code");
        assert!(status.is_some_and(|it| it.starts_with('2')), "{request:?}");
        let route = attribute(request, "http.route").expect("has a route");
        let method = attribute(request, "http.request.method").expect("has a method");
        assert_eq!(request.name, format!("{method} {route}"));
        // The network that delivers configurations is not Genesys'.
        if !route.starts_with("/webdeployments") {
            let id = attribute(request, "genesys.correlation_id");
            assert!(id.is_some_and(|id| id.len() >= 32), "{request:?}");
        }
    }
}

fn steps_and_commits_belong_to_turns(spans: &[Span]) {
    let named = |name: &'static str| spans.iter().filter(move |span| span.name == name);
    let within_a_turn = |span: &Span| {
        named("turn")
            .any(|turn| turn.span_id == span.parent_span_id && turn.trace_id == span.trace_id)
    };
    assert!(named("step").count() > 5);
    for step in named("step") {
        assert!(within_a_turn(step), "{step:?}");
        assert!(attribute(step, "node_type").is_some(), "{step:?}");
        assert_eq!(attribute(step, "session").as_deref(), Some("session-1"));
    }
    assert_eq!(named("commit").count(), named("turn").count());
    assert!(named("commit").all(within_a_turn));
}

#[test]
fn every_line_of_a_turn_or_a_handoff_says_which_and_none_says_what_was_said() {
    let output = play(None, &["--log-format", "json"], "trace");
    let log = logged(&output);
    for word in SAID.iter().chain(&KEYS) {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word}");
    }
    let mut of_transports = BTreeSet::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("is JSON");
        let spans = line["spans"].as_array().cloned().unwrap_or_default();
        let within = |name: &str| spans.iter().find(|span| span["name"] == name);
        if let Some(turn) = within("turn") {
            assert!(turn["session"].is_string(), "{line}");
        }
        if let Some(handoff) = within("handoff") {
            for field in ["session", "handoff", "account", "transport"] {
                assert!(handoff[field].is_string(), "{field}: {line}");
            }
            of_transports.insert(handoff["transport"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(of_transports, TRANSPORTS.map(str::to_owned).into());
}

#[test]
fn a_collector_that_is_not_there_is_said_and_holds_up_nothing() {
    let nowhere = ["--otlp-endpoint", "http://127.0.0.1:9"];
    let output = play(Some("cloud-webchat"), &nowhere, "error");
    let log = logged(&output);
    assert!(log.contains("HTTP export failed"), "{log}");
}

#[test]
fn a_filter_that_is_none_and_an_address_that_is_none_are_said() {
    for (arguments, log, words) in [
        (
            &[][..],
            "handoff_server=loud",
            "HANDOFF_LOG='handoff_server=loud'",
        ),
        (
            &["--otlp-endpoint", "not an address"],
            "error",
            "no traces can be sent to 'not an address/v1/traces'",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_handoff"))
            .args(["check", "fixtures/projects/sentione"])
            .args(arguments)
            .current_dir(workspace())
            .env("HANDOFF_LOG", log)
            .output()
            .expect("the command starts");
        assert_eq!(output.status.code(), Some(2));
        assert!(logged(&output).contains(words), "{}", logged(&output));
    }
}
