//! Whether what the user is shown can be told apart, and stays what it was.

use super::Holds;
use handoff_server::{UserEvent, UserEventKind};
use std::collections::BTreeSet;

/// Every event has a position of its own, every agent's message an id of its own, and those that were looked
/// at before are as they were.
pub(super) fn lasting(before: &mut Vec<UserEvent>, now: Vec<UserEvent>) -> Holds {
    let expected = "every event to keep an id of its own";
    let mut positions = BTreeSet::new();
    let mut messages = BTreeSet::new();
    for event in &now {
        if !positions.insert(event.position) {
            let got = format!("two events at {:?}: {event:?}", event.position);
            return Holds::now(false, expected, got);
        }
        if let UserEventKind::Message {
            message: Some(id), ..
        } = &event.kind
            && !messages.insert(id.clone())
        {
            return Holds::now(false, expected, format!("two messages '{id}'"));
        }
    }
    let changed = before.iter().find(|event| !now.contains(event));
    if let Some(event) = changed {
        let got = format!("what stood at {:?} is gone: {event:?}", event.position);
        return Holds::now(false, expected, got);
    }
    *before = now;
    Holds::now(!before.is_empty(), expected, "no event")
}
