//! What nodes asked the outside, in words.

use super::model::Kind;
use super::redaction::Redactor;
use super::says::Said;
use handoff_engine::availability::{Asked, Told};
use handoff_engine::egress::{Answer, Body, Call, Origin};
use handoff_engine::name::NodeId;
use serde_json::json;
use url::Url;

impl Redactor {
    /// What a request was, and what came of it. The origin says enough at a glance; the rest of an address
    /// can hold what users said.
    pub(super) fn call(&mut self, node: &NodeId, call: &Call) -> Said {
        let (answer, outcome, failed) = match &call.answer {
            Answer::Answered(response) => {
                let body = match &response.body {
                    Body::Text(text) => json!(self.text(text)),
                    Body::Bytes(bytes) => json!({"bytes": bytes.len()}),
                };
                let answer = json!({"status": response.status, "body": body});
                (answer, response.status.to_string(), response.status >= 400)
            }
            Answer::Failed(error) => {
                let answer = json!({"code": error.code(), "message": error.to_string()});
                (answer, error.code().to_owned(), true)
            }
        };
        let to =
            Url::parse(&call.url).map_or_else(|_| "somewhere".to_owned(), |url| Origin::of(&url));
        let detail = json!({
            "node": node, "id": call.id, "method": call.method, "url": self.text(&call.url),
            "answer": answer,
        });
        let what = format!("{node} calls {} {to}: {outcome}", call.method);
        let said = Said::new(Kind::Step, "node", what, detail);
        if failed { said.failed() } else { said }
    }
}

/// A question for agents, and what was told.
pub(super) fn question(node: &NodeId, asked: &Asked) -> Said {
    let whom = asked.account.as_ref().map_or("nobody", |it| it.as_str());
    let (told, failed) = match &asked.answer {
        Told::Agents(agents) => {
            let on_queue = agents.on_queue.map(|count| format!("{count} on queue"));
            (on_queue.unwrap_or_else(|| "told".to_owned()), false)
        }
        Told::Nothing(reason) => (reason.code.clone(), true),
    };
    let what = format!("{node} asks {whom} for agents: {told}");
    let said = Said::new(
        Kind::Step,
        "node",
        what,
        json!({"node": node, "asked": asked}),
    );
    if failed { said.failed() } else { said }
}
