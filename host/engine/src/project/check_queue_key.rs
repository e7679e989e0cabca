//! Attributes that were meant to choose a queue and do not.
//!
//! Architect reads the queue's name under one key, in exactly these letters. A key in other letters is
//! valid, reaches the agent, and leads to the default queue; nothing else would ever say so.

use super::Flow;
use crate::account::Account;
use crate::diagnostic::Diagnostic;
use crate::name::AccountName;
use crate::source::{Part, pointer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Warns of keys in a flow's configs that differ from what accounts read in capital letters only.
pub(super) fn check_queue_key(
    flow: &Flow,
    accounts: &BTreeMap<AccountName, Account>,
    found: &mut Vec<Diagnostic>,
) {
    let read: BTreeSet<&str> = accounts
        .values()
        .filter_map(Account::queue_attribute)
        .collect();
    for (id, placed) in &flow.nodes {
        let base = format!("{}/config", pointer("/nodes", id.as_str()));
        let mut keys = Vec::new();
        keys_in(placed.config.source(), &base, &mut keys);
        for (at, key) in keys {
            let near = read.iter().find(|it| it.eq_ignore_ascii_case(key));
            let Some(near) = near.filter(|_| !read.contains(key)) else {
                continue;
            };
            if names_a_member(&placed.node.descriptor().config, key) {
                continue;
            }
            let place = flow.document.place_of(&at, Part::Key);
            let message = format!("'{key}' chooses no queue; the key that is read is '{near}'");
            found.push(
                Diagnostic::warning("flow.queue_key", place, message)
                    .help(format!("write '{near}', in exactly these letters")),
            );
        }
    }
}

/// Every key of a config, with the JSON Pointer to its member.
fn keys_in<'c>(value: &'c Value, at: &str, keys: &mut Vec<(String, &'c str)>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let at = pointer(at, key);
                keys_in(member, &at, keys);
                keys.push((at, key));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                keys_in(item, &pointer(at, &index.to_string()), keys);
            }
        }
        _ => {}
    }
}

/// Whether a schema has a member of this name of its own.
fn names_a_member(schema: &Value, key: &str) -> bool {
    match schema {
        Value::Object(members) => {
            let own = members.get("properties").and_then(|it| it.get(key));
            own.is_some() || members.values().any(|it| names_a_member(it, key))
        }
        Value::Array(items) => items.iter().any(|it| names_a_member(it, key)),
        _ => false,
    }
}
