//! A bot that asks what it is about, hands over, and asks again when it has the session back.

use handoff_engine::project::{Project, ProjectFiles};
use handoff_engine::{Component, Engine};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The account that the flow hands over to.
pub(crate) const SITE: &str = "site";

/// The project.
pub(crate) async fn project() -> Arc<Project> {
    load("test", |_| ()).await
}

/// The project under another name, which makes it another version.
pub(crate) async fn renamed(name: &str) -> Arc<Project> {
    load(name, |_| ()).await
}

/// The project with its accounts changed; that leaves the version as it is.
pub(crate) async fn with_account(change: impl FnOnce(&mut Project)) -> Arc<Project> {
    load("test", change).await
}

/// The texts of the project under this name.
pub(crate) fn project_files(name: &str) -> ProjectFiles {
    let manifest = format!(
        "name = '{name}'\nstart = 'main'\ninactivity = '10m'\ndefault-account = '{SITE}'\n\
         [accounts.{SITE}]\ntransport = 'engage-chat-v2'\nurl = 'https://gms.example.org'\n\
         service = 'customer-support'\n\
         [accounts.other]\ntransport = 'engage-chat-v2'\nurl = 'https://gms.example.org'\n\
         service = 'customer-support'\n\
         [bots.main]\nflow = 'main'\n"
    );
    let ana = json!({"nickname": "Ana", "firstName": "Ana", "lastName": "Lima"});
    let flow = json!({
        "handoff": "flow@1",
        "id": "main",
        "start": "topic",
        "nodes": {
            "topic": {
                "type": "ask",
                "config": {"text": "What is it about?", "timeout": 60},
                "to": {"next": "agent", "timeout": "silence"},
            },
            "silence": {"type": "say", "config": {"text": "Still there?"}, "to": {"next": "wait"}},
            "wait": {"type": "ask", "config": {}, "to": {"next": "agent"}},
            "agent": {
                "type": "redirect",
                "config": {"identity": ana, "resumeBot": true},
                "to": {
                    "completed": "again", "userLeft": "again", "noAgent": "again",
                    "alreadyActive": "sorry", "error": "sorry",
                },
            },
            "sorry": {
                "type": "say",
                "config": {"text": "Sorry: {{ context.SessionEndDetail.code }}"},
                "to": {"next": "again"},
            },
            "again": {"type": "ask", "config": {"text": "Anything else?"}, "to": {"next": "agent"}},
        },
    });
    let files = [
        ("project.toml".to_owned(), manifest),
        ("flows/main.json".to_owned(), flow.to_string()),
    ];
    ProjectFiles(files.into_iter().collect())
}

async fn load(name: &str, change: impl FnOnce(&mut Project)) -> Arc<Project> {
    let files = project_files(name);
    match engine().await.load(&files).await {
        Ok(mut project) => {
            change(&mut project);
            Arc::new(project)
        }
        Err(found) => panic!("the test's project is broken: {found:#?}"),
    }
}

static ENGINE: OnceCell<Engine> = OnceCell::const_new();

/// An engine with the nodes that the flow uses, compiled once per process.
async fn engine() -> &'static Engine {
    ENGINE.get_or_init(compile).await
}

async fn compile() -> Engine {
    let engine = Engine::builder()
        .cache(built_nodes::compiled())
        .cache_key(built_nodes::cache_key())
        .components(components())
        .build()
        .await;
    engine.expect("standard nodes load")
}

/// The nodes that the flow uses.
pub(crate) fn components() -> Vec<Component> {
    let nodes = ["ask", "say", "redirect"].map(|name| Component {
        name: name.to_owned(),
        bytes: built_nodes::component(name),
    });
    nodes.into()
}

/// An engine on the runtime of the others.
pub(crate) async fn empty_engine() -> Engine {
    engine().await.without_nodes()
}
