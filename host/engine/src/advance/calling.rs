//! API connectors that are called while no flow is in charge: by agents' commands, and to translate.
//!
//! They are called by the node that flows use for it, so there is one way to call an API: the same mappings,
//! the same limits, the same entries in the journal.

use super::Advancing;
use crate::name::{BotName, NodeId, NodeType, Port};
use crate::node::{Outcome, StepHost, StepInput, Trigger};
use crate::project::EXECUTE_API;
use crate::session::{Entry, NodeError, Owner, StepDecision};
use serde_json::{Value, json};

impl Advancing<'_> {
    /// Calls a connector with the session's context and what is beside it. Gives what the node wants
    /// written, which does not count yet. `id` and `why` are what the journal calls it.
    pub(super) async fn call_connector(
        &mut self,
        id: &NodeId,
        why: &str,
        alias: &str,
        input: Value,
    ) -> Result<StepHost, NodeError> {
        let failed = |code: &str, message: String| NodeError {
            node: id.clone(),
            code: code.to_owned(),
            message,
        };
        let node_type = NodeType::new(EXECUTE_API);
        let (Some(node), true) = (
            self.project.nodes.get(&node_type),
            self.project.connectors.contains_key(alias),
        ) else {
            return Err(failed(
                "command.unknown_alias",
                format!("the bot has no API connector '{alias}'"),
            ));
        };
        let input = StepInput {
            trigger: Trigger::Entered,
            config: json!({"alias": alias, "input": input}).to_string(),
            state: None,
            node_id: id.to_string(),
            session_id: self.session.id.to_string(),
            now: self.now.0,
        };
        self.steps += 1;
        let seed = format!(
            "{}/{}/{}",
            self.session.id, self.session.revision, self.steps
        );
        let (host, result) = self.call_node(id, node, input, &seed).await;
        let outcome = result.map_err(|failure| failed(failure.code(), failure.to_string()))?;
        let Outcome::Leave(port) = outcome else {
            return Err(failed(
                "command.bad_node",
                format!("the node '{EXECUTE_API}' does something else than to call an API"),
            ));
        };
        self.journal.push(Entry::Stepped {
            bot: self.bot_in_charge(),
            node: id.clone(),
            node_type,
            trigger: why.to_owned(),
            decision: StepDecision::Leave {
                port: Port::new(port),
                to: None,
            },
        });
        Ok(host)
    }

    /// The bot that handed over, or the worker that did.
    pub(super) fn bot_in_charge(&self) -> BotName {
        let mut bots = self
            .session
            .stack
            .iter()
            .rev()
            .filter_map(|owner| match owner {
                Owner::Flow(frame) => Some(frame.bot.clone()),
                Owner::Worker(frame) => Some(frame.bot.clone()),
                Owner::Agent(_) => None,
            });
        bots.next().unwrap_or_else(|| self.project.start.clone())
    }
}
