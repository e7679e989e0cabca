//! Queues that flows name literally, and at which account each is meant.
//!
//! Whoever looks at an account before the first handoff asks for exactly these. A name that is a template
//! is known only when the flow runs.

use super::{PlacedNode, Project};
use crate::name::{AccountName, FlowId, NodeId};
use crate::template::{is_template, texts};

/// A queue named by a node of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedQueue {
    /// The exact name.
    pub queue: String,
    /// The flow.
    pub flow: FlowId,
    /// The node that names it.
    pub node: NodeId,
}

impl Project {
    /// The queues that flows name for transfers which may go to this account.
    #[must_use]
    pub fn queues_named_for(&self, account: &AccountName) -> Vec<NamedQueue> {
        let mut all = Vec::new();
        for flow in self.flows.values() {
            for (id, placed) in &flow.nodes {
                if !self.may_transfer_to(placed, account) {
                    continue;
                }
                let named = texts(placed.config.source(), &placed.node.descriptor().config);
                let queues = named.into_iter().filter_map(|(_, format, name)| {
                    (format == "queue" && !name.trim().is_empty()).then(|| name.to_owned())
                });
                all.extend(queues.map(|queue| NamedQueue {
                    queue,
                    flow: flow.id.clone(),
                    node: id.clone(),
                }));
            }
        }
        all
    }

    fn may_transfer_to(&self, placed: &PlacedNode, account: &AccountName) -> bool {
        if let Some(all_go_to) = &self.override_account {
            return all_go_to == account;
        }
        let config = placed.config.source();
        let named = texts(config, &placed.node.descriptor().config);
        let mut asked = named.iter().filter(|(_, format, _)| *format == "account");
        if let Some((_, _, name)) = asked.next() {
            return *name == account.as_str();
        }
        // An account that is chosen when the flow runs may be any.
        let open = config["account"].as_str().is_some_and(is_template);
        open || self.takes_unaddressed(account)
    }

    /// Whether transfers that name no account may go to this one.
    fn takes_unaddressed(&self, account: &AccountName) -> bool {
        self.channels
            .values()
            .any(|of_channel| of_channel == account)
            || self.choose_account(None, None).as_ref() == Some(account)
    }
}
