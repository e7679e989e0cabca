//! From what a protocol has to tell to reports that survive a stop between any two of them.
//!
//! One answer of the platform may tell several things. Each becomes a report of its own, and its
//! handle holds what is still untold, so that a resume after any of them tells exactly the rest.

use crate::traffic::Traffic;
use crate::transport::{Report, Reports};
use crate::unreadable::unreadable;
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{EndDetail, Signal, Tally};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::VecDeque;
use std::sync::Arc;

/// Something to tell, and a key that is the same whenever the same thing is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// Unique within the handoff and taken from the wire, for example `participant/{id}/joined`.
    pub(crate) key: String,
    pub(crate) signal: Signal,
}

impl Told {
    pub(crate) fn new(key: impl Into<String>, signal: Signal) -> Self {
        Self {
            key: key.into(),
            signal,
        }
    }
}

/// What a protocol has to say after one input.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) told: Vec<Told>,
    /// Says that are settled by what is told.
    pub(crate) settled: Vec<EffectId>,
    /// How well the platform's messages were in order so far; none if that is not known here.
    pub(crate) tally: Option<Tally>,
    /// Whether the handle differs from the last one reported.
    pub(crate) changed: bool,
}

impl News {
    pub(crate) fn tell(&mut self, key: impl Into<String>, signal: Signal) {
        self.told.push(Told::new(key, signal));
    }

    pub(crate) fn notice(&mut self, key: impl Into<String>, code: &str, message: String) {
        self.tell(
            key,
            Signal::Notice {
                code: code.to_owned(),
                message,
            },
        );
    }

    fn is_empty(&self) -> bool {
        self.told.is_empty() && self.settled.is_empty() && !self.changed
    }
}

/// A handle: the protocol's state, and what was not yet told when it was taken.
#[derive(Debug, Serialize, Deserialize)]
struct Handle<S> {
    state: S,
    serial: u64,
    #[serde(default)]
    tally: Tally,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    untold: VecDeque<Told>,
    /// Says that are settled by the last of what is untold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unsettled: Vec<EffectId>,
}

/// Where one handoff's reports go.
#[derive(Debug)]
pub(crate) struct Outlet {
    handoff: HandoffId,
    reports: Reports,
    clock: Arc<dyn Clock>,
    traffic: Traffic,
    /// Numbers the reports that tell nothing but a new handle.
    serial: u64,
    tally: Tally,
}

impl Outlet {
    pub(crate) fn new(handoff: HandoffId, reports: Reports, clock: Arc<dyn Clock>) -> Self {
        Self {
            handoff,
            reports,
            traffic: Traffic::new(Arc::clone(&clock)),
            clock,
            serial: 0,
            tally: Tally::default(),
        }
    }

    /// Where the exchanges are noted that go with the next report.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Reads a handle and tells what was untold in it. The error ends the handoff.
    pub(crate) fn resume<S: Serialize + DeserializeOwned>(
        &mut self,
        handle: serde_json::Value,
    ) -> Result<S, EndDetail> {
        let handle: Handle<S> = serde_json::from_value(handle).map_err(|why| lost(&why))?;
        self.serial = handle.serial;
        self.tally = handle.tally;
        let news = News {
            told: handle.untold.into(),
            settled: handle.unsettled,
            ..News::default()
        };
        self.report(&handle.state, news);
        Ok(handle.state)
    }

    /// Reports news, with `state` as what to resume from.
    pub(crate) fn report<S: Serialize>(&mut self, state: &S, news: News) {
        if news.is_empty() {
            return;
        }
        self.tally = news.tally.unwrap_or(self.tally);
        let mut untold = VecDeque::from(news.told);
        // Effects settle with the last report: only then is everything that led to it told.
        let mut settled = news.settled;
        loop {
            let told = untold.pop_front();
            let last = untold.is_empty();
            let settled_now = if last {
                std::mem::take(&mut settled)
            } else {
                Vec::new()
            };
            let key = match &told {
                Some(told) => told.key.clone(),
                None => {
                    self.serial += 1;
                    format!("handle/{}", self.serial)
                }
            };
            let handle = Handle {
                state,
                serial: self.serial,
                tally: self.tally,
                untold,
                unsettled: settled,
            };
            let value = serde_json::to_value(&handle)
                .expect("a handle is plain data with text keys, which JSON always holds");
            (untold, settled) = (handle.untold, handle.unsettled);
            self.reports.send(Report {
                handoff: self.handoff.clone(),
                input: InputId::new(format!("{}:{key}", self.handoff)),
                signal: told.map(|told| told.signal),
                handle: value,
                tally: self.tally,
                // All that led to the first of them; the others came of the same.
                exchanges: self.traffic.take(),
                settled: settled_now,
                busy: self.clock.busy(),
            });
            if last {
                return;
            }
        }
    }
}

fn lost(why: &serde_json::Error) -> EndDetail {
    let why = unreadable(why);
    EndDetail::new(
        "handoff.handle_unreadable",
        format!(
            "The stored state of this handoff cannot be read ({why}). It was written by another version of this program; if the conversation is still open in Genesys, end it there by hand."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_engine::clock::SimClock;
    use handoff_engine::time::Timestamp;

    #[test]
    fn what_the_last_report_settles_is_settled_after_a_resume_from_any_before_it() {
        let (reports, mut sent) = Reports::channel();
        let clock = Arc::new(SimClock::new(Timestamp(1)));
        let outlet = || {
            let clock: Arc<dyn Clock> = clock.clone();
            Outlet::new(HandoffId::new("s/1/1"), reports.clone(), clock)
        };
        let mut news = News::default();
        for key in ["first", "second", "third"] {
            news.tell(key, Signal::Typing { on: true });
        }
        news.settled = vec!["s/2/1".into()];
        outlet().report(&(), news);
        let mut told = Vec::new();
        while let Ok(report) = sent.try_recv() {
            told.push(report);
        }
        let settled = |reports: &[Report]| {
            let counts = reports.iter().map(|report| report.settled.len());
            counts.collect::<Vec<_>>()
        };
        assert_eq!(settled(&told), [0, 0, 1]);
        for (at, report) in told.iter().enumerate() {
            let () = outlet().resume(report.handle.clone()).expect("reads");
            let mut again = Vec::new();
            while let Ok(report) = sent.try_recv() {
                again.push(report);
            }
            assert_eq!(settled(&again), settled(&told[at + 1..]));
        }
    }

    #[test]
    fn exchanges_go_with_the_first_report_that_is_made_for_other_reasons() {
        let (reports, mut sent) = Reports::channel();
        let clock = Arc::new(SimClock::new(Timestamp(1)));
        let mut outlet = Outlet::new(HandoffId::new("s/1/1"), reports, clock);
        outlet.traffic().came("frame 1");
        outlet.report(&(), News::default());
        assert!(
            sent.try_recv().is_err(),
            "nothing is reported for their sake"
        );
        outlet.traffic().came("frame 2");
        let mut news = News::default();
        news.tell("a", Signal::Typing { on: true });
        news.tell("b", Signal::Typing { on: false });
        outlet.report(&(), news);
        let told = |report: Report| -> (String, Vec<String>) {
            let names = report.exchanges.iter().map(|it| it.what.clone());
            (report.input.to_string(), names.collect())
        };
        let first = told(sent.try_recv().expect("a report"));
        let names = ["frame 1", "frame 2"].map(str::to_owned).to_vec();
        assert_eq!(first, ("s/1/1:a".to_owned(), names));
        let second = told(sent.try_recv().expect("another"));
        assert_eq!(second, ("s/1/1:b".to_owned(), Vec::new()));
    }
}
