//! By what the counters are told apart, and that this stays bounded.
//!
//! Accounts, routes and node types are the project's and few. Codes are mostly this project's own,
//! but a node may write any code into a fault, so only so many different ones are told apart. Ids of
//! sessions, handoffs and messages are never labels.

use prometheus_client::encoding::EncodeLabelSet;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Different codes that are told apart; the others are `other`.
const MAX_CODES: usize = 200;
/// Codes that are longer are no codes.
const MAX_CODE: usize = 64;

const OTHER: &str = "other";

macro_rules! labels {
    ($($name:ident { $($field:ident: $kind:ty),* })*) => {$(
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $name {
            $(pub(super) $field: $kind,)*
        }
    )*};
}

labels! {
    Owner { owner: &'static str }
    Reason { reason: &'static str }
    Account { account: String, transport: &'static str }
    End { account: String, transport: &'static str, reason: &'static str, code: String }
    Abandoned { account: String, transport: &'static str, reason: &'static str }
    Told { account: String, transport: &'static str, code: String }
    Way { direction: &'static str }
    Code { code: String }
    Type { node_type: String }
    Kind { input: &'static str }
    Outcome { outcome: &'static str }
    Webhook { account: String, outcome: &'static str }
    Request { method: &'static str, route: String, status: u16 }
    Route { method: &'static str, route: String }
}

/// The codes that are told apart.
#[derive(Debug, Default)]
pub(super) struct Codes(Mutex<HashSet<String>>);

impl Codes {
    /// The code as a label.
    pub(super) fn label(&self, code: &str) -> String {
        let may_stand = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if code.is_empty() || code.len() > MAX_CODE || !code.chars().all(may_stand) {
            return OTHER.to_owned();
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(code) {
            if known.len() >= MAX_CODES {
                return OTHER.to_owned();
            }
            known.insert(code.to_owned());
        }
        code.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_codes_a_node_makes_up_only_so_many_are_told_apart() {
        let codes = Codes::default();
        let labels = (0..10_000).map(|number| codes.label(&format!("made.up_{number}")));
        let labels: HashSet<String> = labels.collect();
        assert_eq!(labels.len(), MAX_CODES + 1);
        assert!(labels.contains(OTHER));
        assert_eq!(codes.label("made.up_7"), "made.up_7", "those known stay");
    }

    #[test]
    fn what_is_no_code_is_not_shown() {
        let codes = Codes::default();
        for text in ["", "Dear Ana, your order", "a\"} 1\n", &"x".repeat(65)] {
            assert_eq!(codes.label(text), OTHER, "{text:?}");
        }
    }
}
