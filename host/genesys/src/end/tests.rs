use super::*;
use handoff_engine::handoff::SessionEndReason;
use proptest::prelude::*;

fn agent(name: &str) -> Agent {
    Agent {
        id: None,
        name: name.to_owned(),
    }
}

fn alerting(leg: &str) -> Observation {
    Observation::Alerting {
        leg: LegId::new(leg),
        agent: Some(agent(leg)),
    }
}

fn connected(leg: &str) -> Observation {
    Observation::Connected {
        leg: LegId::new(leg),
        agent: agent(leg),
    }
}

fn gone(leg: &str, departure: Departure) -> Observation {
    Observation::Gone {
        leg: LegId::new(leg),
        agent: Some(agent(leg)),
        departure,
    }
}

fn queued(key: &str) -> Observation {
    Observation::Queued {
        key: key.to_owned(),
        queue: Some(key.to_owned()),
    }
}

fn acw(leg: &str) -> Observation {
    Observation::AfterCallWork {
        leg: LegId::new(leg),
    }
}

/// One thing an agent side does, as the observations it gives rise to.
#[derive(Clone, Debug)]
enum Episode {
    Declined,
    TransferredToQueue,
    TransferredToAgent,
}

fn story(episodes: &[Episode]) -> (Vec<Observation>, Vec<String>) {
    let mut seen = vec![queued("q")];
    let mut joined = Vec::new();
    for (n, episode) in episodes.iter().enumerate() {
        let name = format!("agent {n}");
        seen.push(alerting(&name));
        match episode {
            Episode::Declined => seen.push(gone(&name, Departure::Declined)),
            Episode::TransferredToQueue => seen.extend([
                connected(&name),
                gone(&name, Departure::Transferred),
                acw(&name),
                queued(&format!("q{n}")),
            ]),
            Episode::TransferredToAgent => seen.extend([
                connected(&name),
                gone(&name, Departure::Transferred),
                acw(&name),
            ]),
        }
        if !matches!(episode, Episode::Declined) {
            joined.push(name);
        }
    }
    (seen, joined)
}

fn episodes() -> impl Strategy<Value = Vec<Episode>> {
    prop::collection::vec(
        prop_oneof![
            Just(Episode::Declined),
            Just(Episode::TransferredToQueue),
            Just(Episode::TransferredToAgent)
        ],
        0..6,
    )
}

/// Repeats some observations, shuffles all and cuts them into batches.
fn any_order(seen: Vec<Observation>) -> impl Strategy<Value = Vec<Vec<Observation>>> {
    let repeats = prop::collection::vec(0..seen.len(), 0..8);
    (Just(seen), repeats)
        .prop_flat_map(|(mut seen, repeats)| {
            let repeated: Vec<_> = repeats.into_iter().map(|at| seen[at].clone()).collect();
            seen.extend(repeated);
            let cuts = prop::collection::vec(any::<bool>(), seen.len());
            (Just(seen).prop_shuffle(), cuts)
        })
        .prop_map(|(seen, cuts)| {
            let mut batches = vec![Vec::new()];
            for (observation, cut) in seen.into_iter().zip(cuts) {
                if cut {
                    batches.push(Vec::new());
                }
                batches
                    .last_mut()
                    .expect("there is always a batch")
                    .push(observation);
            }
            batches
        })
}

fn ends(signals: &[Signal]) -> usize {
    signals
        .iter()
        .filter(|signal| matches!(signal, Signal::Ended(_)))
        .count()
}

fn joined(signals: &[Signal]) -> Vec<String> {
    let mut names: Vec<_> = signals
        .iter()
        .filter_map(|signal| match signal {
            Signal::AgentJoined { agent } => Some(agent.name.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    names
}

proptest! {
    #[test]
    fn declines_transfers_and_after_call_work_end_nothing_in_any_order(
        (batches, names) in episodes().prop_flat_map(|episodes| {
            let (seen, names) = story(&episodes);
            (any_order(seen), Just(names))
        })
    ) {
        let mut end = EndOfHandoff::default();
        let mut signals = Vec::new();
        for batch in batches {
            signals.extend(end.observe(batch));
        }
        prop_assert_eq!(ends(&signals), 0);
        prop_assert_eq!(joined(&signals), names);
    }

    #[test]
    fn the_agents_close_ends_it_once_whatever_came_before_in_whatever_order(
        (batches, names) in episodes().prop_flat_map(|episodes| {
            let (mut seen, mut names) = story(&episodes);
            seen.extend([alerting("last"), connected("last")]);
            names.push("last".to_owned());
            (any_order(seen), Just(names))
        }),
        late in prop::collection::vec(0..4usize, 0..4),
    ) {
        let mut end = EndOfHandoff::default();
        let mut signals = Vec::new();
        for batch in batches {
            signals.extend(end.observe(batch));
        }
        prop_assert_eq!(ends(&signals), 0);
        signals.extend(end.observe([
            Observation::Closed,
            acw("last"),
            gone("last", Departure::Disconnected),
        ]));
        prop_assert_eq!(joined(&signals), names);
        let ended = matches!(
            signals.last(),
            Some(Signal::Ended(HandoffEnd { reason: SessionEndReason::AgentLeft, detail: None }))
        );
        prop_assert!(ended, "{:?}", signals.last());
        let repeats = [Observation::Closed, acw("last"), connected("last"), Observation::LeaveAsked];
        for at in late {
            prop_assert_eq!(end.observe([repeats[at].clone()]), vec![]);
        }
        prop_assert_eq!(ends(&signals), 1);
    }

    #[test]
    fn a_leg_that_joined_and_then_left_is_told_in_that_order(
        batches in any_order(vec![
            alerting("a"), connected("a"), gone("a", Departure::Transferred), connected("b"),
        ])
    ) {
        let mut end = EndOfHandoff::default();
        let signals: Vec<_> = batches.into_iter().flat_map(|batch| end.observe(batch)).collect();
        let place = |wanted: &Signal| signals.iter().position(|signal| signal == wanted);
        let joined = place(&Signal::AgentJoined { agent: agent("a") });
        let left = place(&Signal::AgentLeft { agent: agent("a") });
        prop_assert!(joined.is_some() && joined < left, "{:?}", signals);
        prop_assert_eq!(end.connected_agent(), Some(&agent("b")));
    }
}

#[test]
fn a_conversation_closed_without_any_answer_is_an_error() {
    let mut end = EndOfHandoff::default();
    end.observe([queued("q"), alerting("a"), gone("a", Departure::Declined)]);
    let signals = end.observe([Observation::Closed]);
    let [Signal::Ended(over)] = signals.as_slice() else {
        panic!("{signals:?}")
    };
    assert_eq!(over.reason, SessionEndReason::Error);
    assert_eq!(
        over.detail.as_ref().map(|detail| detail.code.as_str()),
        Some("transfer.no_agent")
    );
}

#[test]
fn a_close_after_we_asked_to_leave_is_the_users_leaving() {
    let mut end = EndOfHandoff::default();
    end.observe([connected("a")]);
    assert_eq!(end.observe([Observation::LeaveAsked]), vec![]);
    let signals = end.observe([Observation::Closed, gone("a", Departure::Disconnected)]);
    assert_eq!(signals, vec![Signal::Ended(HandoffEnd::user_left())]);
}

#[test]
fn a_disconnect_is_told_as_a_departure_once_the_handoff_is_seen_to_go_on() {
    let mut end = EndOfHandoff::default();
    end.observe([connected("a")]);
    assert_eq!(end.observe([gone("a", Departure::Disconnected)]), vec![]);
    let signals = end.observe([queued("q2")]);
    assert_eq!(
        signals,
        vec![
            Signal::AgentLeft { agent: agent("a") },
            Signal::Queued {
                queue: Some("q2".to_owned())
            }
        ]
    );
}

#[test]
fn a_close_in_the_queue_after_a_transfer_is_the_agents_with_a_detail() {
    let mut end = EndOfHandoff::default();
    end.observe([
        connected("a"),
        gone("a", Departure::Transferred),
        queued("q2"),
    ]);
    let signals = end.observe([Observation::Closed]);
    let Some(Signal::Ended(over)) = signals.last() else {
        panic!("{signals:?}")
    };
    assert_eq!(over.reason, SessionEndReason::AgentLeft);
    assert!(over.detail.is_some());
}

/// What each transport observes of a decline, a transfer and a close, before the close itself.
fn seen_by_each_transport() -> [Vec<Observation>; 3] {
    let platform = vec![
        queued("q"),
        alerting("a"),
        gone("a", Departure::Declined),
        connected("b"),
        gone("b", Departure::Transferred),
        connected("c"),
        acw("c"),
    ];
    let engage = vec![
        queued("q"),
        connected("b"),
        gone("b", Departure::Transferred),
        queued("q2"),
        connected("c"),
    ];
    let words_alone = vec![
        connected("b"),
        gone("b", Departure::Transferred),
        connected("c"),
    ];
    [platform, engage, words_alone]
}

#[test]
fn every_order_of_what_a_transport_observes_ends_once_and_last() {
    use crate::interleavings::way::{factorial, permutation};
    for seen in seen_by_each_transport() {
        let close = [Observation::Closed, gone("c", Departure::Disconnected)];
        for number in 0..factorial(seen.len()) {
            let order = permutation(seen.len(), number);
            let mut end = EndOfHandoff::default();
            let mut signals = Vec::new();
            for at in &order {
                signals.extend(end.observe([seen[*at].clone()]));
                // A repeat, and a host that takes over, change nothing.
                let handle = serde_json::to_value(&end).expect("a handle");
                end = serde_json::from_value(handle).expect("the same handle");
                assert_eq!(end.observe([seen[*at].clone()]), vec![], "{order:?}");
            }
            assert_eq!(ends(&signals), 0, "{order:?}: {signals:#?}");
            signals.extend(end.observe(close.clone()));
            assert_eq!(joined(&signals), ["b", "c"], "{order:?}");
            let last = Signal::Ended(HandoffEnd::agent_left());
            assert_eq!(signals.last(), Some(&last), "{order:?}");
            for again in seen.iter().chain(&close) {
                assert_eq!(end.observe([again.clone()]), vec![], "{order:?}");
            }
        }
    }
}
