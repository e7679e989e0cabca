//! What became of agents' messages, on its way to Genesys.
//!
//! The API takes `Delivered` and `Failed` and has no word for read, so a message that was read is
//! delivered, once. Receipts are a courtesy: one that Genesys does not take is dropped.

use handoff_engine::content::Receipt;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Messages of which a receipt was sent, remembered against a second one.
const REMEMBERED: usize = 64;

/// The receipts of one handoff.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Confirmations {
    waiting: VecDeque<(String, Receipt)>,
    given: VecDeque<(String, Receipt)>,
}

impl Confirmations {
    /// Takes what became of a message; false if Genesys knows already.
    pub(super) fn take(&mut self, message: String, receipt: Receipt) -> bool {
        let receipt = match receipt {
            Receipt::Delivered | Receipt::Read => Receipt::Delivered,
            Receipt::Failed => Receipt::Failed,
        };
        let this = (message, receipt);
        if self.given.contains(&this) {
            return false;
        }
        self.given.push_back(this.clone());
        if self.given.len() > REMEMBERED {
            self.given.pop_front();
        }
        self.waiting.push_back(this);
        true
    }

    pub(super) fn first(&self) -> Option<&(String, Receipt)> {
        self.waiting.front()
    }

    /// What came first has been sent, or is given up.
    pub(super) fn done(&mut self) {
        self.waiting.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_delivered_and_then_read_is_delivered_once() {
        let mut confirmations = Confirmations::default();
        let mut take = |receipt| confirmations.take("m".to_owned(), receipt);
        assert!(take(Receipt::Delivered));
        assert!(!take(Receipt::Read));
        assert!(take(Receipt::Failed));
        let delivered = ("m".to_owned(), Receipt::Delivered);
        assert_eq!(confirmations.first(), Some(&delivered));
    }
}
