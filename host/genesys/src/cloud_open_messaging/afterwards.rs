//! Handoffs that are over, for what agents still write in them.
//!
//! Where the client may not disconnect conversations, one that its user has left stays open at Genesys until
//! its agent or a timeout closes it, and Genesys has no objection to the agent writing on. Such a message
//! finds no handoff. It is reported as one of the last handoff of that user, and what becomes of it is for
//! the session to say. This is remembered in memory: after a restart such messages are lost, as they are
//! when they come later than [`REMEMBERED`].

use super::hearing::{key_of, said};
use super::wire::Outbound;
use crate::content::shown;
use crate::following::unnamed;
use crate::transport::{Report, Reports};
use handoff_engine::clock::Busy;
use handoff_engine::handoff::{Agent, Tally};
use handoff_engine::name::{HandoffId, InputId};
use handoff_engine::time::{Millis, Timestamp};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// How long handoffs are remembered: as long as Genesys threads the messages of one user into one
/// conversation.
const REMEMBERED: Millis = Millis::from_mins(72 * 60);

/// How many are remembered at most; the oldest go first.
const MOST: usize = 10_000;

/// A handoff that is over.
#[derive(Clone, Debug)]
pub(super) struct Over {
    pub(super) handoff: HandoffId,
    /// Who writes, if it can only be one.
    pub(super) agent: Option<Agent>,
    /// Ids of messages that were told. Genesys may send them again.
    pub(super) heard: BTreeSet<String>,
    pub(super) reports: Reports,
}

/// The last handoff of each user.
#[derive(Debug, Default)]
pub(super) struct Afterwards {
    by_user: HashMap<String, (Timestamp, Over)>,
    /// In the order in which they ended.
    users: VecDeque<(Timestamp, String)>,
}

impl Afterwards {
    pub(super) fn remember(&mut self, user: String, over: Over, now: Timestamp) {
        self.users.push_back((now, user.clone()));
        self.by_user.insert(user, (now, over));
        self.forget(now);
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((ended, user)) = self.users.front() {
            if self.users.len() <= MOST && now.since(*ended) <= REMEMBERED {
                return;
            }
            // The user may have had a later one since.
            if self.by_user.get(user).is_some_and(|(at, _)| at == ended) {
                self.by_user.remove(user);
            }
            self.users.pop_front();
        }
    }

    /// Reports what a person wrote to a user who has been handed back, once. What a bot says to such a user,
    /// as that the conversation is over, is not for the session. False if the user is not known.
    pub(super) fn report(&mut self, message: &Outbound, now: Timestamp, busy: &Busy) -> bool {
        self.forget(now);
        let Some((_, over)) = self.by_user.get_mut(&message.channel.to.id) else {
            return false;
        };
        let shown = shown(message.text.as_deref(), &message.content);
        if !message.is_for_the_user() || !message.is_from_a_person() || shown.is_empty() {
            return true;
        }
        if !over.heard.insert(message.id.clone()) {
            return true;
        }
        let from = over.agent.clone().unwrap_or_else(unnamed);
        over.reports.send(Report {
            handoff: over.handoff.clone(),
            // As if it had come in time.
            input: InputId::new(format!("{}:{}", over.handoff, key_of(message))),
            signal: Some(said(message, Some(from), shown)),
            handle: serde_json::Value::Null,
            tally: Tally::default(),
            exchanges: Default::default(),
            settled: Vec::new(),
            busy: busy.clone(),
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_engine::clock::{Clock, SimClock};
    use serde_json::json;

    fn message(to: &str, id: &str, by: &str) -> Outbound {
        serde_json::from_value(json!({
            "id": id,
            "channel": { "to": { "id": to }, "from": { "id": "integration" } },
            "type": "Text",
            "text": "One more thing",
            "originatingEntity": by,
        }))
        .expect("a message")
    }

    #[test]
    fn what_a_person_writes_goes_to_the_users_last_handoff_and_nothing_else_does() {
        let clock = SimClock::new(Timestamp(1));
        let (reports, mut sent) = Reports::channel();
        let over = |handoff: &str| Over {
            handoff: HandoffId::new(handoff),
            agent: None,
            heard: BTreeSet::from(["m0".to_owned()]),
            reports: reports.clone(),
        };
        let mut afterwards = Afterwards::default();
        afterwards.remember("ana".to_owned(), over("s/1/1"), Timestamp(1));
        afterwards.remember("ana".to_owned(), over("s/5/1"), Timestamp(2));
        let mut heard = |message: &Outbound, now| afterwards.report(message, now, &clock.busy());
        for again in ["m0", "m1", "m1"] {
            assert!(heard(&message("ana", again, "Human"), Timestamp(3)));
        }
        assert!(!heard(&message("ben", "m2", "Human"), Timestamp(3)));
        assert!(
            heard(&message("ana", "m3", "Bot"), Timestamp(3)),
            "is not missed"
        );
        let later = Timestamp(2) + REMEMBERED + Millis(1);
        assert!(!heard(&message("ana", "m4", "Human"), later));
        let report = sent.try_recv().expect("one report");
        assert_eq!(report.handoff, HandoffId::new("s/5/1"));
        assert_eq!(report.input, InputId::new("s/5/1:message/m1"));
        assert!(sent.try_recv().is_err());
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let (reports, _sent) = Reports::channel();
        let mut afterwards = Afterwards::default();
        for number in 0..=MOST {
            let over = Over {
                handoff: HandoffId::new(format!("{number}/1/1")),
                agent: None,
                heard: BTreeSet::new(),
                reports: reports.clone(),
            };
            afterwards.remember(number.to_string(), over, Timestamp(1));
        }
        assert_eq!(afterwards.by_user.len(), MOST);
        assert!(!afterwards.by_user.contains_key("0"));
    }
}
