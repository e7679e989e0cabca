//! What agents wrote before the user left is told, whichever way leads out.

use super::bench::{Bench, PLAIN};
use super::centre::Ways;
use crate::transport::Command;
use handoff_engine::handoff::SessionEndReason;
use handoff_engine::time::Millis;

const CLEARED: Ways = Ways {
    clear: true,
    ..PLAIN
};

fn soon() -> Millis {
    Millis::from_secs(10)
}

fn left(bench: &Bench) -> bool {
    bench.end().map(|end| end.reason) == Some(SessionEndReason::UserLeft)
}

/// Whether leaving takes the history with it or not.
#[test]
fn what_was_lost_on_the_way_is_read_before_the_user_is_gone() {
    for ways in [PLAIN, CLEARED] {
        let mut bench = Bench::opened(ways);
        let now = bench.now;
        bench.centre.says("Kim", "One more thing", now);
        bench.centre.mail.clear();
        bench.command(Command::Leave);
        bench.run_for(soon());
        assert_eq!(bench.heard(), ["One more thing"], "{ways:?}");
        assert!(left(&bench), "{ways:?}");
        assert_eq!(bench.centre.session().cleared, ways.clear);
        bench.no_repeats();
    }
}

#[test]
fn a_host_that_takes_over_reads_it_as_well() {
    let mut bench = Bench::opened(CLEARED);
    bench.command(Command::Leave);
    let now = bench.now;
    bench.centre.says("Kim", "One more thing", now);
    bench.restart(&[]);
    bench.run_for(soon());
    assert_eq!(bench.heard(), ["One more thing"]);
    assert!(left(&bench));
}

/// A history that cannot be read keeps nobody from leaving.
#[test]
fn without_a_connection_the_user_is_gone_all_the_same() {
    let mut bench = Bench::opened(CLEARED);
    bench.command(Command::Leave);
    for _ in 0..600 {
        bench.centre.mail.clear();
        if !bench.step(super::bench::Fate::NotSent) {
            break;
        }
    }
    assert!(left(&bench), "{:#?}", bench.seen);
}
