//! `handoff serve` as platforms run it: as a process, against a simulator that is another one.

#![cfg(unix)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ADMIN: &str = "only-for-the-tests-of-serving";

/// A process that says where it listens, and is put an end to with the test.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let nodes = std::env::var_os("HANDOFF_NODES")
            .map_or_else(|| workspace.join("target/nodes"), PathBuf::from);
        let mut child = Command::new(env!("CARGO_BIN_EXE_handoff"))
            .args(arguments)
            .current_dir(workspace)
            .env("HANDOFF_NODES", nodes)
            .env("HANDOFF_ADMIN_TOKEN", ADMIN)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let out = child.stdout.take().expect("is piped");
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let first = lines.next().expect("it says where it listens");
        let url = first.split_once(" on ").expect("it says where").1;
        let url = url.trim().to_owned();
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// Asks it to stop, and waits until it has.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("is asked").success());
        let status = self.child.wait().expect("ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended needs no end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

struct User {
    client: reqwest::Client,
    id: String,
    token: String,
}

impl User {
    async fn come(server: &Running) -> Self {
        let client = handoff_genesys::http_client();
        let created = client
            .post(format!("{}/v1/sessions", server.url))
            .bearer_auth(ADMIN)
            .json(&json!({}))
            .send();
        let created = created.await.expect("is answered");
        assert_eq!(created.status(), 201);
        let created: Value = created.json().await.expect("is JSON");
        let text = |key: &str| created[key].as_str().expect("is a text").to_owned();
        Self {
            client,
            id: text("id"),
            token: text("token"),
        }
    }

    async fn say(&self, server: &Running, text: &str) {
        let url = format!("{}/v1/sessions/{}/messages", server.url, self.id);
        let said = self
            .client
            .post(url)
            .bearer_auth(&self.token)
            .json(&json!({"id": text, "text": text}))
            .send();
        let said = said.await.expect("is answered");
        assert_eq!(said.status(), 200, "{:?}", said.text().await);
    }

    async fn events(&self, server: &Running) -> Vec<Value> {
        let url = format!("{}/v1/sessions/{}/events", server.url, self.id);
        let list = self.client.get(url).bearer_auth(&self.token).send();
        let list = list.await.expect("is answered");
        let list: Value = list.json().await.expect("is JSON");
        list["events"].as_array().expect("is a list").clone()
    }

    /// Waits until a message says this.
    async fn hears(&self, server: &Running, text: &str) {
        self.waits(server, text, |events| {
            events.iter().any(|it| says(it, text))
        })
        .await;
    }

    /// Waits until the events are like this.
    async fn waits(&self, server: &Running, what: &str, like: impl Fn(&[Value]) -> bool) {
        let waiting = async {
            while !like(&self.events(server).await) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        if waited.is_err() {
            panic!("{what} never came: {:#?}", self.events(server).await);
        }
    }
}

fn says(event: &Value, text: &str) -> bool {
    let said = event["text"].as_str().unwrap_or_default();
    said.contains(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_with_an_agent_goes_on_when_the_server_is_started_anew() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let data = data.path().display().to_string();
    let project = "fixtures/projects/sentione";
    let org = format!("{project}/org-scripted.toml");
    let centre = Running::start(&["sim", &org, "--listen", "127.0.0.1:0"]);
    let serve = [
        "serve",
        project,
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--simulator",
        &centre.url,
    ];
    let server = Running::start(&serve);
    let user = User::come(&server).await;
    for text in ["Ana", "Lima", "My suitcase is lost"] {
        user.say(&server, text).await;
    }
    user.hears(&server, "Good day, Rui speaking").await;
    let before = user.events(&server).await;
    server.stop();

    let server = Running::start(&serve);
    let after = user.events(&server).await;
    assert_eq!(after[..before.len()], before, "nothing is lost");
    user.say(&server, "Where is it?").await;
    user.hears(&server, "One moment, please.").await;
    user.say(&server, "Thank you, bye").await;
    let bots = |events: &[Value]| {
        let of_bot = |event: &&Value| event["from"]["kind"] == "bot";
        events.iter().filter(of_bot).count()
    };
    user.waits(&server, "the bot again", |events| {
        bots(events) > bots(&before)
    })
    .await;
    let greetings = user.events(&server).await;
    let greetings = greetings.iter().filter(|event| says(event, "Good day"));
    assert_eq!(greetings.count(), 1, "nothing comes twice");
    server.stop();
}

/// The status of a call with a token.
async fn status(url: &str, token: &str) -> u16 {
    let client = handoff_genesys::http_client();
    let answer = client.get(url).bearer_auth(token).send().await;
    answer.expect("is answered").status().as_u16()
}

/// Waits until a call with a token has this status.
async fn becomes(url: &str, token: &str, expected: u16) {
    let waiting = async {
        while status(url, token).await != expected {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited.unwrap_or_else(|_| panic!("{url} never becomes {expected}"));
}

fn write_tokens(path: &Path, name: &str, token: &str) {
    use std::os::unix::fs::PermissionsExt;
    let text = format!("[[token]]\nname = '{name}'\nrole = 'view'\ntoken = '{token}'\n");
    std::fs::write(path, text).expect("is written");
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, own).expect("is ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_come_and_go_without_a_restart_and_the_end_is_announced() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let in_folder = |name: &str| folder.path().join(name);
    let (tokens, audit) = (in_folder("tokens.toml"), in_folder("audit.jsonl"));
    write_tokens(&tokens, "kim", "the-token-that-kim-has");
    let project = "fixtures/projects/sentione";
    let org = format!("{project}/org-scripted.toml");
    let centre = Running::start(&["sim", &org, "--listen", "127.0.0.1:0"]);
    let text = |path: PathBuf| path.display().to_string();
    let server = Running::start(&[
        "serve",
        project,
        "--data",
        &text(in_folder("data")),
        "--listen",
        "127.0.0.1:0",
        "--simulator",
        &centre.url,
        "--admin-tokens",
        &text(tokens.clone()),
        "--audit-log",
        &text(audit.clone()),
        "--drain-delay",
        "60",
    ]);
    let signal = |name: &str| {
        let pid = server.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("is sent").success());
    };
    let metrics = format!("{}/metrics", server.url);
    assert_eq!(status(&metrics, "the-token-that-kim-has").await, 200);
    assert_eq!(status(&metrics, ADMIN).await, 200);
    write_tokens(&tokens, "rui", "the-token-that-rui-has");
    signal("-HUP");
    becomes(&metrics, "the-token-that-rui-has", 200).await;
    assert_eq!(status(&metrics, "the-token-that-kim-has").await, 403);

    let user = User::come(&server).await;
    let ready = format!("{}/readyz", server.url);
    assert_eq!(status(&ready, "").await, 200);
    signal("-TERM");
    becomes(&ready, "", 503).await;
    user.say(&server, "still served").await;
    // A second signal ends the delay.
    server.stop();
    let log = std::fs::read_to_string(&audit).expect("is written");
    assert!(log.contains("\"operator\":\"admin\""), "{log}");
    assert!(log.contains(&user.id), "{log}");
}
