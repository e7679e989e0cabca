//! What is still to be sent to the platform, in order, and what has been.
//!
//! Commands come at least once; here they become exactly once by their ids. The ids of settled says
//! are remembered for as long as a repeat can reasonably come.

use handoff_engine::name::EffectId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A caller repeats only what it has not seen settled, and that is far less than this.
const REMEMBERED: usize = 64;

/// Something to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outgoing {
    /// A text of the user's; without an id if it opens the conversation.
    Say { id: Option<EffectId>, text: String },
    /// Attributes for agents to see.
    Attributes(BTreeMap<String, String>),
}

/// The texts and attributes on their way to the agent side, first in first out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    waiting: VecDeque<Outgoing>,
    settled: VecDeque<EffectId>,
}

/// What became of a say that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It is new and waits for its turn.
    Queued,
    /// It already waits.
    Known,
    /// It has been dealt with before.
    Settled,
}

impl Outbox {
    pub(crate) fn say(&mut self, id: Option<EffectId>, text: String) -> Given {
        if let Some(id) = &id {
            if self.settled.contains(id) {
                return Given::Settled;
            }
            let waits = self.waiting.iter().any(
                |outgoing| matches!(outgoing, Outgoing::Say { id: Some(known), .. } if known == id),
            );
            if waits {
                return Given::Known;
            }
        }
        self.waiting.push_back(Outgoing::Say { id, text });
        Given::Queued
    }

    pub(crate) fn attributes(&mut self, attributes: BTreeMap<String, String>) {
        if !attributes.is_empty() {
            self.waiting.push_back(Outgoing::Attributes(attributes));
        }
    }

    pub(crate) fn first(&self) -> Option<&Outgoing> {
        self.waiting.front()
    }

    /// Takes out what comes first, and remembers it as settled if it was a say.
    pub(crate) fn settle_first(&mut self) -> Option<Outgoing> {
        let first = self.waiting.pop_front()?;
        if let Outgoing::Say { id: Some(id), .. } = &first {
            self.settled.push_back(id.clone());
            if self.settled.len() > REMEMBERED {
                self.settled.pop_front();
            }
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_say_given_twice_is_sent_once() {
        let mut outbox = Outbox::default();
        let id = || Some(EffectId::new("s/1/0"));
        assert_eq!(outbox.say(id(), "a".to_owned()), Given::Queued);
        assert_eq!(outbox.say(id(), "a".to_owned()), Given::Known);
        assert!(outbox.settle_first().is_some());
        assert_eq!(outbox.say(id(), "a".to_owned()), Given::Settled);
        assert_eq!(outbox.first(), None);
    }
}
