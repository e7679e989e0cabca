//! Tries ways, and shows the shortest one that fails.

use super::player::{Record, Subject, play};
use super::story::Story;
use super::verdict::judge;
use super::way::{PACES, Way, any_way, factorial, permutation};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Stories of up to this many events are played in every order.
const EXHAUSTIVE: usize = 7;

/// Stories of up to this many events are played with every choice of lost events.
const SUBSETS: usize = 10;

/// Every order of a story's events, at each pace; with every so many a restart or a lost answer at
/// another place. A story of more than [`EXHAUSTIVE`] events is sampled instead.
pub(crate) fn every_order<S: Subject>(story: &Story) {
    let events = events_of::<S>(story);
    if events > EXHAUSTIVE {
        return sampled::<S>(story);
    }
    for number in 0..factorial(events) {
        for (turn, pace) in PACES.into_iter().enumerate() {
            check::<S>(
                story,
                Way {
                    order: permutation(events, number),
                    restart: at(number + turn, events + 2),
                    lost: at(number / 3, 17),
                    ..Way::plain(events, pace)
                },
            );
        }
    }
}

/// Every choice of events that never come, with each of the others doubled, in some order.
pub(crate) fn every_loss<S: Subject>(story: &Story) {
    let events = events_of::<S>(story);
    let known = events.min(SUBSETS);
    for missing in 0_usize..1 << known {
        let comes = |event: &usize| *event >= known || missing & (1 << event) == 0;
        for doubled in 0..=events {
            let number = (missing * (events + 1) + doubled).wrapping_mul(0x9e37_79b1);
            let mut order = permutation(events, number % factorial(events.min(15)));
            order.retain(comes);
            if let Some(place) = order.iter().position(|event| *event == doubled) {
                order.insert((place + number % 3).min(order.len()), doubled);
            } else if doubled < events {
                continue;
            }
            check::<S>(
                story,
                Way {
                    order,
                    restart: at(number / 5, events + 2),
                    lost: at(number / 7, 17),
                    ..Way::plain(events, PACES[number / 11 % 2])
                },
            );
        }
    }
}

/// Some ways of any kind.
pub(crate) fn sampled<S: Subject>(story: &Story) {
    let events = events_of::<S>(story);
    let mut runner = TestRunner::new(Config {
        cases: 1_500,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&any_way(events), |way| {
        judge::<S>(&play::<S>(story, &way), &way).map_err(TestCaseError::fail)
    });
    if let Err(proptest::test_runner::TestError::Fail(_, way)) = &outcome {
        check::<S>(story, way.clone());
    }
    outcome.expect("every way is played to its end");
}

/// The number, if it is one of a few; so that most ways go without.
fn at(number: usize, of: usize) -> Option<usize> {
    Some(number % (of * 2)).filter(|number| *number < of)
}

fn events_of<S: Subject>(story: &Story) -> usize {
    let way = Way::plain(0, PACES[1]);
    play::<S>(story, &way).events
}

fn check<S: Subject>(story: &Story, way: Way) {
    let fails = |way: &Way| {
        let record = play::<S>(story, way);
        judge::<S>(&record, way).err().map(|why| (why, record))
    };
    let Some(mut failure) = fails(&way) else {
        return;
    };
    let events = failure.1.events;
    let mut way = way;
    while let Some((simpler, worse)) = (way.simpler(events).into_iter())
        .find_map(|simpler| fails(&simpler).map(|failure| (simpler, failure)))
    {
        way = simpler;
        failure = worse;
    }
    let (why, record) = failure;
    panic!("{}", report(story, &way, &why, &record));
}

fn report(story: &Story, way: &Way, why: &str, record: &Record) -> String {
    format!(
        "{}: {why}\n{way:?}\n{}\n",
        story.name,
        record.diary.join("\n")
    )
}
