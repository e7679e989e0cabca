//! Random deeds, with the store closed and opened anywhere between them, and beside it a model of
//! it: plain lists, searched from end to end.

use super::{as_kept, effect, turn};
use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{DeadlineKind, Position, Status, Turn};
use handoff_engine::time::Timestamp;
use handoff_store::{AppendError, Census, Due, Forgotten, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Deed {
    Append {
        session: &'static str,
        /// What is added to the right revision, less one.
        off: u64,
        input: u8,
        asks: usize,
        due: Vec<(DeadlineKind, u64)>,
        with_agent: bool,
        closes: Option<u64>,
        remembers: Vec<(&'static str, Value)>,
        settles: Vec<(u64, usize)>,
    },
    Settle {
        session: &'static str,
        effects: Vec<(u64, usize)>,
    },
    Forget {
        session: &'static str,
    },
    /// Closes the store and opens it again.
    Reopen,
}

const SESSIONS: [&str; 3] = ["a", "b", "c"];

impl Deed {
    fn session(&self) -> Option<&'static str> {
        match self {
            Self::Append { session, .. }
            | Self::Settle { session, .. }
            | Self::Forget { session } => Some(session),
            Self::Reopen => None,
        }
    }
}

fn session_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(SESSIONS.as_slice())
}

fn settled() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((1..8_u64, 1..4_usize), 0..4)
}

fn due() -> impl Strategy<Value = Vec<(DeadlineKind, u64)>> {
    let kinds = [
        DeadlineKind::Inactivity,
        DeadlineKind::Node,
        DeadlineKind::NoAgent,
        DeadlineKind::UserIdle,
        DeadlineKind::QueueUpdate,
    ];
    let one = |kind| prop::option::of(0..20_u64).prop_map(move |at| at.map(|at| (kind, at)));
    kinds
        .map(one)
        .prop_map(|due| due.into_iter().flatten().collect())
}

fn remembered() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let key = prop_oneof![Just("lines"), Just("n"), Just("deep")];
    let value = prop_oneof![
        (0..5_usize, 0..5).prop_map(|(length, from)| (from..).take(length).collect()),
        any::<f64>().prop_map(Value::from),
        (0..3).prop_map(|n| json!({"a": {"b": n, "c": [n, {"d": 1}]}})),
    ];
    prop::collection::vec((key, value), 0..3)
}

fn append() -> impl Strategy<Value = Deed> {
    let off = prop_oneof![8 => Just(1), 1 => Just(0), 1 => Just(2)];
    let asked = (0..4_usize, due(), any::<bool>());
    let session = (prop::option::weighted(0.3, 0..20_u64), remembered());
    let append = (session_name(), off, 0..12_u8, asked, session, settled());
    append.prop_map(
        |(session, off, input, (asks, due, with_agent), (closes, remembers), settles)| {
            Deed::Append {
                session,
                off,
                input,
                asks,
                due,
                with_agent,
                closes,
                remembers,
                settles,
            }
        },
    )
}

fn deed() -> impl Strategy<Value = Deed> {
    let settle = (session_name(), settled());
    let settle = settle.prop_map(|(session, effects)| Deed::Settle { session, effects });
    let forget = session_name().prop_map(|session| Deed::Forget { session });
    prop_oneof![8 => append(), 2 => settle, 1 => forget, 1 => Just(Deed::Reopen)]
}

/// A store as lists.
#[derive(Default)]
struct Model {
    turns: Vec<Arc<Turn>>,
    settled: Vec<EffectId>,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Taken,
    Conflict(Revision),
    Duplicate,
}

impl Model {
    fn of<'m>(&'m self, session: &'m SessionId) -> impl Iterator<Item = &'m Arc<Turn>> {
        self.turns
            .iter()
            .filter(move |turn| turn.session.id == *session)
    }

    fn append(&mut self, turn: Arc<Turn>, settled: &[EffectId]) -> Outcome {
        let id = &turn.session.id;
        let found = Revision(self.of(id).count() as u64);
        if turn.session.revision != found.next() {
            return Outcome::Conflict(found);
        }
        if self.of(id).any(|earlier| earlier.input.id == turn.input.id) {
            return Outcome::Duplicate;
        }
        let id = id.clone();
        self.turns.push(turn);
        self.settle(&id, settled);
        Outcome::Taken
    }

    fn settle(&mut self, session: &SessionId, effects: &[EffectId]) {
        let pending = self.pending(session);
        let settled = effects.iter().filter(|id| pending.contains(id));
        self.settled.extend(settled.cloned());
    }

    fn over_since(&self, session: &SessionId) -> Option<Timestamp> {
        match self.of(session).last()?.session.status {
            Status::Closed { at, .. } if !self.is_unfinished(session) => Some(at),
            _ => None,
        }
    }

    fn forget(&mut self, session: &SessionId) -> Forgotten {
        if self.of(session).next().is_none() {
            return Forgotten::Unknown;
        }
        if self.over_since(session).is_none() {
            return Forgotten::StillNeeded;
        }
        let effects = self.of(session).flat_map(|turn| &turn.effects);
        let ids: Vec<EffectId> = effects.map(|effect| effect.id.clone()).collect();
        self.settled.retain(|id| !ids.contains(id));
        self.turns.retain(|turn| turn.session.id != *session);
        Forgotten::Dropped
    }

    fn pending(&self, session: &SessionId) -> Vec<EffectId> {
        let effects = self.of(session).flat_map(|turn| &turn.effects);
        let ids = effects.map(|effect| effect.id.clone());
        ids.filter(|id| !self.settled.contains(id)).collect()
    }

    fn deadlines(&self) -> Vec<Due> {
        let last = self
            .turns
            .iter()
            .filter(|turn| self.of(&turn.session.id).count() as u64 == turn.session.revision.0);
        let mut due: Vec<Due> = last
            .flat_map(|turn| {
                turn.deadlines.iter().map(|deadline| Due {
                    at: deadline.at,
                    session: turn.session.id.clone(),
                    kind: deadline.kind,
                })
            })
            .collect();
        due.sort();
        due
    }

    fn census(&self) -> Census {
        let mut census = Census::default();
        for session in SESSIONS.map(SessionId::new) {
            let Some(turn) = self.of(&session).last() else {
                continue;
            };
            census.handed_off += u64::from(turn.session.handoff().is_some());
            if turn.session.status == Status::Open {
                let version = turn.session.project.clone();
                *census.open.entry(version).or_default() += 1;
            }
        }
        census
    }

    fn is_unfinished(&self, session: &SessionId) -> bool {
        let last = self.of(session).last();
        last.is_some_and(|turn| turn.session.handoff().is_some())
            || !self.pending(session).is_empty()
    }
}

async fn apply(store: &dyn Store, model: &mut Model, deed: Deed) {
    let ids = |session, effects: Vec<(u64, usize)>| -> Vec<EffectId> {
        let ids = effects.into_iter();
        ids.map(|(revision, number)| effect(session, revision, number))
            .collect()
    };
    match deed {
        Deed::Append {
            session,
            off,
            input,
            asks,
            due,
            with_agent,
            closes,
            remembers,
            settles,
        } => {
            let before = model.of(&SessionId::new(session)).count() as u64;
            let mut next = turn(session, before + off).input(&format!("input-{input}"));
            // Two sessions share a version.
            next = next.of_version(if session == "a" { "old" } else { "new" });
            for _ in 0..asks {
                next = next.asks("x");
            }
            for (kind, at) in due {
                next = next.due(kind, at);
            }
            if with_agent {
                next = next.with_agent();
            }
            if let Some(at) = closes {
                next = next.closes(at);
            }
            for (key, value) in remembers {
                next = next.remembers(key, value);
            }
            let next = next.done();
            let settles = ids(session, settles);
            let got = match store.append(Arc::clone(&next), &settles).await {
                Ok(()) => Outcome::Taken,
                Err(AppendError::Conflict { found, .. }) => Outcome::Conflict(found),
                Err(AppendError::Duplicate(_)) => Outcome::Duplicate,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(got, model.append(next, &settles));
        }
        Deed::Settle { session, effects } => {
            let effects = ids(session, effects);
            let session = SessionId::new(session);
            store.settle(&session, &effects).await.expect("settles");
            model.settle(&session, &effects);
        }
        Deed::Forget { session } => {
            let session = SessionId::new(session);
            let forgotten = store.forget(&session).await.expect("answers");
            assert_eq!(forgotten, model.forget(&session));
        }
        Deed::Reopen => unreachable!("it is done to the store as a whole"),
    }
}

/// Turns as data, to be compared.
fn data<'t>(turns: impl IntoIterator<Item = &'t Arc<Turn>>) -> Vec<Value> {
    let turns = turns.into_iter();
    turns.map(|turn| as_kept(turn)).collect()
}

/// Compares what is told of some sessions, and of all of them together.
async fn compare(store: &dyn Store, model: &Model, sessions: &[&str]) {
    for name in sessions {
        let id = SessionId::new(*name);
        let loaded = store.load(&id).await.expect("reads");
        let last = model.of(&id).last();
        assert_eq!(
            loaded.map(|session| session.revision),
            last.map(|turn| turn.session.revision)
        );
        let lines = store.transcript(&id, 3).await.expect("reads");
        let said = model.of(&id).flat_map(|turn| &turn.said);
        let said: Vec<_> = said.cloned().collect();
        assert_eq!(lines, said[said.len().saturating_sub(3)..]);
        let shown = model.of(&id).flat_map(|turn| turn.user_events());
        let shown: Vec<_> = shown.collect();
        for after in [Position::default()]
            .into_iter()
            .chain(shown.iter().map(|it| it.position))
        {
            let wanted: Vec<_> = shown
                .iter()
                .filter(|it| it.position > after)
                .take(2)
                .cloned()
                .collect();
            assert_eq!(store.events(&id, after, 2).await.expect("reads"), wanted);
            assert_eq!(
                store.has_event(&id, after).await.expect("reads"),
                after != Position::default()
            );
        }
        let pending = store.pending_effects(&id).await.expect("reads");
        let pending: Vec<EffectId> = pending.into_iter().map(|effect| effect.id).collect();
        assert_eq!(pending, model.pending(&id));
        for from in [0, 2, 4] {
            let journal = store
                .journal(&id, Revision(from), usize::MAX)
                .await
                .expect("reads");
            let wanted = model.of(&id).filter(|turn| turn.session.revision.0 >= from);
            assert_eq!(data(&journal), data(wanted));
        }
        for input in (0..12).map(|input| InputId::new(format!("input-{input}"))) {
            let known = store.has_input(&id, &input).await.expect("reads");
            assert_eq!(known, model.of(&id).any(|turn| turn.input.id == input));
        }
    }
    let ids = SESSIONS.map(SessionId::new);
    let unfinished = ids.iter().filter(|id| model.is_unfinished(id));
    let unfinished: Vec<SessionId> = unfinished.cloned().collect();
    let mut found = store.unfinished().await.expect("reads");
    found.sort();
    assert_eq!(found, unfinished);
    assert_eq!(store.census().await.expect("reads"), model.census());
    let deadlines = model.deadlines();
    let next = store.next_due().await.expect("reads");
    assert_eq!(next, deadlines.first().map(|due| due.at));
    for (now, limit) in [(0, 9), (10, 2), (10, 9), (19, 1), (u64::MAX, 9)] {
        let due = store.due(Timestamp(now), limit).await.expect("reads");
        let wanted = deadlines.iter().filter(|due| due.at.0 <= now).take(limit);
        assert_eq!(due, wanted.cloned().collect::<Vec<_>>());
    }
    let over = |id| model.over_since(id).map(|at| (at, id));
    let mut over: Vec<(Timestamp, &SessionId)> = ids.iter().filter_map(over).collect();
    over.sort();
    for (before, limit) in [(0, 9), (10, 1), (10, 9), (u64::MAX, 2)] {
        let before = Timestamp(before);
        let closed = store.closed_before(before, limit).await.expect("reads");
        let wanted = over.iter().filter(|(at, _)| *at < before).take(limit);
        let wanted: Vec<SessionId> = wanted.map(|(_, id)| (*id).clone()).collect();
        assert_eq!(closed, wanted);
    }
}

/// Checks a store in a new place against the model, case after case.
pub(crate) fn as_if_kept_in_lists<S: Store, P: Fn(Option<S>) -> S>(place: impl Fn() -> P) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("builds");
    // Enough to find what was planted, and quick on a store that opens anew each time.
    let cases = ProptestConfig::with_cases(128);
    proptest!(cases, |(deeds in prop::collection::vec(deed(), 1..24))| {
        runtime.block_on(async {
            let open = place();
            let mut store = open(None);
            let mut model = Model::default();
            for deed in deeds {
                let changed = deed.session();
                match deed {
                    Deed::Reopen => store = open(Some(store)),
                    deed => apply(&store, &mut model, deed).await,
                }
                compare(&store, &model, changed.as_slice()).await;
            }
            compare(&store, &model, &SESSIONS).await;
        });
    });
}
