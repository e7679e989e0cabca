//! What must hold of every handoff, whatever the other side sends.
//!
//! The end is told once and last, with every message of the user's settled by then; a message is
//! settled only as often as it was given; an agent's message is told once; and a handle reads back to
//! itself. A breach is a panic, which is what a fuzzer looks for.

use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::Signal;
use handoff_engine::name::EffectId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Ids are remembered for a while and not for ever; within it, none is told twice.
const TOLD_ONCE: usize = 60;

/// Watches one handoff.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Messages may have been given that this witness does not know of.
    past_unknown: bool,
    given: BTreeMap<EffectId, usize>,
    settled: BTreeMap<EffectId, usize>,
    messages: BTreeSet<String>,
    opened: bool,
    ended: bool,
}

impl Witness {
    /// Of a handoff taken up from a handle.
    pub(crate) fn of_a_past_unknown() -> Self {
        Self {
            past_unknown: true,
            opened: true,
            ..Self::default()
        }
    }

    /// The user's side says something.
    pub(crate) fn give(&mut self, id: &EffectId) {
        if !self.ended {
            *self.given.entry(id.clone()).or_default() += 1;
        }
    }

    /// The protocol has something to tell.
    pub(crate) fn hear(&mut self, news: News) {
        assert!(
            !self.ended || news.told.is_empty() && news.settled.is_empty(),
            "told after the end: {news:?}"
        );
        for told in news.told {
            assert!(!self.ended, "told after the end: {told:?}");
            match told.signal {
                Signal::Ended(_) => self.ended = true,
                Signal::Opened { .. } => {
                    assert!(!self.opened, "opened twice");
                    self.opened = true;
                }
                Signal::Message { message_id, .. } if self.messages.len() < TOLD_ONCE => {
                    let new = self.messages.insert(message_id.clone());
                    assert!(new, "the message '{message_id}' is told twice");
                }
                _ => {}
            }
        }
        for id in news.settled {
            let given = self.given.get(&id).copied().unwrap_or_default();
            let given = given + usize::from(self.past_unknown);
            let settled = self.settled.entry(id.clone()).or_default();
            *settled += 1;
            assert!(
                *settled <= given,
                "{id} settled {settled} times, given {given}"
            );
        }
    }

    /// Whether a message was given and is not settled.
    pub(crate) fn waits_for(&self, command: &Command) -> bool {
        matches!(command, Command::Say { id, .. } if !self.settled.contains_key(id))
    }

    /// The protocol has taken something in.
    pub(crate) fn look(&self, has_ended: bool) {
        assert_eq!(self.ended, has_ended, "the end is told when it is known");
        if has_ended {
            let open = self.given.keys().find(|id| !self.settled.contains_key(*id));
            assert_eq!(open, None, "a message is unsettled at the end");
        }
    }
}

/// Writes a handle, and makes sure that it reads back to itself.
pub(crate) fn read_back<S: Serialize + DeserializeOwned>(state: &S) -> Value {
    let handle = serde_json::to_value(state).expect("a handle can be written");
    let text = handle.to_string();
    let again: S = serde_json::from_str(&text).expect("a handle can be read");
    let same = serde_json::to_value(&again).expect("a handle can be written");
    assert_eq!(same, handle, "a handle reads back to itself");
    handle
}
