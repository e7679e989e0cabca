//! When to look at a conversation, and when what is seen means that it is over.
//!
//! Events only make a look prompt; between them looks are taken on a schedule that slows down while
//! nothing changes, because events can be lost and Genesys never sends one again. While it rings the
//! schedule is tight: that an agent transferred to directly has answered shows in no event.

use super::picture::{Names, Over, Picture};
use handoff_engine::time::{Millis, Timestamp};
use std::collections::VecDeque;

/// Between looks while it rings at an agent's desk.
const WHILE_RINGING: Millis = Millis::from_secs(2);

/// Between looks while no events come. A token is good for 300 requests a minute.
const WITHOUT_EVENTS: Millis = Millis::from_secs(5);

/// Between looks while events come and nothing happens, doubling from the first to the second.
const WITH_EVENTS: Millis = Millis::from_secs(60);
const AT_MOST: Millis = Millis::from_mins(5);

/// How long a conversation must look deserted before it counts as over although the customer's part
/// has not ended. A transfer looks like this for a moment.
const DESERTED_FOR: Millis = Millis::from_secs(10);

/// When to look, and whose names are missing.
#[derive(Debug)]
pub(crate) struct Watch {
    due: Timestamp,
    pace: Millis,
    has_events: bool,
    deserted_since: Option<Timestamp>,
    /// How many hints there were that something happened: in all, when the look under way was asked
    /// for, and when the last one that was answered was.
    hints: u64,
    asked: u64,
    answered: u64,
    names: Names,
    /// Users to be named before what was seen can be told.
    nameless: VecDeque<String>,
}

impl Watch {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            due: now,
            pace: WITHOUT_EVENTS,
            has_events: false,
            deserted_since: None,
            hints: 0,
            asked: 0,
            answered: 0,
            names: Names::new(),
            nameless: VecDeque::new(),
        }
    }

    pub(crate) fn look_now(&mut self, now: Timestamp) {
        self.hints += 1;
        self.due = now;
        self.pace = self.slowest_without_news();
    }

    pub(crate) fn followed(&mut self, now: Timestamp) {
        self.has_events = true;
        self.look_now(now);
    }

    pub(crate) fn unfollowed(&mut self, now: Timestamp) {
        self.has_events = false;
        self.look_now(now);
    }

    /// A look is asked for. What is hinted at from now on may not show in it.
    pub(crate) fn asked(&mut self) {
        self.asked = self.hints;
    }

    /// A look was answered.
    pub(crate) fn answered(&mut self) {
        self.answered = self.asked;
    }

    /// Whether something may have happened that no look has shown yet.
    pub(crate) fn is_behind(&self) -> bool {
        self.hints > self.answered
    }

    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.due <= now
    }

    pub(crate) fn due(&self) -> Timestamp {
        self.due
    }

    /// The names known.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Whether everyone in a picture has a name. If not, those are to be looked up first: what was
    /// seen is told once everyone in it has one, and the look is then taken again.
    pub(crate) fn knows_everyone(&mut self, picture: &Picture) -> bool {
        self.nameless = picture.nameless.clone().into();
        self.nameless.is_empty()
    }

    /// A user whose name has to be looked up.
    pub(crate) fn nameless(&self) -> Option<&str> {
        self.nameless.front().map(String::as_str)
    }

    /// A user's name was looked up; without one the user gets the name of those who have none.
    pub(crate) fn named(&mut self, now: Timestamp, user: &str, name: Option<String>) {
        self.nameless.retain(|other| other != user);
        let name = name.unwrap_or_else(|| crate::end::UNNAMED_AGENT.to_owned());
        self.names.insert(user.to_owned(), name);
        self.look_now(now);
    }

    /// Whether the conversation is over.
    pub(crate) fn is_over(&mut self, now: Timestamp, over: Over) -> bool {
        match over {
            Over::Yes => true,
            Over::No => {
                self.deserted_since = None;
                false
            }
            Over::Perhaps => {
                let since = *self.deserted_since.get_or_insert(now);
                now.since(since) >= DESERTED_FOR
            }
        }
    }

    /// A look was taken: when the next one is due. At once, if a hint came while it was under way.
    pub(crate) fn schedule(&mut self, now: Timestamp, ringing: bool) {
        if self.hints > self.asked {
            self.asked();
            self.due = now;
            return;
        }
        let pace = if ringing {
            WHILE_RINGING
        } else if self.deserted_since.is_some() {
            WITHOUT_EVENTS
        } else {
            self.pace
        };
        self.due = now + pace;
        self.pace = Millis(self.pace.0 * 2).min(if self.has_events {
            AT_MOST
        } else {
            WITHOUT_EVENTS
        });
    }

    fn slowest_without_news(&self) -> Millis {
        if self.has_events {
            WITH_EVENTS
        } else {
            WITHOUT_EVENTS
        }
    }
}
