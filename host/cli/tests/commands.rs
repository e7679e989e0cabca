//! The command as its users call it: what it prints, and how it exits.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the command in the root of the checkout.
fn handoff(arguments: &[&str]) -> Output {
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    Command::new(env!("CARGO_BIN_EXE_handoff"))
        .args(arguments)
        .current_dir(workspace())
        .env("HANDOFF_NODES", nodes)
        .output()
        .expect("the command starts")
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A copy of an example project that may be changed.
fn copy_of(project: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a temporary directory");
    copy_into(
        &workspace().join("fixtures/projects").join(project),
        copy.path(),
    );
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the directory is there") {
        let path = entry.expect("the entry is there").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            std::fs::create_dir(&target).expect("created");
            copy_into(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}

#[test]
fn the_demonstration_shows_both_handoffs_on_every_transport() {
    for transport in [
        "engage-chat-v2",
        "cloud-webchat",
        "cloud-web-messaging",
        "cloud-open-messaging",
    ] {
        let output = handoff(&["demo", "--pace", "0", "--transport", transport]);
        let text = printed(&output);
        assert!(output.status.success(), "{text}{}", complained(&output));
        for line in [
            "owner stack: CareBot › GenesysLivechatAlpha",
            "Kim joined",
            "I hope Kim could help. Was it solved?",
            "Rui joined",
            "You are back with the bot, Ana. Anything else?",
            "2 conversations handed over and back",
        ] {
            assert!(text.contains(line), "{line:?} is missing in:\n{text}");
        }
    }
}

#[test]
fn a_scenario_that_does_not_hold_exits_with_one_and_says_where() {
    let copy = copy_of("servisbot");
    let scenario = copy.path().join("scenarios/worker-disabled.toml");
    let text = std::fs::read_to_string(&scenario).expect("read");
    std::fs::write(&scenario, text.replace("asleep", "awake")).expect("written");
    let path = scenario.display().to_string();
    let output = handoff(&["test", &path]);
    assert_eq!(output.status.code(), Some(1));
    let text = printed(&output);
    assert!(text.contains("worker-disabled.toml:6"), "{text}");
    assert!(text.contains("got the bot NightBot said"), "{text}");
    assert!(text.contains("0 passed, 4 failed"), "{text}");
}

#[test]
fn every_mistake_of_a_project_is_shown_with_its_line() {
    let copy = copy_of("servisbot");
    let flow = copy.path().join("flows/care.json");
    let text = std::fs::read_to_string(&flow).expect("read");
    let text = text.replacen("\"say\"", "\"sya\"", 1);
    std::fs::write(&flow, text.replacen("\"lastName\" }", "\"lastNam\" }", 1)).expect("written");
    let output = handoff(&["check", &copy.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let text = complained(&output);
    for line in [
        "did you mean 'say'?",
        "did you mean 'lastName'?",
        "care.json:8:15",
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
    assert!(text.ends_with("2 mistakes\n"), "{text}");
}

#[test]
fn a_node_that_cannot_be_used_is_refused_with_its_mend() {
    let output = handoff(&["node", "inspect", "Cargo.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = complained(&output);
    assert!(text.contains("is not a WebAssembly file"), "{text}");
    assert!(text.contains("--target wasm32-wasip2"), "{text}");
}

#[test]
fn a_worker_that_is_created_loads_and_is_not_created_twice() {
    let copy = copy_of("servisbot");
    let project = copy.path().display().to_string();
    let create = [
        "worker",
        "create",
        &project,
        "GenesysLivechatBeta",
        "--genesys-url",
        "https://gms.example.com",
        "--genesys-service-name",
        "vip",
    ];
    let output = handoff(&create);
    assert!(output.status.success(), "{}", complained(&output));
    let output = handoff(&["check", &project]);
    assert!(
        printed(&output).contains("10 bots"),
        "{}",
        complained(&output)
    );
    let again = handoff(&create);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        complained(&again).contains("already"),
        "{}",
        complained(&again)
    );
}

#[test]
fn a_call_that_is_wrong_exits_with_two() {
    let output = handoff(&["demo", "--transport", "carrier-pigeon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        complained(&output).contains("engage-chat-v2"),
        "{}",
        complained(&output)
    );
}

#[test]
fn a_server_beyond_this_machine_wants_a_token_and_tls() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let data = data.path().display().to_string();
    let serve = [
        "serve",
        "fixtures/projects/sentione",
        "--data",
        &data,
        "--listen",
        "0.0.0.0:0",
    ];
    let output = handoff(&serve);
    assert_eq!(output.status.code(), Some(1));
    let text = complained(&output);
    assert!(text.contains("HANDOFF_ADMIN_TOKEN"), "{text}");
    let with_token = [&serve[..], &["--admin-token", "a-long-enough-token"]].concat();
    let output = handoff(&with_token);
    assert_eq!(output.status.code(), Some(1));
    let text = complained(&output);
    assert!(text.contains("--insecure"), "{text}");
    let short = [&serve[..], &["--admin-token", "short"]].concat();
    assert!(complained(&handoff(&short)).contains("could be guessed"));
}

const HANDED_OVER: &str = "fixtures/projects/servisbot/scenarios/handed-over-and-back.toml";

/// The data directory of a session that was played over Open Messaging, and the folder it is in.
fn played() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let keep = folder.path().display().to_string();
    let transport = "cloud-open-messaging";
    let played = handoff(&[
        "test",
        HANDED_OVER,
        "--transport",
        transport,
        "--keep",
        &keep,
    ]);
    assert!(played.status.success(), "{}", complained(&played));
    let data = format!("{keep}/handed-over-and-back/{transport}");
    (folder, data)
}

#[test]
fn a_timeline_tells_what_happened_and_hides_what_was_said() {
    let (folder, data) = played();
    let told = handoff(&["timeline", "session-1", "--data", &data]);
    let text = printed(&told);
    assert!(told.status.success(), "{}", complained(&told));
    for line in [
        "session   session-1",
        "owned by CareBot › GenesysLivechatAlpha",
        "hand over to any agent on account cloud [settled]",
        "webhook Text",
        "correlation ",
        "agent 1  joined",
    ] {
        assert!(text.contains(line), "{line:?} is missing in:\n{text}");
    }
    for private in ["Ana", "Kim", "4711"] {
        assert!(!text.contains(private), "{private} is told in:\n{text}");
    }
    let told = handoff(&["timeline", "session-1", "--data", &data, "--reveal"]);
    assert!(printed(&told).contains("says “Number 4711 🙏”"));
    let page = folder.path().join("page.html");
    let file = page.display().to_string();
    let told = handoff(&[
        "timeline",
        "session-1",
        "--data",
        &data,
        "--format",
        "html",
        "--output",
        &file,
    ]);
    assert!(told.status.success(), "{}", complained(&told));
    assert_eq!(printed(&told), "");
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.starts_with("<!doctype html>"), "{page}");
    let told = handoff(&["timeline", "session-1", "--data", &data, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&printed(&told)).expect("is JSON");
    assert_eq!(json["format"], "timeline@1");
}

#[test]
fn a_timeline_that_cannot_be_told_says_what_to_do() {
    let (folder, data) = played();
    let refused = |arguments: &[&str]| {
        let output = handoff(arguments);
        assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
        complained(&output)
    };
    let unknown = refused(&["timeline", "session-9", "--data", &data]);
    assert!(
        unknown.contains("there is no session 'session-9'")
            && unknown.contains("it holds, for example, 'session-1'"),
        "{unknown}"
    );
    let elsewhere = folder.path().display().to_string();
    let missing = refused(&["timeline", "session-1", "--data", &elsewhere]);
    assert!(
        missing.contains("there is no file") && missing.contains("keeps its sessions"),
        "{missing}"
    );
    assert!(!folder.path().join("sessions.handoff").exists());
    let other = folder.path().join("other.txt");
    std::fs::write(&other, "something else altogether").expect("written");
    let other = refused(&[
        "timeline",
        "session-1",
        "--data",
        &other.display().to_string(),
    ]);
    assert!(other.contains("is not a handoff store"), "{other}");
    let file = Path::new(&data).join("sessions.handoff");
    let host = handoff_store::RedbStore::open(&file).expect("opens");
    let in_use = refused(&["timeline", "session-1", "--data", &data]);
    assert!(in_use.contains("is in use"), "{in_use}");
    drop(host);
    let again = refused(&["test", HANDED_OVER, "--keep", &elsewhere]);
    assert!(
        again.contains("holds sessions of an earlier run"),
        "{again}"
    );
}

#[test]
fn a_store_is_copied_verified_and_compacted_where_no_host_uses_it() {
    let (folder, data) = played();
    let copy = folder.path().join("copy.handoff").display().to_string();
    let made = handoff(&["backup", "--data", &data, &copy]);
    assert!(made.status.success(), "{}", complained(&made));
    assert!(
        printed(&made).contains("holds 1 sessions"),
        "{}",
        printed(&made)
    );
    let again = handoff(&["backup", "--data", &data, &copy]);
    assert_eq!(again.status.code(), Some(1));
    assert!(complained(&again).contains("there is a file of that name already"));
    for command in ["verify", "compact"] {
        for place in [&data, &copy] {
            let done = handoff(&["store", command, place]);
            assert!(done.status.success(), "{}", complained(&done));
        }
    }
    let told = handoff(&["timeline", "session-1", "--data", &copy]);
    assert!(
        printed(&told).contains("session   session-1"),
        "{}",
        complained(&told)
    );
    let mut bytes = std::fs::read(&copy).expect("reads");
    let (half, rest) = (bytes.len() / 2, bytes.len() / 4);
    bytes[half..half + rest].fill(0xA5);
    std::fs::write(&copy, bytes).expect("is damaged");
    let damaged = handoff(&["store", "verify", &copy]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(
        complained(&damaged).contains("damaged"),
        "{}",
        complained(&damaged)
    );
}

/// A server in a process of its own, ended when dropped.
struct Serving {
    process: std::process::Child,
    url: String,
    /// Kept, so that the process can go on printing.
    _printed: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

const TOKEN: &str = "an-admin-token-of-the-tests";

/// Serves a project of one question, without accounts.
fn serve(folder: &Path) -> Serving {
    let manifest = "name = 'asks'\nstart = 'main'\n[bots.main]\nflow = 'main'\n";
    let flow = serde_json::json!({
        "handoff": "flow@1", "id": "main", "start": "topic",
        "nodes": {"topic": {"type": "ask", "config": {"text": "What is it about?"}, "to": {}}},
    });
    std::fs::create_dir(folder.join("flows")).expect("created");
    std::fs::write(folder.join("project.toml"), manifest).expect("written");
    std::fs::write(folder.join("flows/main.json"), flow.to_string()).expect("written");
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    let mut process = Command::new(env!("CARGO_BIN_EXE_handoff"))
        .args(["serve", ".", "--data", "data", "--listen", "127.0.0.1:0"])
        .args(["--admin-token", TOKEN])
        .current_dir(folder)
        .env("HANDOFF_NODES", nodes)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    let printed = process.stdout.take().expect("is piped");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(printed));
    let url = lines.find_map(|line| {
        let line = line.expect("is text");
        let (_, after) = line.split_once("http://")?;
        let address = after.split_whitespace().next()?.to_owned();
        Some(format!("http://{address}"))
    });
    Serving {
        url: url.expect("it says where it listens"),
        process,
        _printed: lines,
    }
}

#[tokio::test]
async fn a_running_host_tells_the_timelines_that_its_file_does_not() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = serve(folder.path());
    let created = handoff_genesys::http_client()
        .post(format!("{}/v1/sessions", server.url))
        .bearer_auth(TOKEN)
        .send()
        .await
        .expect("it is served");
    let created: serde_json::Value = created.json().await.expect("is JSON");
    let session = created["id"].as_str().expect("is a text");
    let ask = ["timeline", session, "--url", &server.url];
    let told = handoff(&[&ask[..], &["--admin-token", TOKEN]].concat());
    let text = printed(&told);
    assert!(
        text.contains("topic (ask), entered: waits"),
        "{text}{}",
        complained(&told)
    );
    assert!(!text.contains("What is it about?"), "{text}");
    let told = handoff(&[&ask[..], &["--admin-token", TOKEN, "--reveal"]].concat());
    assert!(printed(&told).contains("What is it about?"));
    let wrong = handoff(&[&ask[..], &["--admin-token", "another-admin-token"]].concat());
    assert_eq!(wrong.status.code(), Some(1));
    assert!(complained(&wrong).contains("not the host's admin token"));
    let data = folder.path().join("data").display().to_string();
    let in_use = handoff(&["timeline", session, "--data", &data]);
    assert!(complained(&in_use).contains("Ask that host, with --url"));
    let copy = folder.path().join("copy.handoff").display().to_string();
    let backup = ["backup", "--url", &server.url, &copy, "--admin-token"];
    let refused = handoff(&[&backup[..], &["another-admin-token"]].concat());
    assert_eq!(refused.status.code(), Some(1));
    let made = handoff(&[&backup[..], &[TOKEN]].concat());
    assert!(made.status.success(), "{}", complained(&made));
    assert!(
        printed(&made).contains("holds 1 sessions"),
        "{}",
        printed(&made)
    );
    let told = handoff(&["timeline", session, "--data", &copy]);
    assert!(printed(&told).contains("topic (ask), entered: waits"));
    let url = server.url.clone();
    drop(server);
    let gone = handoff(&["timeline", session, "--url", &url, "--admin-token", TOKEN]);
    assert!(complained(&gone).contains("is a host running there?"));
    let told = handoff(&["timeline", session, "--data", &data]);
    assert!(printed(&told).contains("topic (ask), entered: waits"));
}

/// A simulator in a process of its own, and where it listens.
struct Centre {
    process: std::process::Child,
    url: String,
}

impl Centre {
    fn open(org: &str) -> Self {
        use std::io::{BufRead, BufReader};
        let mut process = Command::new(env!("CARGO_BIN_EXE_handoff"))
            .args(["sim", org, "--listen", "127.0.0.1:0"])
            .current_dir(workspace())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the command starts");
        let stdout = process.stdout.take().expect("it prints");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        let (_, url) = line.split_once(" on ").expect("an address");
        let url = url.trim().to_owned();
        Self { process, url }
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn an_account_is_looked_at_and_each_finding_says_where_it_is_mended() {
    let centre = Centre::open("fixtures/projects/dydu/org-not-ready.toml");
    let look = |more: &[&str]| {
        let mut arguments = vec!["check", "fixtures/projects/dydu", "--org"];
        arguments.extend(["--simulator", &centre.url]);
        arguments.extend(["--simulator-org", "org-not-ready.toml"]);
        arguments.extend(more);
        handoff(&arguments)
    };
    let output = look(&["--account", "genesys"]);
    assert_eq!(output.status.code(), Some(1), "{}", complained(&output));
    let text = printed(&output);
    for words in [
        "Queue 'Accueil' has no members",
        "org.queue_without_members",
        "add agents under Admin, Contact Center, Queues",
        "is routed to no flow",
        "not ready: ",
    ] {
        assert!(text.contains(words), "{words:?} is missing in:\n{text}");
    }
    let output = look(&["--account", "genesys", "--json"]);
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(all[0]["account"], "genesys");
    assert_eq!(all[0]["findings"][0]["code"], "org.credentials");

    let output = look(&["--account", "engage"]);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let output = look(&["--account", "genesis"]);
    assert!(
        complained(&output).contains("genesys"),
        "{}",
        complained(&output)
    );
}

#[test]
fn integrations_are_provisioned_once_and_one_that_was_replaced_is_drift_until_it_is_mended() {
    let centre = Centre::open("fixtures/projects/dydu/org-before-provisioning.toml");
    let copy = copy_of("dydu");
    let provision = |more: &[&str]| {
        let project = copy.path().display().to_string();
        let mut arguments = vec!["provision", &project, "--simulator", &centre.url];
        arguments.extend(["--simulator-org", "org-before-provisioning.toml"]);
        arguments.extend(more);
        let output = handoff(&arguments);
        let text = format!("{}{}", printed(&output), complained(&output));
        (output.status.code(), text)
    };
    let lock = copy.path().join("genesys.lock");
    let (code, text) = provision(&["--dry-run"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("would create it") && !lock.exists(), "{text}");

    let (code, text) = provision(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("done: create it"), "{text}");
    let kept = std::fs::read_to_string(&lock).expect("the lock is kept");
    assert!(
        kept.contains("\"DYDU bot connector (Marketing)\""),
        "{kept}"
    );
    let (_, text) = provision(&[]);
    assert!(
        text.contains("everything is as the project wants it"),
        "{text}"
    );

    // The lock remembers an id that is not at Genesys any more.
    let before = kept.replace(
        "DYDU bot connector\" = \"",
        "DYDU bot connector\" = \"gone-",
    );
    std::fs::write(&lock, before).expect("written");
    let (code, text) = provision(&[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("--mend would take that one"), "{text}");
    let (code, text) = provision(&["--mend"]);
    assert_eq!(code, Some(0), "{text}");
    let mended = std::fs::read_to_string(&lock).expect("the lock is kept");
    assert_eq!(mended, kept);

    std::fs::write(&lock, "not a lock").expect("written");
    let (code, text) = provision(&[]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("is damaged; take it from version control"),
        "{text}"
    );
}

/// A place for a cache and its key that no other test uses.
fn cached(folder: &Path, arguments: &[&str], limit: &str) -> Output {
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    Command::new("sh")
        .arg("-c")
        .arg(format!("{limit} exec \"$@\""))
        .arg("sh")
        .arg(env!("CARGO_BIN_EXE_handoff"))
        .args(arguments)
        .current_dir(workspace())
        .env("HANDOFF_NODES", nodes)
        .env("HANDOFF_CACHE", folder.join("compiled"))
        .env("HANDOFF_CACHE_KEY", folder.join("cache.key"))
        .output()
        .expect("the command starts")
}

#[cfg(unix)]
#[test]
fn nodes_compiled_beforehand_are_not_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    let [end, say] = ["end.wasm", "say.wasm"].map(|file| nodes.join(file).display().to_string());
    let made = cached(folder.path(), &["node", "precompile", &end, &say], "");
    assert!(made.status.success(), "{}", complained(&made));
    assert!(
        printed(&made).contains("2 nodes are compiled"),
        "{}",
        printed(&made)
    );
    let files = || {
        let files = std::fs::read_dir(folder.path().join("compiled")).expect("is there");
        let mut files: Vec<_> = files
            .map(|file| {
                let file = file.expect("reads");
                let written = file.metadata().and_then(|it| it.modified());
                (file.file_name(), written.expect("is known"))
            })
            .collect();
        files.sort();
        files
    };
    let before = files();
    assert_eq!(before.len(), 2);
    let inspected = cached(folder.path(), &["node", "inspect", &say], "");
    assert!(inspected.status.success(), "{}", complained(&inspected));
    assert_eq!(files(), before, "it was found there");
}

/// A node is not at fault for what its host may not have.
#[cfg(target_os = "linux")]
#[test]
fn where_address_space_is_scarce_nodes_run_and_the_limit_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let nodes = std::env::var_os("HANDOFF_NODES")
        .map_or_else(|| workspace().join("target/nodes"), PathBuf::from);
    let end = nodes.join("end.wasm").display().to_string();
    let inspected = cached(
        folder.path(),
        &["node", "inspect", &end],
        "ulimit -v 4000000;",
    );
    assert!(inspected.status.success(), "{}", complained(&inspected));
    assert!(
        printed(&inspected).contains("Ports"),
        "{}",
        printed(&inspected)
    );
    let told = format!("{}{}", printed(&inspected), complained(&inspected));
    assert!(told.contains("ulimit -v"), "{told}");
    assert!(!told.contains("crashed"), "{told}");
}

/// A project may come from anybody, and so may a key and sessions in it.
#[cfg(unix)]
#[test]
fn nothing_in_the_project_is_taken_for_the_servers_own_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = copy_of("messenger");
    let planted = project.path().join(".handoff");
    std::fs::create_dir(&planted).expect("is made");
    std::fs::write(planted.join("host.key"), "not even a key").expect("is written");
    std::fs::write(planted.join("sessions.handoff"), "not even a store").expect("is written");
    let served = Command::new(env!("CARGO_BIN_EXE_handoff"))
        .args(["serve", &project.path().display().to_string()])
        // It starts far enough to open its data, and no further.
        .args(["--listen", "127.0.0.1:0", "--nodes"])
        .arg(folder.path().join("none"))
        .env("HOME", folder.path())
        .env_remove("XDG_DATA_HOME")
        .env_remove("HANDOFF_NODES")
        .output()
        .expect("the command starts");
    assert!(!served.status.success());
    let told = complained(&served);
    assert!(
        !told.contains("is no key") && !told.contains("not a handoff store"),
        "{told}"
    );
    assert!(told.contains("holds sessions and is not used"), "{told}");
    let servers = folder.path().join(".local/share/handoff/servers");
    let own = std::fs::read_dir(servers).expect("is there").next();
    let own = own.expect("one project").expect("reads").path();
    assert!(own.join("host.key").exists() && own.join("sessions.handoff").exists());
}

/// What repaints a terminal, fills a clipboard, turns writing round, or forges a line of ours.
const NASTY: &str =
    "x\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{9b}1m\u{202e}\u{2066}\u{8}\r\n✓ forged\u{2028}\u{ffff}";

fn assert_tame(surface: &str, text: &str) {
    let unsafe_one =
        |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{2028}".contains(c);
    assert!(!text.contains(unsafe_one), "{surface}: {text:?}");
    assert!(
        text.contains("\\u001b]52"),
        "{surface} shows nothing of it: {text}"
    );
    assert!(
        text.lines().all(|line| !line.starts_with("✓ forged")),
        "{surface}: {text}"
    );
}

#[test]
fn nothing_that_others_wrote_rules_the_terminal() {
    let nasty = serde_json::to_string(NASTY).expect("a text");
    let copy = copy_of("sentione");
    let folder = copy.path().display().to_string();
    let edit = |file: &str, replace: &[(&str, &str)]| {
        let file = copy.path().join(file);
        let mut text = std::fs::read_to_string(&file).expect("read");
        for (from, to) in replace {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        std::fs::write(file, text).expect("written");
    };
    let hello = "\"Hello, this is the airline desk.\"";
    edit("flows/impatient-desk.json", &[(hello, &nasty)]);
    let scenario = "scenarios/agent-accepts-in-time.toml";
    let replaced = [
        (hello, nasty.as_str()),
        ("\"Ana\"", &nasty),
        ("\"Sorry for the wait.\"", &nasty),
    ];
    edit(scenario, &replaced);
    let path = copy.path().join(scenario).display().to_string();
    let report = copy.path().join("report.xml");
    let junit = report.display().to_string();

    let output = handoff(&[
        "test",
        &path,
        "--show",
        "--transport",
        "cloud-webchat",
        "--junit",
        &junit,
    ]);
    assert!(
        output.status.success(),
        "{}{}",
        printed(&output),
        complained(&output)
    );
    assert_tame("test --show", &printed(&output));
    let report = std::fs::read_to_string(report).expect("written");
    roxmltree::Document::parse(&report).expect("the report is XML");

    edit(
        scenario,
        &[
            ("handoffs-ended = 0", "handoffs-ended = 7"),
            ("name = \"An agent", "name = \"\\u001b]52 An agent"),
        ],
    );
    let output = handoff(&["test", &path, "--transport", "cloud-webchat"]);
    assert_eq!(output.status.code(), Some(1));
    assert_tame("test", &printed(&output));

    let output = handoff(&["chat", &folder, "--bot", NASTY.trim()]);
    assert_tame("chat", &complained(&output));

    edit("flows/impatient-desk.json", &[("\"say\"", &nasty)]);
    let output = handoff(&["check", &folder]);
    assert_eq!(output.status.code(), Some(1));
    assert_tame("check", &complained(&output));
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_or_closed_is_an_exit_code() {
    for closed in [false, true] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("opened");
        let stdout = match closed {
            true => std::process::Stdio::from(writer),
            false => std::process::Stdio::from(full),
        };
        let output = Command::new(env!("CARGO_BIN_EXE_handoff"))
            .args(["schema", "flow"])
            .stdout(stdout)
            .stderr(std::process::Stdio::piped())
            .output()
            .expect("the command starts");
        assert_eq!(output.status.code(), Some(1));
        let text = complained(&output);
        assert!(!text.contains("panicked"), "{text}");
        assert_eq!(
            text.contains("standard output cannot be written"),
            !closed,
            "{text}"
        );
    }
}
