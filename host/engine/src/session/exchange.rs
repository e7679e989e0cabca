//! What passed over the wire on behalf of a handoff: enough to find it again at the platform.
//!
//! An exchange is a name, an outcome and a correlation id. Never what was said: no bodies, no queries,
//! no keys. Exchanges ride along with the report that comes next and are told as well as can be: a
//! stop loses those since the last report, and nothing depends on them.

use crate::time::{Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many kinds of exchanges are kept from one report to the next.
const MOST: usize = 32;
/// How much of a name, an outcome or a correlation id is kept, in characters.
const LONGEST: usize = 200;

/// One exchange with the platform, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// When it began; of several, the first.
    pub at: Timestamp,
    /// When the last of several began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Who began it.
    pub way: Way,
    /// What, in the protocol's own words and without ids: `POST /api/v2/...`, `webhook Text`,
    /// `frame SessionResponse`.
    pub what: String,
    /// An HTTP status, or what the network made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The platform's correlation id, for support tickets; of several, the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// How long the answer took; of several, the longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Millis>,
    /// How many there were.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

/// Who begins an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The platform.
    In,
    /// This side.
    Out,
}

/// The exchanges from one report to the next. Those that are alike are one with a count, so that
/// hours of polls that tell nothing cost one record; of too many, the oldest are only counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Exchanges {
    /// In order of their beginning.
    list: VecDeque<Exchange>,
    /// How many more there were.
    #[serde(skip_serializing_if = "is_none")]
    left_out: u64,
}

impl Exchange {
    /// An exchange that took no time and came to nothing in particular.
    pub fn new(at: Timestamp, way: Way, what: impl Into<String>) -> Self {
        Self {
            at,
            until: None,
            way,
            what: bounded(what.into()),
            outcome: None,
            correlation: None,
            took: None,
            times: 1,
        }
    }

    /// What it came to.
    #[must_use]
    pub fn came_to(mut self, outcome: impl Into<String>) -> Self {
        self.outcome = Some(bounded(outcome.into()));
        self
    }

    /// The correlation id, if there is one.
    #[must_use]
    pub fn correlated(mut self, id: Option<String>) -> Self {
        self.correlation = id.map(bounded);
        self
    }

    /// How long the answer took.
    #[must_use]
    pub fn took(mut self, span: Millis) -> Self {
        self.took = Some(span);
        self
    }

    fn is_like(&self, other: &Self) -> bool {
        self.way == other.way && self.what == other.what && self.outcome == other.outcome
    }

    fn and(&mut self, other: Self) {
        self.until = Some(other.until.unwrap_or(other.at));
        self.times = self.times.saturating_add(other.times);
        self.took = self.took.max(other.took);
        self.correlation = other.correlation.or(self.correlation.take());
    }
}

impl Exchanges {
    /// Adds an exchange, to one that is like it if there is one.
    pub fn add(&mut self, exchange: Exchange) {
        if let Some(known) = self.list.iter_mut().find(|known| known.is_like(&exchange)) {
            known.and(exchange);
            return;
        }
        if self.list.len() == MOST
            && let Some(oldest) = self.list.pop_front()
        {
            self.left_out += u64::from(oldest.times);
        }
        self.list.push_back(exchange);
    }

    /// In order of their beginning.
    pub fn iter(&self) -> impl Iterator<Item = &Exchange> {
        self.list.iter()
    }

    /// How many more there were, before these.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether nothing passed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.left_out == 0
    }
}

/// Names may come from the other side, and then they are as long as it likes.
fn bounded(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_once(times: &u32) -> bool {
    *times == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn poll(at: u64) -> Exchange {
        Exchange::new(Timestamp(at), Way::Out, "POST /chat/7/refresh")
            .came_to("200")
            .correlated(Some(format!("c-{at}")))
            .took(Millis(at % 7))
    }

    #[test]
    fn hours_of_polls_are_one_exchange_with_a_count() {
        let mut exchanges = Exchanges::default();
        for at in 0..10_000 {
            exchanges.add(poll(at));
            exchanges.add(Exchange::new(Timestamp(at), Way::In, "pong"));
        }
        let told = serde_json::to_value(&exchanges).expect("is plain data");
        assert_eq!(
            told,
            json!({"list": [
                {"at": 0, "until": 9999, "way": "out", "what": "POST /chat/7/refresh", "outcome": "200",
                 "correlation": "c-9999", "took": 6, "times": 10_000},
                {"at": 0, "until": 9999, "way": "in", "what": "pong", "times": 10_000},
            ]})
        );
    }

    #[test]
    fn of_too_many_exchanges_the_oldest_are_only_counted() {
        let mut exchanges = Exchanges::default();
        for at in 0..40 {
            exchanges.add(Exchange::new(Timestamp(at), Way::In, format!("frame {at}")));
        }
        assert_eq!(exchanges.left_out(), 8);
        assert_eq!(exchanges.iter().count(), MOST);
        assert_eq!(
            exchanges.iter().last().map(|it| it.what.as_str()),
            Some("frame 39")
        );
    }

    #[test]
    fn a_failure_is_not_folded_into_a_success() {
        let mut exchanges = Exchanges::default();
        exchanges.add(poll(1));
        exchanges.add(Exchange::new(Timestamp(2), Way::Out, "POST /chat/7/refresh").came_to("503"));
        assert_eq!(exchanges.iter().count(), 2);
    }

    #[test]
    fn whatever_the_other_side_names_its_frames_a_record_stays_small() {
        let exchange = Exchange::new(Timestamp(1), Way::In, "é".repeat(1 << 20))
            .correlated(Some("x".repeat(1 << 20)));
        let told = serde_json::to_vec(&exchange).expect("is plain data");
        assert!(told.len() < 1000, "{}", told.len());
    }

    #[test]
    fn exchanges_are_read_back_as_they_were_written() {
        let mut exchanges = Exchanges::default();
        for at in 0..40 {
            exchanges.add(poll(at));
            exchanges.add(Exchange::new(Timestamp(at), Way::In, format!("frame {at}")));
        }
        let text = serde_json::to_string(&exchanges).expect("is plain data");
        let back: Exchanges = serde_json::from_str(&text).expect("is read");
        assert_eq!(back, exchanges);
    }
}
