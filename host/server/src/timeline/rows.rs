//! From turns to rows.
//!
//! Turns keep the order of their revisions, whatever their clocks say. What passed over the wire comes
//! with a turn that was committed later, so it moves to before the first turn that is later than it.

use super::changes::deadline_changes;
use super::model::{FORMAT, Kind, Row, State, Timeline};
use super::redaction::{Redaction, Redactor};
use super::says::{Said, why_closed};
use handoff_engine::name::EffectId;
use handoff_engine::session::{
    Effect, Entry, Exchange, InputKind, Owner, Phase, Session, Status, Turn, Way,
};
use handoff_engine::time::{Millis, Timestamp};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Timeline {
    /// Tells a session from all its turns, oldest first.
    #[must_use]
    pub fn of(turns: &[Arc<Turn>], redaction: Redaction) -> Self {
        let mut teller = Teller::new(redaction);
        let mut told: Vec<ToldTurn> = turns.iter().map(|turn| teller.turn(turn)).collect();
        place_frames(&mut told);
        let mut rows = Vec::new();
        let mut owners = Vec::new();
        for turn in told {
            for mut frame in turn.frames {
                frame.owners.clone_from(&owners);
                rows.push(frame);
            }
            owners = turn.owners;
            rows.extend(turn.rows);
        }
        let mut before = rows.first().map(|row| row.at).unwrap_or_default();
        for row in &mut rows {
            row.since_ms = row.at.since(before);
            before = row.at;
        }
        let last = turns.last().map(|turn| &turn.session);
        Self {
            format: FORMAT,
            session: last.map(|it| it.id.to_string()).unwrap_or_default(),
            project: last.map(|it| it.project.clone()).unwrap_or_default(),
            channel: last.and_then(|it| it.channel.clone()),
            status: last.map(status).unwrap_or_default(),
            revision: last.map(|it| it.revision.0).unwrap_or_default(),
            earlier_turns: turns
                .first()
                .map_or(0, |turn| turn.session.revision.0.saturating_sub(1)),
            revealed: redaction == Redaction::Revealed,
            owners: everyone(&rows),
            rows,
        }
    }

    /// Says which effects are still owed; all others are settled.
    #[must_use]
    pub fn with_pending(mut self, pending: &[Effect]) -> Self {
        let pending: BTreeSet<&str> = pending.iter().map(|effect| effect.id.as_str()).collect();
        for row in &mut self.rows {
            if row.kind == Kind::Effect {
                let owed = row.detail["effect"]
                    .as_str()
                    .is_some_and(|id| pending.contains(id));
                row.state = Some(if owed { State::Pending } else { State::Settled });
            }
        }
        self
    }
}

fn status(session: &Session) -> String {
    match &session.status {
        Status::Open => "open".to_owned(),
        Status::Closed { reason, at: _ } => format!("closed: {}", why_closed(reason)),
    }
}

/// The owners of all rows, in order of appearance.
fn everyone(rows: &[Row]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for owner in rows.iter().flat_map(|row| &row.owners) {
        if !all.contains(owner) {
            all.push(owner.clone());
        }
    }
    all
}

/// A turn in rows.
struct ToldTurn {
    at: Timestamp,
    /// What passed over the wire before it.
    frames: Vec<Row>,
    rows: Vec<Row>,
    owners: Vec<String>,
}

/// Moves each frame to the first turn that is later than it, with none in between that is not.
fn place_frames(told: &mut [ToldTurn]) {
    for own in 0..told.len() {
        for frame in std::mem::take(&mut told[own].frames) {
            let later = told[..own]
                .iter()
                .rev()
                .take_while(|turn| turn.at > frame.at);
            let place = own - later.count();
            told[place].frames.push(frame);
        }
    }
}

struct Teller {
    redactor: Redactor,
    /// The turn before.
    before: Option<Arc<Turn>>,
    owners_before: Vec<String>,
}

impl Teller {
    fn new(redaction: Redaction) -> Self {
        Self {
            redactor: Redactor::new(redaction),
            before: None,
            owners_before: Vec::new(),
        }
    }

    fn turn(&mut self, turn: &Arc<Turn>) -> ToldTurn {
        let owners = self.owners(&turn.session);
        let moved = |entry: &Entry| matches!(entry, Entry::Pushed { .. } | Entry::Popped { .. });
        let as_many = owners.len() == self.owners_before.len();
        let begins_with = if !as_many || turn.journal.iter().any(moved) {
            self.owners_before.clone()
        } else {
            // Only an agent's name may have become known.
            owners.clone()
        };
        let mut rows = Rows {
            at: turn.at,
            revision: turn.session.revision.0,
            owners: begins_with,
            all: Vec::new(),
        };
        let frames = frames(turn);
        let mut input = self.redactor.input(&turn.input.kind);
        input.detail["input"] = json!(turn.input.id);
        let rang = matches!(turn.input.kind, InputKind::Due(_)).then_some(State::Rang);
        let row = rows.add(input, rang);
        row.correlation = frames.iter().rev().find_map(|it| it.correlation.clone());
        let mut told = BTreeSet::new();
        for entry in &turn.journal {
            if let Entry::Pushed { stack } | Entry::Popped { stack } = entry {
                rows.owners = self.redactor.owner_names(stack);
            }
            if let Entry::Asked(id) = entry {
                self.effect(turn, id, &mut rows, &mut told);
            } else if let Some(said) = self.redactor.entry(entry, &turn.input.kind) {
                rows.add(said, None);
            }
        }
        for effect in &turn.effects {
            self.effect(turn, &effect.id, &mut rows, &mut told);
        }
        rows.owners.clone_from(&owners);
        self.owners_before.clone_from(&owners);
        let before = self.before.replace(Arc::clone(turn));
        let session = before.as_ref().map(|turn| &turn.session);
        let deadlines = before.as_ref().map(|turn| turn.deadlines.as_slice());
        for said in self.redactor.context_changes(session, &turn.session) {
            rows.add(said, None);
        }
        for (said, state) in deadline_changes(deadlines.unwrap_or_default(), turn) {
            rows.add(said, Some(state));
        }
        ToldTurn {
            at: turn.at,
            frames,
            rows: rows.all,
            owners,
        }
    }

    fn effect<'t>(
        &mut self,
        turn: &'t Turn,
        id: &EffectId,
        rows: &mut Rows,
        told: &mut BTreeSet<&'t EffectId>,
    ) {
        let Some(effect) = turn.effects.iter().find(|effect| effect.id == *id) else {
            return;
        };
        if told.insert(&effect.id) {
            let mut said = self.redactor.effect(&effect.kind);
            said.detail["effect"] = json!(effect.id);
            rows.add(said, None);
        }
    }

    fn owners(&mut self, session: &Session) -> Vec<String> {
        let name = |owner: &Owner| match owner {
            Owner::Flow(frame) => frame.bot.to_string(),
            Owner::Worker(frame) => frame.bot.to_string(),
            Owner::Agent(frame) => match &frame.handoff.phase {
                Phase::Connected(agent) => self.redactor.agent(&agent.name),
                Phase::Opening | Phase::Queued => "agent".to_owned(),
            },
        };
        session.stack.iter().map(name).collect()
    }
}

/// The rows of a turn.
struct Rows {
    at: Timestamp,
    revision: u64,
    owners: Vec<String>,
    all: Vec<Row>,
}

impl Rows {
    fn add(&mut self, said: Said, state: Option<State>) -> &mut Row {
        self.all.push(Row {
            at: self.at,
            since_ms: Millis(0),
            kind: said.kind,
            who: said.who,
            what: said.what,
            owners: self.owners.clone(),
            correlation: None,
            state,
            failed: said.failed,
            revision: self.revision,
            detail: said.detail,
        });
        let last = self.all.len() - 1;
        &mut self.all[last]
    }
}

fn frames(turn: &Turn) -> Vec<Row> {
    let InputKind::Signal {
        handoff, exchanges, ..
    } = &turn.input.kind
    else {
        return Vec::new();
    };
    let revision = turn.session.revision.0;
    let frame = |at: Timestamp, who: &str, what: String, detail| Row {
        at,
        since_ms: Millis(0),
        kind: Kind::Frame,
        who: who.to_owned(),
        what,
        owners: Vec::new(),
        correlation: None,
        state: None,
        failed: false,
        revision,
        detail,
    };
    let mut rows = Vec::new();
    if exchanges.left_out() > 0 {
        let first = exchanges.iter().next().map_or(turn.at, |first| first.at);
        let count = exchanges.left_out();
        let what = format!("{count} more exchanges, not kept");
        let detail = json!({"handoff": handoff, "leftOut": count});
        rows.push(frame(first, "host", what, detail));
    }
    for exchange in exchanges.iter() {
        let Exchange {
            at,
            until,
            way,
            what,
            outcome,
            correlation,
            took,
            times,
        } = exchange;
        let who = match way {
            Way::In => "genesys",
            Way::Out => "host",
        };
        let mut words = what.clone();
        if let Some(outcome) = outcome {
            words.push_str(&format!(" → {outcome}"));
        }
        if let Some(took) = took.filter(|took| *took > Millis(0)) {
            words.push_str(&format!(", {took}"));
        }
        if *times > 1 {
            words.push_str(&format!(", {times} times"));
        }
        let mut row = frame(
            *at,
            who,
            words,
            json!({
                "handoff": handoff, "way": way, "what": what, "outcome": outcome, "tookMs": took,
                "times": times, "until": until.map(Timestamp::to_iso),
            }),
        );
        row.correlation.clone_from(correlation);
        row.failed = outcome.as_deref().is_some_and(is_failure);
        rows.push(row);
    }
    rows
}

/// Whether an outcome is neither a success nor a redirection.
fn is_failure(outcome: &str) -> bool {
    match outcome.parse::<u16>() {
        Ok(status) => status >= 400,
        Err(_) => !matches!(outcome, "open" | "closed" | "unfollowed"),
    }
}
