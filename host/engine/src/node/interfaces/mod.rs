//! The imports of a node, one file an interface, each named as its interface in `wit/`.

mod availability;
mod connectors;
mod context;
mod conversation;
mod external_attributes;
mod handoff;
mod log;
mod secrets;
mod types;

use super::limits::MAX_KEY;
use super::node_text;

/// Keys are shown to people wherever their values are.
fn is_good_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= MAX_KEY && !key.chars().any(node_text::acts)
}
