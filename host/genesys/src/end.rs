//! When a handoff is over, and why: one state machine for all transports.
//!
//! Protocols feed it what they see of the agent side, as [`Observation`]s. It gathers them as facts
//! that only ever grow, so repeats and any order within a batch come to the same, and tells each
//! change once. A transfer, a requeue, a declined offer or after-call work end nothing; only
//! [`Observation::Closed`], [`Observation::Failed`] do, once.
//!
//! Some platforms use one event for a close and a decline. What such an event means cannot be decided
//! here: the protocol then looks at the whole conversation and observes what it finds.

use crate::report::{News, Told};
use handoff_engine::handoff::{Agent, EndDetail, HandoffEnd, Signal};
use serde::{Deserialize, Serialize};

/// One agent's stay, from ringing to leaving. An agent who comes again is a new leg.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(String);

impl LegId {
    /// A leg by the platform's own key for it.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }
}

/// How an agent's stay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Departure {
    /// Never answered: declined, rang out, or was no longer needed.
    Declined,
    /// Handed the conversation on, to another agent or a queue.
    Transferred,
    /// Was connected and is no longer, for whatever other reason.
    Disconnected,
}

/// Something known about the agent side of a handoff. Observing it again changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The user waits in a queue.
    Queued {
        /// The platform's own key for this stay in a queue.
        key: String,
        /// The queue's name, where known.
        queue: Option<String>,
    },
    /// It rings at an agent's desk.
    Alerting {
        /// Which stay.
        leg: LegId,
        /// Who, where known.
        agent: Option<Agent>,
    },
    /// An agent answered.
    Connected {
        /// Which stay.
        leg: LegId,
        /// Who.
        agent: Agent,
    },
    /// An agent's stay is over; for all but a decline it is certain that the agent had answered.
    Gone {
        /// Which stay.
        leg: LegId,
        /// Who, where known.
        agent: Option<Agent>,
        /// How.
        departure: Departure,
    },
    /// An agent writes up the conversation. Says nothing about its end.
    AfterCallWork {
        /// Which stay.
        leg: LegId,
    },
    /// The user left without our having been asked to leave.
    CustomerGone,
    /// We were asked to leave.
    LeaveAsked,
    /// The platform has closed the conversation, and everything before that has been observed, in
    /// this batch at the latest.
    Closed,
    /// The handoff could not start or cannot go on.
    Failed(EndDetail),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Leg {
    id: LegId,
    agent: Option<Agent>,
    connected: bool,
    departure: Option<Departure>,
    told: ToldOfLeg,
}

/// How much of a leg has been told. Only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum ToldOfLeg {
    Nothing,
    Alerting,
    Joined,
    Gone,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wait {
    key: String,
    queue: Option<String>,
    told: bool,
}

/// What has been seen, in order of first sight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Stay {
    Queue(Wait),
    Agent(Leg),
}

/// The end-of-handoff state machine of one handoff.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndOfHandoff {
    stays: Vec<Stay>,
    leave_asked: bool,
    customer_gone: bool,
    closed: bool,
    failed: Option<EndDetail>,
    ended: bool,
}

/// The name of an agent the platform does not name.
pub const UNNAMED_AGENT: &str = "Agent";

impl EndOfHandoff {
    /// Takes in what became known at once, and returns the signals that follow, the end last.
    /// Nothing follows the end.
    pub fn observe(&mut self, batch: impl IntoIterator<Item = Observation>) -> Vec<Signal> {
        let mut news = News::default();
        self.observe_into(batch, &mut news);
        news.told.into_iter().map(|told| told.signal).collect()
    }

    /// Whether the end has been told.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The agent the user is talking to: of those connected, the last to have come.
    #[must_use]
    pub fn connected_agent(&self) -> Option<&Agent> {
        self.legs()
            .filter(|leg| leg.connected && leg.departure.is_none())
            .filter_map(|leg| leg.agent.as_ref())
            .next_back()
    }

    /// The agent who was here, if it was one alone.
    pub(crate) fn only_agent(&self) -> Option<&Agent> {
        let mut agents = self
            .legs()
            .filter(|leg| leg.connected)
            .map(|leg| leg.agent.as_ref());
        let first = agents.next()??;
        agents
            .all(|other| other.is_some_and(|it| it.is(first)))
            .then_some(first)
    }

    /// Whether it rings at someone's desk.
    #[must_use]
    pub fn is_alerting(&self) -> bool {
        self.legs()
            .any(|leg| !leg.connected && leg.departure.is_none())
    }

    /// Whether an agent has ever answered.
    #[must_use]
    pub fn was_answered(&self) -> bool {
        self.legs().any(|leg| leg.connected)
    }

    /// The agent of this name who is known to have answered, the last if there were several.
    pub(crate) fn joined_as(&self, name: &str) -> Option<&Agent> {
        let joined = self.legs().filter(|leg| leg.connected);
        let mut agents = joined.filter_map(|leg| leg.agent.as_ref());
        agents.rfind(|agent| agent.name == name)
    }

    /// Whether an agent is known to have answered.
    pub(crate) fn has_joined(&self, agent: &Agent) -> bool {
        self.legs()
            .any(|leg| leg.connected && leg.agent.as_ref() == Some(agent))
    }

    pub(crate) fn observe_into(
        &mut self,
        batch: impl IntoIterator<Item = Observation>,
        news: &mut News,
    ) {
        if self.ended {
            return;
        }
        let before = self.clone();
        for observation in batch {
            self.learn(observation);
        }
        self.tell(news);
        news.changed |= *self != before;
    }

    fn legs(&self) -> impl DoubleEndedIterator<Item = &Leg> {
        self.stays.iter().filter_map(|stay| match stay {
            Stay::Agent(leg) => Some(leg),
            Stay::Queue(_) => None,
        })
    }

    fn learn(&mut self, observation: Observation) {
        match observation {
            Observation::Queued { key, queue } => self.learn_queue(key, queue),
            Observation::Alerting { leg, agent } => {
                self.leg(leg, agent);
            }
            Observation::Connected { leg, agent } => self.leg(leg, Some(agent)).connected = true,
            Observation::Gone {
                leg,
                agent,
                departure,
            } => {
                let leg = self.leg(leg, agent);
                leg.connected |= departure != Departure::Declined;
                leg.departure.get_or_insert(departure);
            }
            Observation::AfterCallWork { leg } => {
                tracing::debug!(leg = leg.0, "after-call work");
            }
            Observation::CustomerGone => self.customer_gone = true,
            Observation::LeaveAsked => self.leave_asked = true,
            Observation::Closed => self.closed = true,
            Observation::Failed(detail) => {
                self.failed.get_or_insert(detail);
            }
        }
    }

    fn learn_queue(&mut self, key: String, queue: Option<String>) {
        let known = self
            .stays
            .iter()
            .any(|stay| matches!(stay, Stay::Queue(wait) if wait.key == key));
        if !known {
            self.stays.push(Stay::Queue(Wait {
                key,
                queue,
                told: false,
            }));
        }
    }

    fn leg(&mut self, id: LegId, agent: Option<Agent>) -> &mut Leg {
        let known = self
            .stays
            .iter()
            .position(|stay| matches!(stay, Stay::Agent(leg) if leg.id == id));
        let at = known.unwrap_or_else(|| {
            self.stays.push(Stay::Agent(Leg {
                id,
                agent: None,
                connected: false,
                departure: None,
                told: ToldOfLeg::Nothing,
            }));
            self.stays.len() - 1
        });
        let Stay::Agent(leg) = &mut self.stays[at] else {
            unreachable!("the position is that of a leg")
        };
        if let Some(agent) = agent {
            let better = leg
                .agent
                .as_ref()
                .is_none_or(|known| known.name == UNNAMED_AGENT && agent.name != UNNAMED_AGENT);
            if better {
                leg.agent = Some(agent);
            }
        }
        leg
    }

    fn tell(&mut self, news: &mut News) {
        let over = self.closed || self.failed.is_some();
        let talks = self.legs().any(|leg| leg.departure.is_none());
        // A queue entered after a stay shows that the handoff went on after it; one before does not.
        let waits = |it: &Stay| matches!(it, Stay::Queue(wait) if !wait.told);
        let last_wait = self.stays.iter().rposition(waits);
        for (at, stay) in self.stays.iter_mut().enumerate() {
            match stay {
                Stay::Queue(wait) => wait.tell(news),
                Stay::Agent(leg) => leg.tell(over, talks || last_wait > Some(at), news),
            }
        }
        if over {
            self.ended = true;
            news.told
                .push(Told::new("ended", Signal::Ended(self.end())));
        }
    }

    /// Why it is over. Whose doing it was comes first, then whether anybody ever answered.
    fn end(&self) -> HandoffEnd {
        if self.leave_asked {
            return HandoffEnd::user_left();
        }
        if let Some(detail) = &self.failed {
            return HandoffEnd::error(detail.code.clone(), detail.message.clone());
        }
        if self.customer_gone {
            return HandoffEnd::user_left();
        }
        if !self.was_answered() {
            return HandoffEnd::error(
                "transfer.no_agent",
                "The platform closed the conversation before any agent accepted it. Check that the queue is open and has members on queue.",
            );
        }
        let mut answered = self.legs().filter(|leg| leg.connected);
        let mut end = HandoffEnd::agent_left();
        if answered.all(|leg| leg.departure == Some(Departure::Transferred)) {
            end.detail = Some(EndDetail::new(
                "transfer.no_agent",
                "The agent passed the conversation on, and the platform closed it before another one accepted. Check that the queue it was passed to has members on queue.",
            ));
        }
        end
    }
}

impl Wait {
    fn tell(&mut self, news: &mut News) {
        if !self.told {
            self.told = true;
            let queue = self.queue.clone();
            news.tell(format!("queue/{}", self.key), Signal::Queued { queue });
        }
    }
}

impl Leg {
    fn tell(&mut self, over: bool, goes_on: bool, news: &mut News) {
        if self.told < ToldOfLeg::Joined && self.connected {
            self.told = ToldOfLeg::Joined;
            let agent = self.agent();
            news.tell(self.key("joined"), Signal::AgentJoined { agent });
        }
        if self.told == ToldOfLeg::Nothing {
            self.told = ToldOfLeg::Alerting;
            let agent = self.agent.clone();
            news.tell(self.key("alerting"), Signal::AgentAlerting { agent });
        }
        let Some(departure) = self.departure else {
            return;
        };
        if self.told == ToldOfLeg::Gone {
            return;
        }
        if !self.connected {
            self.told = ToldOfLeg::Gone;
            let agent = self.agent.clone();
            news.tell(self.key("declined"), Signal::AgentDeclined { agent });
            return;
        }
        // A plain disconnect may be the close itself, which the end will tell. It is told as a
        // departure only once something shows that the handoff goes on.
        let shown = departure == Departure::Transferred || goes_on;
        if shown && !over {
            self.told = ToldOfLeg::Gone;
            let agent = self.agent();
            news.tell(self.key("left"), Signal::AgentLeft { agent });
        }
    }

    fn agent(&self) -> Agent {
        self.agent.clone().unwrap_or_else(|| Agent {
            id: None,
            name: UNNAMED_AGENT.to_owned(),
        })
    }

    fn key(&self, what: &str) -> String {
        format!("agent/{}/{what}", self.id.0)
    }
}

#[cfg(test)]
mod tests;
