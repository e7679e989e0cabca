//! A project in a few lines.

use super::{Talk, library};
use handoff_engine::diagnostic::Diagnostic;
use handoff_engine::name::{EnvironmentName, NodeType};
use handoff_engine::node::Node;
use handoff_engine::project::{Project, ProjectFiles};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// A project in the making: every flow is a bot of the same name, `main` is the one users talk to,
/// and there are two accounts, `cloud` (the default one, with no identity required) and `site`.
pub(crate) struct Sample {
    top: String,
    bots: String,
    files: BTreeMap<String, String>,
    types: Vec<String>,
    nodes: BTreeMap<NodeType, Arc<Node>>,
    environment: Option<EnvironmentName>,
}

impl Sample {
    /// A project whose bot `main` runs these nodes, from the first of `start` on.
    pub(crate) fn main(start: &str, nodes: Value) -> Self {
        let empty = Self {
            top: String::new(),
            bots: String::new(),
            files: BTreeMap::new(),
            types: Vec::new(),
            nodes: BTreeMap::new(),
            environment: None,
        };
        empty.flow("main", start, nodes)
    }

    /// Loads it for an environment.
    pub(crate) fn in_environment(mut self, name: &str) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Another flow bot.
    pub(crate) fn flow(mut self, bot: &str, start: &str, nodes: Value) -> Self {
        for node in nodes.as_object().expect("nodes by id").values() {
            self.types
                .push(node["type"].as_str().expect("a type").to_owned());
        }
        let mut flow = json!({"handoff": "flow@1", "id": bot, "start": start});
        flow["nodes"] = nodes;
        let text = serde_json::to_string_pretty(&flow).expect("is JSON");
        self.files.insert(format!("flows/{bot}.json"), text);
        self.bot(bot, &format!("flow = '{bot}'"))
    }

    /// A worker bot. With no `account` it hands over to the site in its own file.
    pub(crate) fn worker(mut self, bot: &str, enabled: bool, account: Option<&str>) -> Self {
        let worker = json!({
            "Name": bot,
            "Type": "genesys-livechat-v2-worker",
            "Enabled": enabled,
            "Config": {},
            "Data": {
                "GenesysUrl": "https://gms.example.org:8080",
                "GenesysServiceName": "customer-support",
                "SlashCommands": {"/email": {"actions": [{"type": "executeApi", "value": "sendEmail"}]}},
            },
        });
        let file = format!("workers/{bot}.json");
        let account =
            account.map_or_else(String::new, |account| format!("\naccount = '{account}'"));
        let bot_lines = format!("worker = '{file}'{account}");
        self.files.insert(file, worker.to_string());
        self.bot(bot, &bot_lines)
    }

    /// Another file of the project.
    pub(crate) fn file(mut self, path: &str, content: &Value) -> Self {
        self.files.insert(path.to_owned(), content.to_string());
        self
    }

    /// What differs in an environment.
    pub(crate) fn overlay(mut self, environment: &str, text: &str) -> Self {
        let file = format!("project.{environment}.toml");
        self.files.insert(file, text.to_owned());
        self
    }

    /// Standard nodes that no flow uses.
    pub(crate) fn and_nodes(mut self, types: &[&str]) -> Self {
        self.types.extend(types.iter().map(|&name| name.to_owned()));
        self
    }

    /// A component that is no standard node.
    pub(crate) fn node(mut self, node: Node) -> Self {
        let name = node.descriptor().node_type.clone();
        self.nodes.insert(name, Arc::new(node));
        self
    }

    /// Lines at the top of `project.toml`.
    pub(crate) fn top(mut self, lines: &str) -> Self {
        self.top.push_str(lines);
        self.top.push('\n');
        self
    }

    /// These lines instead of those at the top.
    pub(crate) fn replace_top(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.top);
        self.top.push('\n');
        self
    }

    fn bot(mut self, name: &str, lines: &str) -> Self {
        write!(self.bots, "\n[bots.{name}]\n{lines}\n").expect("a String takes all");
        self
    }

    /// The project, or what is wrong with it.
    pub(crate) async fn try_load(mut self) -> Result<Project, Vec<Diagnostic>> {
        let Self { top, bots, .. } = &self;
        let manifest = format!(
            "name = 'test'\nstart = 'main'\ndefault-account = 'cloud'\n{top}\n\
             [accounts.cloud]\ntransport = 'cloud-open-messaging'\nregion = 'mypurecloud.de'\n\
             client-id = 'id'\nclient-secret = {{ env = 'A' }}\nintegration = 'web'\n\
             webhook-secret = {{ env = 'B' }}\n\n\
             [accounts.site]\ntransport = 'engage-chat-v2'\nurl = 'https://gms.example.org'\n\
             service = 'support'\n{bots}"
        );
        self.files.insert("project.toml".to_owned(), manifest);
        let mut nodes = library(&self.types).await;
        nodes.append(&mut self.nodes);
        Project::load(
            &ProjectFiles(self.files),
            &nodes,
            &handoff_engine::egress::Allowed::everything(),
            self.environment.as_ref(),
        )
        .await
    }

    /// The project.
    pub(crate) async fn load(self) -> Arc<Project> {
        match self.try_load().await {
            Ok(project) => Arc::new(project),
            Err(found) => {
                let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
                panic!("the test's project is broken:\n{}", lines.join("\n"))
            }
        }
    }

    /// A conversation with the project, before its first input.
    pub(crate) async fn talk(self) -> Talk {
        Talk::new(self.load().await)
    }
}
