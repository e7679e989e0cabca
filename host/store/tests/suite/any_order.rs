//! Random appends and settlements, and beside the store a model of it: plain lists, searched from
//! end to end.

use super::{effect, turn};
use handoff_engine::name::{EffectId, InputId, Revision, SessionId};
use handoff_engine::session::{DeadlineKind, Turn};
use handoff_engine::time::Timestamp;
use handoff_store::{AppendError, Due, Store};
use proptest::prelude::*;
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
        settles: Vec<(u64, usize)>,
    },
    Settle {
        session: &'static str,
        effects: Vec<(u64, usize)>,
    },
}

fn session_name() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("b"), Just("c")]
}

fn settled() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((1..8_u64, 1..4_usize), 0..4)
}

fn due() -> impl Strategy<Value = Vec<(DeadlineKind, u64)>> {
    let kinds = [
        DeadlineKind::Inactivity,
        DeadlineKind::Node,
        DeadlineKind::NoAgent,
    ];
    let one = |kind| prop::option::of(0..20_u64).prop_map(move |at| at.map(|at| (kind, at)));
    kinds
        .map(one)
        .prop_map(|due| due.into_iter().flatten().collect())
}

fn deed() -> impl Strategy<Value = Deed> {
    let off = prop_oneof![8 => Just(1), 1 => Just(0), 1 => Just(2)];
    let append = (
        session_name(),
        off,
        any::<u8>(),
        0..4_usize,
        due(),
        any::<bool>(),
        settled(),
    );
    let append =
        append.prop_map(
            |(session, off, input, asks, due, with_agent, settles)| Deed::Append {
                session,
                off,
                input: input % 32,
                asks,
                due,
                with_agent,
                settles,
            },
        );
    let settle = (session_name(), settled());
    let settle = settle.prop_map(|(session, effects)| Deed::Settle { session, effects });
    prop_oneof![4 => append, 1 => settle]
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
        self.settle(id, settled);
        self.turns.push(turn);
        Outcome::Taken
    }

    fn settle(&mut self, session: &SessionId, effects: &[EffectId]) {
        let pending = self.pending(session);
        let settled = effects.iter().filter(|id| pending.contains(id));
        self.settled.extend(settled.cloned());
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
            settles,
        } => {
            let before = model.of(&SessionId::new(session)).count() as u64;
            let mut next = turn(session, before + off).input(&format!("input-{input}"));
            for _ in 0..asks {
                next = next.asks("x");
            }
            for (kind, at) in due {
                next = next.due(kind, at);
            }
            if with_agent {
                next = next.with_agent();
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
    }
}

async fn compare(store: &dyn Store, model: &Model) {
    let mut unfinished = Vec::new();
    for name in ["a", "b", "c"] {
        let id = SessionId::new(name);
        let loaded = store.load(&id).await.expect("reads");
        let last = model.of(&id).last();
        assert_eq!(
            loaded.map(|session| session.revision),
            last.map(|turn| turn.session.revision)
        );
        let pending = store.pending_effects(&id).await.expect("reads");
        let pending: Vec<EffectId> = pending.into_iter().map(|effect| effect.id).collect();
        assert_eq!(pending, model.pending(&id));
        for from in [0, 2, 4] {
            let journal = store.journal(&id, Revision(from)).await.expect("reads");
            let got: Vec<&InputId> = journal.iter().map(|turn| &turn.input.id).collect();
            let wanted = model.of(&id).filter(|turn| turn.session.revision.0 >= from);
            let wanted: Vec<&InputId> = wanted.map(|turn| &turn.input.id).collect();
            assert_eq!(got, wanted);
        }
        for input in (0..32).map(|input| InputId::new(format!("input-{input}"))) {
            let known = store.has_input(&id, &input).await.expect("reads");
            assert_eq!(known, model.of(&id).any(|turn| turn.input.id == input));
        }
        if model.is_unfinished(&id) {
            unfinished.push(id);
        }
    }
    let mut found = store.unfinished().await.expect("reads");
    found.sort();
    assert_eq!(found, unfinished);
    let deadlines = model.deadlines();
    let next = store.next_due().await.expect("reads");
    assert_eq!(next, deadlines.first().map(|due| due.at));
    for (now, limit) in [(0, 9), (10, 2), (10, 9), (19, 1), (u64::MAX, 9)] {
        let due = store.due(Timestamp(now), limit).await.expect("reads");
        let wanted = deadlines.iter().filter(|due| due.at.0 <= now).take(limit);
        assert_eq!(due, wanted.cloned().collect::<Vec<_>>());
    }
}

/// Checks a fresh store against the model, case after case.
pub(crate) fn as_if_kept_in_lists<S: Store>(fresh: impl Fn() -> S) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("builds");
    proptest!(|(deeds in prop::collection::vec(deed(), 1..24))| {
        runtime.block_on(async {
            let store = fresh();
            let mut model = Model::default();
            for deed in deeds {
                apply(&store, &mut model, deed).await;
                compare(&store, &model).await;
            }
        });
    });
}
