//! What a turn changed in a session, by comparison with the turn before.

use super::model::{Kind, State};
use super::redaction::Redactor;
use super::says::{Said, name_of, time_of_day};
use handoff_engine::session::{
    Deadline, DeadlineKind, InputKind, LAST_KNOWN_AGENT, SESSION_END_REASON, Session, Turn,
};
use handoff_engine::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The values of [`SESSION_END_REASON`] that are no secret.
const END_REASONS: [&str; 3] = ["UserLeft", "AgentLeft", "Error"];

impl Redactor {
    /// What the context and the attributes came to; a row each, if anything.
    pub(super) fn context_changes(
        &mut self,
        before: Option<&Session>,
        after: &Session,
    ) -> Vec<Said> {
        let mut rows = Vec::new();
        let nothing = BTreeMap::new();
        let old = before.map_or(&nothing, |session| &session.context);
        if let Some((what, detail)) = changes(old, &after.context, |key, value| {
            self.context_value(key, value)
        }) {
            let what = format!("context: {what}");
            rows.push(Said::new(Kind::Context, "flow", what, detail));
        }
        let nothing = BTreeMap::new();
        let old = before.map_or(&nothing, |session| &session.attributes);
        if let Some((what, detail)) =
            changes(old, &after.attributes, |_, value| self.text(value).into())
        {
            let what = format!("attributes: {what}");
            rows.push(Said::new(Kind::Context, "flow", what, detail));
        }
        rows
    }

    fn context_value(&mut self, key: &str, value: &Value) -> Value {
        if key == SESSION_END_REASON && value.as_str().is_some_and(|it| END_REASONS.contains(&it)) {
            return value.clone();
        }
        if key == LAST_KNOWN_AGENT
            && let Some(name) = value["AgentName"].as_str()
            && value.as_object().is_some_and(|all| all.len() == 1)
        {
            return json!({"AgentName": self.agent(name)});
        }
        self.value(value)
    }
}

/// Which keys were set and removed, in words and in full; none if none were.
fn changes<V: PartialEq>(
    before: &BTreeMap<String, V>,
    after: &BTreeMap<String, V>,
    mut show: impl FnMut(&str, &V) -> Value,
) -> Option<(String, Value)> {
    let set: Map<String, Value> = after
        .iter()
        .filter(|(key, value)| before.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), show(key, value)))
        .collect();
    let removed: Vec<&str> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(String::as_str)
        .collect();
    if set.is_empty() && removed.is_empty() {
        return None;
    }
    let keys: Vec<&str> = set.keys().map(String::as_str).collect();
    let mut words = Vec::new();
    if !keys.is_empty() {
        words.push(format!("{} set", keys.join(", ")));
    }
    if !removed.is_empty() {
        words.push(format!("{} removed", removed.join(", ")));
    }
    Some((words.join("; "), json!({"set": set, "removed": removed})))
}

/// What became of each deadline. The one that rang is told by the input.
pub(super) fn deadline_changes(before: &[Deadline], turn: &Turn) -> Vec<(Said, State)> {
    let at = |deadlines: &[Deadline], kind: DeadlineKind| {
        let found = deadlines.iter().find(|deadline| deadline.kind == kind);
        found.map(|deadline| deadline.at)
    };
    let kinds = [
        DeadlineKind::Inactivity,
        DeadlineKind::Node,
        DeadlineKind::NoAgent,
        DeadlineKind::UserIdle,
        DeadlineKind::QueueUpdate,
    ];
    let change = |kind: DeadlineKind| {
        let (old, new) = (at(before, kind), at(&turn.deadlines, kind));
        let rang = matches!(turn.input.kind, InputKind::Due(rung) if rung == kind);
        let (state, what) = match (old, new) {
            (old, Some(new)) if old == Some(new) => return None,
            (old, Some(new)) => {
                let again = old.is_some() && !rang;
                let state = if again { State::Replaced } else { State::Set };
                let span = new.since(turn.at);
                let what = format!("{} at {}, in {span}", name_of(kind), time_of_day(new));
                (state, what)
            }
            (Some(_), None) if !rang => (State::Dropped, name_of(kind).to_owned()),
            (_, None) => return None,
        };
        let detail = json!({
            "deadline": kind,
            "before": old.map(Timestamp::to_iso),
            "after": new.map(Timestamp::to_iso),
        });
        Some((Said::new(Kind::Timer, "clock", what, detail), state))
    };
    kinds.into_iter().filter_map(change).collect()
}
