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

fn is_good_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= MAX_KEY
}
