//! Who is or was in the chat, and what that means for the handoff (PROTOCOLS 2.5).
//!
//! Members come and go once each, so what is known of one only grows, whatever order frames and
//! lists bring it in. That an agent left says nothing yet: the departure is told once the whole
//! conversation was read, because a frame that was lost may have said that the agent had answered.

use super::wire::{MemberInfo, Presence, Role};
use crate::end::{Departure, LegId, Observation, UNNAMED_AGENT};
use handoff_engine::handoff::Agent;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Members in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Members(Vec<Member>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) id: String,
    /// Unknown while only frames have told of it.
    pub(super) role: Option<Role>,
    name: Option<String>,
    /// None while that is not known either.
    presence: Option<Presence>,
    /// Whether it was ever connected.
    answered: bool,
    came: Option<Timestamp>,
    left: Option<Timestamp>,
}

impl Members {
    pub(super) fn get(&self, id: &str) -> Option<&Member> {
        self.0.iter().find(|member| member.id == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.0.iter()
    }

    /// A member who is there, as far as anybody knows.
    pub(super) fn meet(&mut self, id: &str) -> &mut Member {
        let known = self.0.iter().position(|member| member.id == id);
        let at = known.unwrap_or_else(|| {
            self.0.push(Member {
                id: id.to_owned(),
                role: None,
                name: None,
                presence: None,
                answered: false,
                came: None,
                left: None,
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// Takes in what the server says of members, and puts them in the order in which they came.
    pub(super) fn learn(&mut self, all: &[MemberInfo]) {
        for info in all {
            self.meet(&info.id).learn(info);
        }
        self.0
            .sort_by_key(|member| member.came.unwrap_or(Timestamp(u64::MAX)));
    }

    /// Whether there is anyone of whom only frames and messages have told.
    pub(super) fn has_strangers(&self) -> bool {
        self.0.iter().any(|member| member.role.is_none())
    }

    /// Nobody can say who they are.
    pub(super) fn strangers_stay_unknown(&mut self) {
        for member in &mut self.0 {
            member.role.get_or_insert(Role::Unknown);
        }
    }

    /// What is known of a member's coming: an agent rings or answers, a queue is entered. `queue` is
    /// the one asked for.
    pub(super) fn arrival(&self, id: &str, queue: &str) -> Option<Observation> {
        let member = self.get(id)?;
        match member.role? {
            Role::Agent if member.answered => Some(Observation::Connected {
                leg: member.leg(),
                agent: member.agent(),
            }),
            Role::Agent => Some(Observation::Alerting {
                leg: member.leg(),
                agent: Some(member.agent()),
            }),
            // A flow that comes first and the queue it leads to are one wait.
            Role::Workflow => self
                .is_first(member)
                .then(|| queued("routing", Some(queue))),
            Role::Acd if self.is_first(member) => Some(queued("routing", Some(queue))),
            Role::Acd => Some(queued(&member.id, member.name.as_deref())),
            Role::Customer | Role::Unknown => None,
        }
    }

    /// How an agent left, if that is certain. `over` says that the conversation is, `settled` that it
    /// went on without anybody for long enough not to be over.
    pub(super) fn departure(&self, id: &str, over: bool, settled: bool) -> Option<Observation> {
        let agent = self.get(id).filter(|member| member.has_left_as_agent())?;
        let departure = if !agent.answered {
            Departure::Declined
        } else if self.goes_on_after(agent, over) || (settled && !over) {
            Departure::Transferred
        } else if over {
            Departure::Disconnected
        } else {
            return None;
        };
        Some(Observation::Gone {
            leg: agent.leg(),
            agent: Some(agent.agent()),
            departure,
        })
    }

    /// Whether no other agent has come before, and no other queue was entered.
    fn is_first(&self, member: &Member) -> bool {
        let mut before = self.0.iter().take_while(|other| other.id != member.id);
        !before.any(|other| {
            other.role == Some(Role::Agent)
                || (other.role == Some(Role::Acd) && member.role == Some(Role::Acd))
        })
    }

    /// Whether another agent or a queue outlasts an agent who left.
    fn goes_on_after(&self, agent: &Member, over: bool) -> bool {
        self.0.iter().any(|other| {
            other.id != agent.id
                && matches!(other.role, Some(Role::Agent | Role::Acd))
                && other.outlasts(agent, over)
        })
    }
}

impl Member {
    pub(super) fn is_agent(&self) -> bool {
        self.role == Some(Role::Agent)
    }

    pub(super) fn has_left(&self) -> bool {
        self.presence == Some(Presence::Disconnected)
    }

    pub(super) fn has_left_as_agent(&self) -> bool {
        self.is_agent() && self.has_left()
    }

    pub(super) fn came(&self) -> Option<Timestamp> {
        self.came
    }

    pub(super) fn left(&self) -> Option<Timestamp> {
        self.left
    }

    /// Whether the member was there after an agent had left. Once all is over, being still there
    /// means nothing any more.
    fn outlasts(&self, agent: &Self, over: bool) -> bool {
        match (self.left, agent.left) {
            _ if !self.has_left() && !over => true,
            (Some(left), Some(before)) => left > before,
            (None, Some(before)) => self.came >= Some(before),
            (_, None) => self.came > agent.came,
        }
    }

    /// A frame tells where the member stands. True if that is news.
    pub(super) fn is_now(&mut self, presence: Option<Presence>) -> bool {
        let news = presence > self.presence;
        self.presence = self.presence.max(presence);
        self.answered |= presence == Some(Presence::Connected);
        news
    }

    /// The member said something, or is said to have joined: it was connected.
    pub(super) fn has_answered(&mut self) {
        self.answered = true;
        self.presence = self.presence.max(Some(Presence::Connected));
    }

    fn learn(&mut self, info: &MemberInfo) {
        self.role = Some(info.role);
        if let Some(name) = info
            .display_name
            .as_ref()
            .filter(|it| !it.trim().is_empty())
        {
            self.name = Some(name.clone());
        }
        self.is_now(info.state);
        self.came = info.join_date.or(self.came);
        self.left = info.leave_date.or(self.left);
    }

    pub(super) fn agent(&self) -> Agent {
        let name = self.name.clone();
        Agent {
            id: None,
            name: name.unwrap_or_else(|| UNNAMED_AGENT.to_owned()),
        }
    }

    fn leg(&self) -> LegId {
        LegId::new(self.id.clone())
    }
}

fn queued(key: &str, queue: Option<&str>) -> Observation {
    Observation::Queued {
        key: key.to_owned(),
        queue: queue.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn info(id: &str, role: Role, state: Presence, came: u64, left: Option<u64>) -> MemberInfo {
        MemberInfo {
            id: id.to_owned(),
            display_name: Some(id.to_uppercase()),
            role,
            state: Some(state),
            join_date: Some(Timestamp(came)),
            leave_date: left.map(Timestamp),
        }
    }

    fn departure(members: &Members, id: &str, over: bool) -> Option<Departure> {
        match members.departure(id, over, false)? {
            Observation::Gone { departure, .. } => Some(departure),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_agent_whom_another_outlasts_has_passed_the_conversation_on() {
        let mut members = Members::default();
        members.learn(&[
            info("acd", Role::Acd, Presence::Disconnected, 1, Some(2)),
            info("kim", Role::Agent, Presence::Disconnected, 1, Some(9)),
        ]);
        members.meet("kim").has_answered();
        assert_eq!(departure(&members, "kim", false), None);
        assert_eq!(
            departure(&members, "kim", true),
            Some(Departure::Disconnected)
        );
        members.learn(&[info("max", Role::Agent, Presence::Alerting, 9, None)]);
        assert_eq!(
            departure(&members, "kim", false),
            Some(Departure::Transferred)
        );
    }

    #[test]
    fn a_colleague_who_left_before_makes_no_transfer_of_a_close() {
        let mut members = Members::default();
        members.learn(&[
            info("kim", Role::Agent, Presence::Disconnected, 1, Some(9)),
            info("max", Role::Agent, Presence::Disconnected, 3, Some(5)),
        ]);
        members.meet("kim").has_answered();
        members.meet("max").has_answered();
        assert_eq!(
            departure(&members, "kim", true),
            Some(Departure::Disconnected)
        );
        assert_eq!(
            departure(&members, "max", false),
            Some(Departure::Transferred)
        );
    }

    #[test]
    fn a_flow_and_the_queue_behind_it_are_one_wait_and_a_later_queue_is_another() {
        let mut members = Members::default();
        members.learn(&[
            info("flow", Role::Workflow, Presence::Disconnected, 1, Some(2)),
            info("acd", Role::Acd, Presence::Connected, 2, None),
        ]);
        let both: Vec<_> = ["flow", "acd"]
            .map(|id| members.arrival(id, "Support"))
            .into();
        assert_eq!(both[0], both[1]);
        members.learn(&[
            info("kim", Role::Agent, Presence::Connected, 3, None),
            info("acd2", Role::Acd, Presence::Connected, 4, None),
        ]);
        assert_eq!(
            members.arrival("acd2", "Support"),
            Some(queued("acd2", Some("ACD2")))
        );
    }

    proptest! {
        /// Whatever order lists and frames tell a story in, it comes to the same.
        #[test]
        fn what_is_known_of_members_does_not_depend_on_the_order_it_comes_in(
            order in Just(vec![
                info("a", Role::Agent, Presence::Alerting, 1, None),
                info("a", Role::Agent, Presence::Connected, 1, None),
                info("a", Role::Agent, Presence::Disconnected, 1, Some(5)),
                info("b", Role::Agent, Presence::Alerting, 5, None),
                info("b", Role::Agent, Presence::Disconnected, 5, Some(7)),
                info("q", Role::Acd, Presence::Connected, 0, None),
            ]).prop_shuffle(),
        ) {
            let mut members = Members::default();
            for info in &order {
                members.meet(&info.id).is_now(info.state);
                members.learn(std::slice::from_ref(info));
            }
            let ids: Vec<_> = members.iter().map(|member| member.id.as_str()).collect();
            prop_assert_eq!(ids, ["q", "a", "b"]);
            prop_assert_eq!(departure(&members, "a", false), Some(Departure::Transferred));
            prop_assert_eq!(departure(&members, "b", false), Some(Departure::Declined));
        }
    }
}
