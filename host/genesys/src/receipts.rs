//! Which message of the user's a platform's receipt is about.
//!
//! A message may have gone as several parts, each with an id of the platform's; what became of any of
//! them is told for the message, each thing once and never backwards (a message that was read is not
//! delivered again).

use crate::report::News;
use handoff_engine::content::Receipt;
use handoff_engine::handoff::Signal;
use handoff_engine::name::InputId;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Receipts for older messages than this many are not told.
const REMEMBERED: usize = 64;

/// The user's messages whose receipts may still come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Receipts(VecDeque<Expected>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Expected {
    /// The platform's id.
    part: String,
    input: InputId,
    told: Option<Receipt>,
}

impl Receipts {
    /// Part of a message has the platform's id `part`.
    pub(crate) fn expect(&mut self, part: impl Into<String>, input: &InputId) {
        self.0.push_back(Expected {
            part: part.into(),
            input: input.clone(),
            told: None,
        });
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    /// The platform says what became of a part. False if nobody knows the part.
    pub(crate) fn came(&mut self, part: &str, receipt: Receipt, news: &mut News) -> bool {
        let Some(input) = self.0.iter().find(|it| it.part == part) else {
            return false;
        };
        let input = input.input.clone();
        let same = |it: &&mut Expected| it.input == input;
        let told = self
            .0
            .iter()
            .filter(|it| it.input == input)
            .filter_map(|it| it.told)
            .max();
        if told.is_none_or(|told| told < receipt) {
            for it in self.0.iter_mut().filter(same) {
                it.told = Some(receipt);
            }
            let word = match receipt {
                Receipt::Delivered => "delivered",
                Receipt::Read => "read",
                Receipt::Failed => "failed",
            };
            let key = format!("receipt/{input}/{word}");
            let message = input;
            news.tell(key, Signal::Receipt { message, receipt });
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_receipt() -> impl Strategy<Value = Receipt> {
        prop_oneof![
            Just(Receipt::Delivered),
            Just(Receipt::Read),
            Just(Receipt::Failed)
        ]
    }

    proptest! {
        #[test]
        fn each_thing_is_told_once_and_never_backwards(
            receipts in prop::collection::vec((0_usize..4, any_receipt()), 0..20),
        ) {
            let mut known = Receipts::default();
            for part in 0..3_usize {
                known.expect(format!("p{part}"), &InputId::new(format!("i{}", part / 2)));
            }
            let mut news = News::default();
            for (part, receipt) in receipts {
                let came = known.came(&format!("p{part}"), receipt, &mut news);
                prop_assert_eq!(came, part < 3);
            }
            for input in ["i0", "i1"] {
                let told: Vec<_> = news.told.iter().filter_map(|told| match &told.signal {
                    Signal::Receipt { message, receipt } if message.as_str() == input => Some(*receipt),
                    _ => None,
                }).collect();
                prop_assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{told:?}");
            }
        }
    }
}
