//! Agents, as far as their own messages show them.
//!
//! The guest's wire never says that an agent came or went. Whoever writes is there; when another name
//! writes, the first one is taken to have handed over. Where the conversation is followed through the
//! Platform API that decides, and agents inferred before are recognised in what it shows.

use crate::end::{Departure, LegId, Observation, UNNAMED_AGENT};
use handoff_engine::handoff::Agent;
use serde::{Deserialize, Serialize};

/// The agents who have written, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inferred {
    stays: Vec<Stay>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stay {
    leg: LegId,
    name: String,
    /// The platform's key for it, once known.
    known_as: Option<LegId>,
}

impl Inferred {
    /// An agent writes, by this name if it has one: who that is, and what it shows.
    pub(super) fn wrote(&mut self, nickname: Option<&str>) -> (Agent, Vec<Observation>) {
        let mut seen = Vec::new();
        let last = self.stays.last();
        // A message without a name is of whoever wrote last.
        let name = nickname.or(last.map(|stay| stay.name.as_str()));
        let name = name.unwrap_or(UNNAMED_AGENT).to_owned();
        let agent = Agent {
            id: None,
            name: name.clone(),
        };
        match last {
            Some(stay) if stay.name == name => {}
            last => {
                seen.extend(last.map(|stay| Observation::Gone {
                    leg: stay.leg(),
                    agent: None,
                    departure: Departure::Transferred,
                }));
                let leg = LegId::new(format!("wrote/{}", self.stays.len()));
                seen.push(Observation::Connected {
                    leg: leg.clone(),
                    agent: agent.clone(),
                });
                self.stays.push(Stay {
                    leg,
                    name,
                    known_as: None,
                });
            }
        }
        (agent, seen)
    }

    /// What the platform shows, with the agents who have written as who they were taken for. One who
    /// was taken to have gone, and shows as still there, is believed to be gone: that was told.
    pub(super) fn recognise(&mut self, shown: Vec<Observation>) -> Vec<Observation> {
        let connected: Vec<_> = shown
            .iter()
            .filter_map(|it| match it {
                Observation::Connected { leg, agent } => Some((leg.clone(), agent.name.clone())),
                Observation::Gone {
                    leg,
                    agent: Some(agent),
                    departure: Departure::Transferred | Departure::Disconnected,
                } => Some((leg.clone(), agent.name.clone())),
                _ => None,
            })
            .collect();
        for (leg, name) in &connected {
            self.recognise_one(leg, name, connected.len());
        }
        shown.into_iter().map(|it| self.translate(it)).collect()
    }

    fn recognise_one(&mut self, leg: &LegId, name: &str, shown: usize) {
        if self
            .stays
            .iter()
            .any(|it| it.known_as.as_ref() == Some(leg))
        {
            return;
        }
        // Agents may write under another name than their own: with one of each it must be the same.
        let only = self.stays.len() == 1 && shown == 1;
        let unknown = |it: &&mut Stay| it.known_as.is_none() && (only || it.name == name);
        if let Some(stay) = self.stays.iter_mut().find(unknown) {
            stay.known_as = Some(leg.clone());
        }
    }

    fn translate(&self, shown: Observation) -> Observation {
        let own = |leg: LegId| {
            let stay = self
                .stays
                .iter()
                .find(|it| it.known_as.as_ref() == Some(&leg));
            stay.map_or(leg, |stay| stay.leg.clone())
        };
        match shown {
            Observation::Alerting { leg, agent } => Observation::Alerting {
                leg: own(leg),
                agent,
            },
            Observation::Connected { leg, agent } => Observation::Connected {
                leg: own(leg),
                agent,
            },
            Observation::Gone {
                leg,
                agent,
                departure,
            } => Observation::Gone {
                leg: own(leg),
                agent,
                departure,
            },
            Observation::AfterCallWork { leg } => Observation::AfterCallWork { leg: own(leg) },
            other => other,
        }
    }
}

impl Stay {
    fn leg(&self) -> LegId {
        self.leg.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::EndOfHandoff;
    use handoff_engine::handoff::Signal;

    fn told(signals: Vec<Signal>) -> Vec<String> {
        let one = |signal| match signal {
            Signal::AgentJoined { agent } => format!("+{}", agent.name),
            Signal::AgentLeft { agent } => format!("-{}", agent.name),
            other => format!("{other:?}"),
        };
        signals.into_iter().map(one).collect()
    }

    fn connected(leg: &str, name: &str) -> Observation {
        Observation::Connected {
            leg: LegId::new(leg),
            agent: Agent {
                id: Some(format!("u-{leg}")),
                name: name.to_owned(),
            },
        }
    }

    #[test]
    fn another_name_is_another_agent_and_no_name_is_the_same() {
        let mut inferred = Inferred::default();
        let mut end = EndOfHandoff::default();
        let mut all = Vec::new();
        for name in [Some("Kim"), None, Some("Kim"), Some("Max"), Some("Kim")] {
            let (agent, seen) = inferred.wrote(name);
            assert_eq!(agent.name, name.unwrap_or("Kim"));
            all.extend(told(end.observe(seen)));
        }
        assert_eq!(all, ["+Kim", "-Kim", "+Max", "-Max", "+Kim"]);
    }

    #[test]
    fn an_agent_who_wrote_is_recognised_in_what_the_platform_shows() {
        let mut inferred = Inferred::default();
        let mut end = EndOfHandoff::default();
        let (_, seen) = inferred.wrote(Some("Kim from Sales"));
        assert_eq!(told(end.observe(seen)), ["+Kim from Sales"]);
        let shown = inferred.recognise(vec![connected("p1", "Kim Park")]);
        assert_eq!(told(end.observe(shown)), Vec::<String>::new());
        let shown = inferred.recognise(vec![connected("p1", "Kim Park"), connected("p2", "Max")]);
        assert_eq!(told(end.observe(shown)), ["+Max"]);
    }
}
