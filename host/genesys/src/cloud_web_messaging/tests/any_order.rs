//! Whatever happens in whatever order: everything once, and one end.

use super::super::trouble::Trouble;
use super::bench::{Bench, Fate, PLAIN};
use super::centre::Ways;
use crate::transport::Command;
use handoff_engine::handoff::SessionEndReason;
use handoff_engine::time::Millis;
use proptest::prelude::*;

/// One thing that happens next.
#[derive(Clone, Debug)]
enum Move {
    Step(Fate),
    Agents(u8),
    /// A frame arrives, perhaps one of the later ones, perhaps to come again.
    Mail {
        which: prop::sample::Index,
        again: bool,
    },
    LostMail(prop::sample::Index),
    LostSocket,
    Restart,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let fate = prop_oneof![
        6 => Just(Fate::Fine),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::AnswerLost),
    ];
    let one = prop_oneof![
        10 => fate.prop_map(Move::Step),
        3 => any::<u8>().prop_map(Move::Agents),
        8 => (any::<prop::sample::Index>(), prop::bool::weighted(0.2))
            .prop_map(|(which, again)| Move::Mail { which, again }),
        1 => any::<prop::sample::Index>().prop_map(Move::LostMail),
        1 => Just(Move::LostSocket),
        1 => Just(Move::Restart),
    ];
    prop::collection::vec(one, 0..120)
}

fn ways() -> impl Strategy<Value = Ways> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(auto_start, clear, read_only)| Ways {
        auto_start,
        clear,
        read_only,
    })
}

fn play(bench: &mut Bench, moves: Vec<Move>, texts: &[&str]) {
    for one in moves {
        match one {
            Move::Step(fate) => {
                bench.step(fate);
            }
            Move::Agents(choice) => {
                let now = bench.now;
                bench.centre.act(choice, now);
            }
            Move::Mail { which, again } if !bench.centre.mail.is_empty() => {
                let at = which.index(bench.centre.mail.len());
                bench.deliver(at, again);
            }
            Move::LostMail(which) if !bench.centre.mail.is_empty() => {
                let at = which.index(bench.centre.mail.len());
                bench.centre.mail.remove(at);
            }
            Move::Mail { .. } | Move::LostMail(_) => {}
            Move::LostSocket => bench.lose_socket(),
            Move::Restart => bench.restart(texts),
        }
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

proptest! {
    #[test]
    fn whatever_is_lost_doubled_or_late_everything_is_told_once_and_it_ends_once(
        moves in moves(), ways in ways(),
    ) {
        let texts = ["a", "b", "a", "a", "c"];
        let mut bench = Bench::opened(ways);
        for (n, text) in texts.iter().enumerate() {
            bench.say(n, text);
        }
        play(&mut bench, moves, &texts);
        prop_assert_eq!(bench.end(), None, "{:#?}", bench.seen);

        bench.run_for(Millis::from_mins(12));
        prop_assert_eq!(bench.end(), None, "{:#?}", bench.seen);
        prop_assert_eq!(bench.centre.user_said(), ["Help", "a", "b", "a", "a", "c"]);
        prop_assert_eq!(bench.settled.len(), texts.len());
        prop_assert_eq!(sorted(bench.heard()), sorted(bench.centre.agents_said.clone()));

        let now = bench.now;
        bench.centre.says("Kim", "bye", now);
        bench.centre.close(now);
        bench.centre.mail.clear();
        bench.run_for(Millis::from_mins(12));
        prop_assert_eq!(bench.end().map(|end| end.reason), Some(SessionEndReason::AgentLeft));
        prop_assert_eq!(sorted(bench.heard()), sorted(bench.centre.agents_said.clone()));
        bench.no_repeats();
    }

    #[test]
    fn it_ends_once_when_it_ends_in_the_middle_of_things(
        before in moves(), after in moves(), ways in ways(),
    ) {
        let texts = ["a", "b"];
        let mut bench = Bench::opened(ways);
        for (n, text) in texts.iter().enumerate() {
            bench.say(n, text);
        }
        play(&mut bench, before, &texts);
        let now = bench.now;
        bench.centre.close(now);
        let after: Vec<_> = after
            .into_iter()
            .filter(|it| !matches!(it, Move::Agents(_)))
            .collect();
        play(&mut bench, after, &texts);
        bench.run_for(Millis::from_mins(12));
        let reason = bench.end().map(|end| end.reason);
        prop_assert_eq!(reason, Some(SessionEndReason::AgentLeft), "{:#?}", bench.seen);
        prop_assert_eq!(bench.settled.len(), texts.len());
        prop_assert_eq!(sorted(bench.heard()), sorted(bench.centre.agents_said.clone()));
        bench.no_repeats();
    }

    #[test]
    fn the_user_can_leave_at_any_point(
        moves in moves(), ways in ways(), before_open in any::<bool>(),
    ) {
        let mut bench = if before_open { Bench::new(ways) } else { Bench::opened(ways) };
        play(&mut bench, moves, &[]);
        if bench.end().is_some() {
            // Nothing opened because every attempt failed; there is nothing to leave.
            return Ok(());
        }
        bench.command(Command::Leave);
        bench.run_for(Millis::from_mins(8));
        prop_assert_eq!(bench.end().map(|end| end.reason), Some(SessionEndReason::UserLeft));
        if !before_open {
            prop_assert_eq!(sorted(bench.heard()), sorted(bench.centre.agents_said.clone()));
        }
        let silent = !bench.centre.knows_the_user();
        let session = bench.centre.session();
        if ways.clear {
            prop_assert!(silent || session.cleared);
        } else {
            prop_assert!(silent || session.read_only);
        }
    }
}

#[test]
fn texts_keep_their_pace() {
    let mut bench = Bench::opened(PLAIN);
    for n in 0..20 {
        bench.say(n, "quick");
    }
    bench.run_for(Millis::from_mins(1));
    assert_eq!(bench.settled.len(), 20);
    assert_eq!(bench.centre.limited, 0);
}

#[test]
fn a_host_without_a_network_says_so_and_gives_up_only_before_anything_was_said() {
    let mut bench = Bench::new(PLAIN);
    for _ in 0..200 {
        if !bench.step(Fate::NotSent) {
            break;
        }
    }
    let unreachable = Trouble::Unreachable { why: String::new() };
    assert_eq!(bench.error().as_deref(), Some(unreachable.code()));

    let mut bench = Bench::opened(PLAIN);
    bench.lose_socket();
    for _ in 0..600 {
        bench.step(Fate::NotSent);
    }
    assert_eq!(bench.end(), None);
    assert_eq!(bench.notices(), ["genesys.connection_lost"]);
    bench.say(1, "Still there?");
    bench.run_for(Millis::from_mins(2));
    assert_eq!(bench.centre.user_said(), ["Help", "Still there?"]);
}
