//! `org.toml` of an imported project: a simulated organisation in which what was imported works, so that it
//! can be tried before it meets the real one.

use crate::ImportedFile;
use crate::dialogue::{AGENT, AGENT_NAME};
use crate::manifest::{in_reading_order, inline};
use serde_json::{Value, json};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// The queue of conversations that name none.
pub(crate) const QUEUE: &str = "Support";

/// An `org.toml` that grows.
#[derive(Debug)]
pub(crate) struct Org {
    document: DocumentMut,
}

impl Org {
    /// One division, one agent, and these queues with the agent as their member.
    pub(crate) fn new(queues: &[&str]) -> Self {
        let mut document = DocumentMut::new();
        document["name"] = value("Simulated organisation");
        document
            .decor_mut()
            .set_prefix("# A simulated contact centre, for 'handoff test' and 'handoff chat'. It is not yours.\n");
        let mut org = Self { document };
        org.add("divisions", &json!({ "name": "Home" }));
        org.add(
            "agents",
            &json!({ "id": AGENT, "name": AGENT_NAME, "on-queue": true }),
        );
        for queue in queues {
            org.add(
                "queues",
                &json!({ "name": queue, "division": "Home", "members": [AGENT] }),
            );
        }
        org
    }

    /// The organisation's id.
    pub(crate) fn id(&mut self, id: &str) {
        self.document["id"] = value(id);
    }

    /// An OAuth client that may do whatever an Open Messaging account needs.
    pub(crate) fn client(&mut self, id: &str) {
        let permissions = [
            "analytics:conversationDetail:view",
            "analytics:queueObservation:view",
            "architect:flow:view",
            "conversation:communication:disconnect",
            "conversation:message:receive",
            "conversation:message:view",
            "messaging:integration:add",
            "messaging:integration:edit",
            "messaging:integration:view",
            "routing:message:manage",
            "routing:queue:view",
        ];
        self.add(
            "roles",
            &json!({ "name": "Bridge", "permissions": permissions }),
        );
        self.add(
            "oauth-clients",
            &json!({
                "id": id,
                "secret": "simulated-client-secret",
                "roles": [{ "role": "Bridge", "division": "Home" }],
            }),
        );
    }

    /// An entry of one of the organisation's lists.
    pub(crate) fn add(&mut self, list: &str, entry: &Value) {
        add_to(self.document.as_item_mut(), list, entry);
    }

    /// A chat service of GMS.
    pub(crate) fn service(&mut self, name: &str) {
        let engage = self.document.entry("engage").or_insert_with(|| {
            let mut engage = Table::new();
            engage.set_implicit(true);
            Item::Table(engage)
        });
        add_to(
            engage,
            "services",
            &json!({ "name": name, "route": { "queue": QUEUE } }),
        );
    }

    pub(crate) fn file(&self) -> ImportedFile {
        ImportedFile {
            path: "org.toml".to_owned(),
            text: self.document.to_string(),
        }
    }
}

fn add_to(item: &mut Item, list: &str, entry: &Value) {
    let mut table = Table::new();
    for (name, member) in entry.as_object().into_iter().flat_map(in_reading_order) {
        table[name] = value(inline(member));
    }
    let Some(parent) = item.as_table_mut() else {
        return;
    };
    let lists = parent
        .entry(list)
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(lists) = lists.as_array_of_tables_mut() {
        lists.push(table);
    }
}
