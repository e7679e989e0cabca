//! Members and messages, read on a schedule and whenever something may have been missed.
//!
//! The stream numbers nothing, so a lost frame shows only here. Members are read first and messages
//! after them: what is said to be over then has all its messages. What was read is told in the order
//! in which it happened, by the platform's clock. Each message of the stream prompts a reading of the
//! messages, so that one whose frame is late or lost is told before it and not after.

use super::protocol::{Call, Protocol};
use super::state::Chat;
use super::story::Happened;
use super::wire::{MemberInfo, Members, Message, Messages};
use crate::end::Observation;
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::VecDeque;

/// Between two readings while frames come, doubling from the first to the second. Anything that
/// happens starts over.
const WITH_STREAM: Millis = Millis::from_secs(15);
const AT_MOST: Millis = Millis::from_mins(2);

/// Between two readings while no frames come. A token is good for 300 requests a minute.
const WITHOUT_STREAM: Millis = Millis::from_secs(5);

/// Between two readings while it is open whether an agent who left has closed the chat.
const WHILE_DESERTED: Millis = Millis::from_secs(2);

/// How long a chat must look deserted before the agent who left counts as having passed it on. On a
/// transfer nobody may be there for a moment.
const DESERTED_FOR: Millis = Millis::from_secs(8);

/// Messages per page; more are refused (PROTOCOLS 2.3).
pub(super) const PAGE: usize = 100;

/// Ids of read messages whose frames are still expected. Far more than can be under way.
const EXPECTED: usize = 64;

/// When to read, and how far a reading has come.
#[derive(Debug)]
pub(super) struct Reading {
    due: Timestamp,
    /// Something was said: whether anything was said before it is to be read at once.
    heard: bool,
    pace: Millis,
    streaming: bool,
    step: Step,
    deserted_since: Option<Timestamp>,
    /// The last reading left strangers. So may one that went past them, but hardly two in a row.
    strangers: bool,
    /// Read before their frames came: these are no repeats.
    expected: VecDeque<String>,
}

#[derive(Debug)]
enum Step {
    Idle,
    Members {
        page: u32,
        found: Vec<MemberInfo>,
    },
    Messages {
        /// None if only messages are read.
        members: Option<Vec<MemberInfo>>,
        found: Vec<Message>,
    },
}

impl Reading {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            due: now,
            heard: false,
            pace: WITH_STREAM,
            streaming: false,
            step: Step::Idle,
            deserted_since: None,
            strangers: false,
            expected: VecDeque::new(),
        }
    }

    /// The stream was opened or closed. Either way something may have been missed.
    pub(super) fn streaming(&mut self, now: Timestamp, open: bool) {
        self.streaming = open;
        self.read_now(now);
    }

    /// A reading that is under way starts over: it may have gone past what has happened since.
    pub(super) fn read_now(&mut self, now: Timestamp) {
        self.step = Step::Idle;
        self.due = now;
        self.pace = self.first_pace();
    }

    /// Something happened, and more is likely to.
    pub(super) fn read_soon(&mut self, now: Timestamp) {
        self.pace = self.first_pace();
        self.due = self.due.min(now + self.pace);
    }

    /// Something was said.
    pub(super) fn read_messages(&mut self, now: Timestamp) {
        self.heard = true;
        self.read_soon(now);
    }

    /// When to read next, unless a reading is under way.
    pub(super) fn due(&self) -> Timestamp {
        self.due
    }

    /// Whether a reading is due or under way.
    pub(super) fn is_wanted(&self, now: Timestamp) -> bool {
        self.heard || self.due <= now || !matches!(self.step, Step::Idle)
    }

    /// The next request of a reading that is due or under way.
    pub(super) fn next(&mut self, now: Timestamp, in_doubt: bool, chat: &Chat) -> Option<Call> {
        if matches!(self.step, Step::Idle) {
            if in_doubt || self.due <= now {
                self.step = Step::Members {
                    page: 1,
                    found: Vec::new(),
                };
            } else if std::mem::take(&mut self.heard) {
                self.step = Step::Messages {
                    members: None,
                    found: Vec::new(),
                };
            }
        }
        match &self.step {
            Step::Idle => None,
            Step::Members { page, .. } => Some(Call::Members { page: *page }),
            Step::Messages { found, .. } => Some(Call::Messages {
                after: found
                    .last()
                    .map(|message| message.id.clone())
                    .or_else(|| chat.read_to.clone()),
            }),
        }
    }

    /// A page of members was read.
    pub(super) fn members(&mut self, answer: Members) {
        let Step::Members { page, found } = &mut self.step else {
            return;
        };
        found.extend(answer.entities);
        if answer.page_count.is_some_and(|count| *page < count) {
            *page += 1;
            return;
        }
        self.step = Step::Messages {
            members: Some(std::mem::take(found)),
            found: Vec::new(),
        };
    }

    /// Whether a message's frame comes after the message itself was read.
    pub(super) fn was_expected(&mut self, message: &str) -> bool {
        let known = self.expected.iter().position(|id| id == message);
        known.and_then(|at| self.expected.remove(at)).is_some()
    }

    pub(super) fn expect(&mut self, message: &str) {
        if !self.streaming {
            return;
        }
        self.expected.push_back(message.to_owned());
        if self.expected.len() > EXPECTED {
            self.expected.pop_front();
        }
    }

    fn first_pace(&self) -> Millis {
        if self.streaming {
            WITH_STREAM
        } else {
            WITHOUT_STREAM
        }
    }

    fn schedule(&mut self, now: Timestamp) {
        let pace = match (self.deserted_since, self.streaming) {
            (Some(_), _) => WHILE_DESERTED,
            (None, false) => WITHOUT_STREAM,
            (None, true) => self.pace,
        };
        self.due = now + pace;
        self.pace = Millis(self.pace.0 * 2).min(AT_MOST);
    }

    /// Whether nobody has been there for long enough.
    fn is_deserted(&mut self, now: Timestamp, deserted: bool) -> bool {
        if !deserted {
            self.deserted_since = None;
            return false;
        }
        let since = *self.deserted_since.get_or_insert(now);
        now.since(since) >= DESERTED_FOR
    }
}

impl Protocol {
    /// A page of messages was read; after the last one the reading is complete.
    pub(super) fn read_messages(&mut self, now: Timestamp, page: Messages, news: &mut News) {
        let Step::Messages { found, .. } = &mut self.reading.step else {
            return;
        };
        let more =
            !page.entities.is_empty() && (page.next.is_some() || page.entities.len() >= PAGE);
        found.extend(page.entities);
        if more {
            return;
        }
        if let Step::Messages { members, found } =
            std::mem::replace(&mut self.reading.step, Step::Idle)
        {
            match members {
                Some(members) => self.read(now, &members, found, news),
                None => self.catch_up(found, news),
            }
        }
    }

    fn read(
        &mut self,
        now: Timestamp,
        members: &[MemberInfo],
        found: Vec<Message>,
        news: &mut News,
    ) {
        self.in_doubt = false;
        if let Some(chat) = self.chat_mut() {
            chat.members.learn(members);
        }
        let untold = self.untold(found, news);
        let over = self.is_over();
        let settled = {
            let deserted = !over && self.is_deserted();
            self.reading.is_deserted(now, deserted)
        };
        for (_, happened) in self.story(untold) {
            match happened {
                Happened::Said(message) => self.say_or_hold(*message, news),
                Happened::Left(member) => self.left(&member, over, settled, news),
                Happened::Came(member) => self.came(&member, news),
            }
        }
        self.reading.schedule(now);
        self.look_at_strangers(now, news);
        if over {
            if self.chat().is_some_and(|chat| chat.held.is_empty()) {
                self.finish(Observation::Closed, news);
            } else {
                // Someone who said something is still to be named; then the same reading ends it.
                self.reading.read_now(now);
            }
        }
    }

    /// Only messages were read: they are told in order, and nothing else is concluded.
    fn catch_up(&mut self, found: Vec<Message>, news: &mut News) {
        let untold = self.untold(found, news);
        for message in untold {
            self.say_or_hold(message, news);
        }
    }

    /// Someone who said something is in no list of members: the list is older, or has gaps.
    fn look_at_strangers(&mut self, now: Timestamp, news: &mut News) {
        let strangers = self.chat().is_some_and(|chat| chat.members.has_strangers());
        let before = std::mem::replace(&mut self.reading.strangers, strangers);
        if strangers && before {
            self.do_without_names(now, news);
        } else if strangers {
            self.reading.read_now(now);
        }
    }

    /// Tells what strangers said without their names: late is worse.
    pub(super) fn do_without_names(&mut self, now: Timestamp, news: &mut News) {
        if let Some(chat) = self.chat_mut() {
            chat.members.strangers_stay_unknown();
        }
        self.release(now, news);
    }
}
