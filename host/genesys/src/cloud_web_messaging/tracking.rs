//! The conversation as the Platform API shows it, where the account has an OAuth client.
//!
//! The guest is not told its conversation's id. It is found by a custom attribute of ours on the
//! customer participant, in the events of the queue it is meant for, or of all there are; then it is followed as any
//! conversation is. Without all that the handoff goes on: agents then show when they write.

use super::line::BACKOFF;
use super::protocol::{Call, HANDOFF_ATTRIBUTE, Protocol};
use super::state::{Leaving, State};
use super::trouble::Trouble;
use crate::end::{Departure, Observation};
use crate::following::{Beginning, QueueWait, Snapshot, Watch, look};
use crate::platform::PlatformError;
use crate::platform::conversations::Conversation;
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::BTreeSet;

/// How long the first message waits for the queue's events, so that none of them is missed.
const EVENTS_WITHIN: Millis = Millis::from_secs(5);

/// How often the same is refused before that is final. Right after its opening a conversation may not
/// be known everywhere.
const ATTEMPTS: u32 = 4;

/// What is asked of the Platform API, and when.
#[derive(Debug)]
pub(super) struct Tracking {
    pub(super) watch: Watch,
    /// Of how many queues it is known whether their events come.
    settled: usize,
    /// Until when the first message waits for that.
    patience: Option<Timestamp>,
    failures: u32,
    blocked_until: Timestamp,
    /// The conversation cannot be looked at.
    blind: bool,
    /// Attributes cannot be set: they ride on messages instead.
    rides: bool,
    /// Names under which somebody writes whom no look shows.
    strangers: BTreeSet<String>,
    /// A last look before the end.
    last: bool,
    pub(super) wait: QueueWait,
}

impl Tracking {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            watch: Watch::new(now),
            settled: 0,
            patience: None,
            failures: 0,
            blocked_until: Timestamp(0),
            blind: false,
            rides: false,
            strangers: BTreeSet::new(),
            last: false,
            wait: QueueWait::default(),
        }
    }

    /// The last call succeeded, or another one begins.
    pub(super) fn calm(&mut self) {
        self.failures = 0;
        self.blocked_until = Timestamp(0);
    }

    /// An agent has answered, as far as messages show.
    pub(super) fn answered(&mut self) {
        self.wait.waits_in(None, Timestamp(0));
    }

    pub(super) fn is_stranger(&self, name: &str) -> bool {
        self.strangers.contains(name)
    }

    pub(super) fn meets_stranger(&mut self, name: &str) {
        self.strangers.insert(name.to_owned());
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn look_last(&mut self, now: Timestamp, known: bool) {
        self.last = known && !self.blind;
        self.watch.look_now(now);
    }

    pub(super) fn is_looking_last(&self) -> bool {
        self.last
    }

    pub(super) fn deadline(&self, now: Timestamp, state: &State) -> Option<Timestamp> {
        let looks = state.tracked.conversation.is_some() && !self.blind;
        [
            Some(self.blocked_until),
            self.patience,
            looks.then(|| self.watch.due()),
            self.wait.due(),
        ]
        .into_iter()
        .flatten()
        .filter(|at| *at > now)
        .min()
    }
}

impl Protocol {
    /// Whether the first message may go: the queue's events come, or have been waited for.
    pub(super) fn may_begin(&mut self, now: Timestamp) -> bool {
        let waits = self.tracking.settled < self.state.tracked.queues.len();
        if !waits || self.state.is_opened() {
            return true;
        }
        let until = *self.tracking.patience.get_or_insert(now + EVENTS_WITHIN);
        until <= now
    }

    /// Whether the Platform API shows who is there.
    pub(super) fn sees_agents(&self) -> bool {
        self.state.tracked.conversation.is_some() && !self.tracking.blind
    }

    /// What there is to ask through the Platform API.
    pub(super) fn next_platform(&mut self, now: Timestamp) -> Option<Call> {
        if !self.site.has_platform || now < self.tracking.blocked_until {
            return None;
        }
        let conversation = self.state.tracked.conversation.clone();
        if let Some(conversation) = &conversation {
            if let Some(user) = self.tracking.watch.nameless() {
                return Some(Call::Name(user.to_owned()));
            }
            if !self.tracking.blind && self.tracking.watch.is_due(now) {
                self.tracking.watch.asked();
                return Some(Call::Look {
                    conversation: conversation.clone(),
                });
            }
        }
        if self.state.is_closing() {
            return None;
        }
        if let Some(conversation) = conversation {
            match (self.state.leaving, self.state.tracked.customer.clone()) {
                (Leaving::Customer, Some(participant)) => {
                    return Some(Call::Disconnect {
                        conversation,
                        participant,
                    });
                }
                (Leaving::Everyone, _) => return Some(Call::DisconnectAll { conversation }),
                (_, Some(participant)) if self.sets_attributes() => {
                    return Some(Call::SetAttributes {
                        conversation,
                        participant,
                        attributes: self.state.riding.clone(),
                    });
                }
                _ => {}
            }
        }
        let queue = self.tracking.wait.question(now)?.to_owned();
        Some(Call::EstimatedWait { queue })
    }

    fn sets_attributes(&self) -> bool {
        self.state.is_opened()
            && !self.tracking.rides
            && !self.state.riding.is_empty()
            && self.line.is_free()
    }

    /// A conversation of the queue changed; it may be ours.
    pub(super) fn seen_in_queue(&mut self, now: Timestamp, snapshot: &Snapshot, news: &mut News) {
        let ours = snapshot.has_attribute(HANDOFF_ATTRIBUTE, self.handoff.as_str());
        if !ours || self.state.tracked.conversation.is_some() {
            return;
        }
        self.state.tracked.conversation = Some(snapshot.id.clone());
        self.state.tracked.queues.clear();
        self.tracking.watch.look_now(now);
        news.changed = true;
    }

    pub(super) fn followed(&mut self, now: Timestamp) {
        self.tracking.settled += 1;
        if self.state.tracked.conversation.is_some() {
            self.tracking.watch.followed(now);
        }
    }

    pub(super) fn unfollowed(&mut self, now: Timestamp, why: &str, news: &mut News) {
        self.tracking.settled += 1;
        if self.state.tracked.conversation.is_some() {
            self.tracking.watch.unfollowed(now);
        } else if !self.state.end.was_answered() {
            // It will not be found, but the queue asked for is known.
            let queue = self.state.tracked.queue.clone();
            self.tracking.wait.waits_in(queue, now);
        }
        self.warn_once(
            "genesys.events_unavailable",
            format!(
                "Agents coming and going are seen late, or only when they write, because Genesys does not send the queue's or the conversation's events: {why}"
            ),
            news,
        );
    }

    /// A look at the conversation was taken.
    pub(super) fn looked(&mut self, now: Timestamp, conversation: &Conversation, news: &mut News) {
        self.tracking.calm();
        self.tracking.watch.answered();
        let Some(talk) = self.state.talk() else {
            return;
        };
        let beginning = Beginning {
            message: None,
            time: talk.began,
        };
        let picture = look(conversation, beginning, self.tracking.watch.names());
        if !self.tracking.watch.knows_everyone(&picture) {
            return;
        }
        let over = self.tracking.watch.is_over(now, picture.over);
        if self.state.tracked.customer != picture.customer && picture.customer.is_some() {
            self.state.tracked.customer.clone_from(&picture.customer);
            news.changed = true;
        }
        self.tracking.wait.waits_in(picture.waits_in, now);
        let seen = match self.state.talk_mut() {
            Some(talk) => talk.inferred.recognise(picture.observations),
            None => return,
        };
        for one in seen {
            self.observe_one(one, news);
        }
        self.meet_strangers();
        self.release_held(news);
        let ringing = self.state.end.is_alerting();
        self.tracking.watch.schedule(now, ringing);
        self.tracking.last = false;
        if over {
            self.close(now);
            // It has just been looked at.
            self.tracking.last = false;
            news.changed = true;
        }
    }

    /// Tells what a look shows. Who came and went between two looks is told to have come, and its words,
    /// before it is told to have gone.
    fn observe_one(&mut self, seen: Observation, news: &mut News) {
        if let Observation::Gone {
            leg,
            agent: Some(agent),
            departure: Departure::Transferred | Departure::Disconnected,
        } = &seen
        {
            let (leg, agent) = (leg.clone(), agent.clone());
            let name = agent.name.clone();
            self.observe([Observation::Connected { leg, agent }], news);
            self.release_of(&name, news);
        }
        self.observe([seen], news);
    }

    /// A call of the Platform API failed.
    pub(super) fn platform_failed(
        &mut self,
        now: Timestamp,
        call: &Call,
        trouble: &Trouble,
        news: &mut News,
    ) {
        self.tracking.failures += 1;
        let failures = self.tracking.failures;
        let passing = trouble.is_passing();
        let wait = trouble
            .retry_after()
            .unwrap_or_else(|| BACKOFF.after(failures, self.handoff.as_str()));
        self.tracking.blocked_until = now + wait;
        match call {
            Call::Look { .. } => {
                self.release_held(news);
                if !passing && failures >= ATTEMPTS {
                    self.cannot_look(trouble, news);
                }
            }
            Call::Name(user) if !passing || failures >= ATTEMPTS => {
                self.tracking.calm();
                self.tracking.watch.named(now, user, None);
            }
            Call::EstimatedWait { .. } => {
                // It is a courtesy; nothing waits for it.
                self.tracking.calm();
                self.tracking.wait.failed(now, !passing);
            }
            Call::SetAttributes { .. } if !passing => {
                self.tracking.calm();
                self.tracking.rides = true;
            }
            Call::Disconnect { .. } | Call::DisconnectAll { .. } => {
                self.leaving_failed(now, trouble, news);
            }
            _ => {}
        }
    }

    /// From now on agents show when they write, and the end when the guest is told.
    fn cannot_look(&mut self, trouble: &Trouble, news: &mut News) {
        self.tracking.calm();
        self.tracking.blind = true;
        self.tracking.last = false;
        self.warn_once(
            "genesys.conversation_not_visible",
            format!("Agents are seen only when they write: {trouble}"),
            news,
        );
    }

    /// The queue cannot be looked for. A name that leads nowhere ends the handoff; that the question is
    /// not allowed does not.
    pub(super) fn queue_not_found(&mut self, now: Timestamp, trouble: &Trouble, news: &mut News) {
        match trouble.platform() {
            Some(PlatformError::MissingPermission { .. }) => {
                self.queues_found(Vec::new());
                self.warn_once(
                    "genesys.queue_not_checked",
                    format!("Whether the queue exists is left to Architect, and agents are seen only when they write: {trouble}"),
                    news,
                );
            }
            _ => self.preparation_failed(now, trouble, news),
        }
    }
}
