//! What a node's config refers to by name: bots and accounts of the project.
//!
//! A node type marks such members in its schema with `"format": "bot"` or `"format": "account"`, so that
//! builders can offer a choice and this check works for nodes nobody here has heard of. A name that is a
//! template is known only when the flow runs, and is looked up then.

use super::{Flow, Manifest};
use crate::account::Account;
use crate::diagnostic::{Diagnostic, did_you_mean, name_list};
use crate::name::{AccountName, BotName};
use crate::source::pointer;
use crate::template::texts;
use std::collections::BTreeMap;

/// The names a config may use.
pub(super) struct Names<'a> {
    bots: Vec<&'a str>,
    accounts: Vec<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(
        manifest: &'a Manifest,
        accounts: &'a BTreeMap<AccountName, Account>,
    ) -> Self {
        Self {
            bots: manifest.bots.keys().map(BotName::as_str).collect(),
            accounts: accounts
                .keys()
                .chain(manifest.mapped.keys())
                .map(AccountName::as_str)
                .collect(),
        }
    }

    /// Every name in the flow's configs that nothing has.
    pub(super) fn check(&self, flow: &Flow, found: &mut Vec<Diagnostic>) {
        for (id, placed) in &flow.nodes {
            let schema = &placed.node.descriptor().config;
            let base = format!("{}/config", pointer("/nodes", id.as_str()));
            for (at, format, name) in texts(placed.config.source(), schema) {
                let (known, code, what) = match format {
                    "bot" => (&self.bots, "flow.unknown_bot", "bot"),
                    "account" => (&self.accounts, "flow.unknown_account", "account"),
                    _ => continue,
                };
                if known.contains(&name) {
                    continue;
                }
                let names = || known.iter().copied();
                let help = did_you_mean(name, names()).unwrap_or_else(|| {
                    if known.is_empty() {
                        format!("add one under [{what}s] in project.toml")
                    } else {
                        format!("the {what}s are {}", name_list(names()))
                    }
                });
                let place = flow.document.place(&format!("{base}{at}"));
                let message = format!("the project has no {what} '{name}'");
                found.push(Diagnostic::error(code, place, message).help(help));
            }
        }
    }
}
