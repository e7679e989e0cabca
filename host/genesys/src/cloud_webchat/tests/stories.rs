//! Property tests: whatever gets lost on the way, the story that is told is the one that happened.

use super::bench::{Bench, Fate, Way, effect};
use super::hall::Hall;
use crate::transport::Command;
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::time::Millis;
use proptest::prelude::*;

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Fine),
        1 => Just(Fate::LostOnTheWayThere),
        1 => Just(Fate::LostOnTheWayBack),
        1 => Just(Fate::Limited),
    ];
    prop::collection::vec(fate, 0..40)
}

fn ways() -> impl Strategy<Value = Vec<Way>> {
    let way = prop_oneof![
        3 => Just(Way::Straight),
        1 => Just(Way::Lost),
        1 => Just(Way::Twice),
        1 => Just(Way::Late),
    ];
    prop::collection::vec(way, 0..60)
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

fn told_once(bench: &Bench) -> bool {
    let keys = sorted(bench.keys.clone());
    keys.windows(2).all(|pair| pair[0] != pair[1])
}

proptest! {
    /// Texts go both ways while answers and frames are lost and the host restarts at any point; the
    /// caller gives unsettled says again, as it must.
    #[test]
    fn nothing_is_lost_or_doubled_by_losses_and_restarts(
        fates in fates(),
        ways in ways(),
        restarts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut bench = Bench::answered();
        let texts = ["a", "b", "a", "a", "c"];
        let restarts: Vec<_> = restarts.iter().map(|at| at.index(40)).collect();
        let mut ways = ways.into_iter();
        for (n, text) in texts.iter().enumerate() {
            bench.say(n, text);
        }
        for (n, fate) in fates.into_iter().enumerate() {
            if n % 4 == 0 {
                bench.happens(|hall| hall.says(&format!("answer {n}")));
            }
            bench.deliver(&mut ways);
            bench.step(fate);
            if restarts.contains(&n) {
                bench.restart();
                for (n, text) in texts.iter().enumerate() {
                    if !bench.settled.contains(&effect(n)) {
                        bench.say(n, text);
                    }
                }
            }
        }
        bench.pass(Millis::from_mins(5));
        prop_assert_eq!(bench.hall.user_said(), texts);
        prop_assert_eq!(sorted(bench.settled.clone()), (0..texts.len()).map(effect).collect::<Vec<_>>());
        let said: Vec<_> = bench.hall.agents_said.iter().map(String::as_str).collect();
        prop_assert_eq!(sorted(bench.heard()), sorted(said));
        prop_assert_eq!(bench.end(), None);
        prop_assert!(told_once(&bench), "{:?}", bench.keys);
        bench.happens(Hall::close);
        bench.settle();
        prop_assert_eq!(bench.end(), Some(&HandoffEnd::agent_left()));
    }

    /// Frames that come twice or swapped, but come, are told in the order in which things were said.
    #[test]
    fn doubled_and_swapped_frames_show_nowhere(
        bursts in prop::collection::vec(1_usize..4, 1..8),
        ways in ways(),
    ) {
        let mut bench = Bench::answered();
        let mut ways = ways.into_iter().filter(|way| *way != Way::Lost);
        for burst in bursts {
            for n in 0..burst {
                let text = format!("text {n} of {burst}");
                bench.happens(|hall| hall.says(&text));
            }
            bench.deliver(&mut ways);
            bench.pass(Millis::from_secs(1));
        }
        let said: Vec<_> = bench.hall.agents_said.iter().map(String::as_str).collect();
        prop_assert_eq!(bench.heard(), said);
    }

    /// Whatever agents do, and whatever becomes of the frames that tell of it: no false end, no missed
    /// end, everyone who answered is told once, and nobody else.
    #[test]
    fn any_story_of_agents_ends_once_and_names_everyone(
        acts in prop::collection::vec((any::<u8>(), any::<bool>(), 0_u64..20), 1..14),
        fates in fates(),
        ways in ways(),
        restart in any::<prop::sample::Index>(),
    ) {
        let mut bench = Bench::queued();
        let restart = restart.index(acts.len());
        let mut ways = ways.into_iter();
        let mut fates = fates.into_iter();
        for (n, (choice, pause, seconds)) in acts.into_iter().enumerate() {
            bench.happens(|hall| hall.act(choice));
            if pause {
                bench.deliver(&mut ways);
                let until = bench.now + Millis::from_secs(seconds);
                while bench.now < until {
                    bench.step(fates.next().unwrap_or(Fate::Fine));
                }
            }
            if n == restart {
                bench.restart();
            }
            prop_assert_eq!(bench.end(), None);
        }
        bench.happens(|hall| {
            if hall.joined.is_empty() {
                hall.ring();
                hall.accept();
            }
        });
        let talking = bench.hall.is_talking();
        bench.happens(Hall::close);
        bench.deliver(&mut ways);
        bench.pass(Millis::from_mins(5));
        let end = bench.end().cloned();
        prop_assert_eq!(end.as_ref().map(|end| end.reason), Some(HandoffEnd::agent_left().reason));
        if talking {
            prop_assert_eq!(end, Some(HandoffEnd::agent_left()));
        }
        let joined: Vec<_> = bench.hall.joined.iter().map(String::as_str).collect();
        prop_assert_eq!(sorted(bench.joined()), sorted(joined));
        let said: Vec<_> = bench.hall.agents_said.iter().map(String::as_str).collect();
        prop_assert_eq!(sorted(bench.heard()), sorted(said));
        prop_assert!(told_once(&bench), "{:?}", bench.keys);
    }

    /// What comes before leaving may fail for good; leaving itself is then still tried.
    #[test]
    fn a_chat_that_cannot_be_read_is_left_all_the_same(acts in 4_usize..8) {
        let mut bench = Bench::queued();
        bench.command(Command::Leave);
        for _ in 0..acts {
            bench.happens(|hall| hall.act(0));
            bench.deliver(&mut std::iter::empty());
            bench.step(Fate::LostOnTheWayThere);
        }
        bench.pass(Millis::from_mins(5));
        prop_assert!(bench.hall.is_over());
        prop_assert_eq!(bench.leaves_lost, 0);
        prop_assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
    }

    /// The user leaves at any point of any story: that is how it ended, whatever agents did meanwhile.
    #[test]
    fn whoever_leaves_has_left(
        acts in prop::collection::vec(any::<u8>(), 0..8),
        fates in fates(),
        after in 0_usize..8,
    ) {
        let mut bench = Bench::queued();
        let mut fates = fates.into_iter();
        for (n, choice) in acts.into_iter().enumerate() {
            if n == after {
                bench.command(Command::Leave);
            }
            if !bench.hall.is_over() {
                bench.happens(|hall| hall.act(choice));
            }
            bench.deliver(&mut std::iter::empty());
            bench.step(fates.next().unwrap_or(Fate::Fine));
        }
        bench.command(Command::Leave);
        bench.pass(Millis::from_mins(5));
        // Genesys is told, or whoever reads the session that it could not be, however often it was tried.
        let told = !bench.notices().contains(&"genesys.customer_not_disconnected");
        prop_assert_eq!(bench.hall.is_over(), told);
        prop_assert!(told || bench.leaves_lost >= 4);
        prop_assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
        let ended = |signal: &&Signal| matches!(signal, Signal::Ended(_));
        prop_assert_eq!(bench.seen.iter().filter(ended).count(), 1);
    }
}
