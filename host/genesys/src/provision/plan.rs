//! What there is to do, from what is wanted, what was provisioned before and what is there.

use crate::platform::{Hidden, Integration, NamedReference};
use serde::Serialize;
use std::fmt;

/// An integration as the project wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) webhook: String,
    /// The flow that answers it; none if people choose it.
    pub(super) flow: Option<String>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Deed {
    /// Create an integration.
    Create,
    /// Take one as it is there, by its name: its id is remembered.
    Adopt,
    /// It was renamed at Genesys: give it its name again.
    Rename {
        /// Its name there.
        from: String,
    },
    /// It was deleted at Genesys: create it again.
    Recreate,
    /// It was deleted, and another one has its name now: take that one.
    Replace,
    /// Set where it posts what agents write.
    SetWebhook {
        /// Where it posts to now.
        from: Option<String>,
    },
    /// Set what it signs with.
    SetSecret,
    /// Have a flow answer it.
    Bind {
        /// The flow.
        flow: String,
        /// The one that answers it now.
        from: Option<String>,
    },
}

impl Deed {
    /// Stable.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Create => "provision.create",
            Self::Adopt => "provision.adopt",
            Self::Rename { .. } => "provision.rename",
            Self::Recreate => "provision.recreate",
            Self::Replace => "provision.replace",
            Self::SetWebhook { .. } => "provision.set_webhook",
            Self::SetSecret => "provision.set_secret",
            Self::Bind { .. } => "provision.bind",
        }
    }

    /// Whether somebody has changed at Genesys what was so before, or set something else there. That is
    /// overwritten only when asked for.
    pub(super) fn is_drift(&self) -> bool {
        match self {
            Self::Create | Self::Adopt => false,
            Self::SetWebhook { from } | Self::Bind { from, .. } => from.is_some(),
            Self::Rename { .. } | Self::Recreate | Self::Replace | Self::SetSecret => true,
        }
    }

    /// Whether it changes the integration itself.
    pub(super) fn is_change(&self) -> bool {
        matches!(
            self,
            Self::Rename { .. } | Self::SetWebhook { .. } | Self::SetSecret
        )
    }

    /// What there is to it, as a sentence without its end.
    pub(super) fn sentence(&self, name: &str, webhook: &str) -> String {
        match self {
            Self::Create => format!("integration '{name}' is not there and to be created"),
            Self::Adopt => format!("integration '{name}' is there already and taken as it is"),
            Self::Rename { from } => {
                format!("integration '{name}' is called '{from}' at Genesys")
            }
            Self::Recreate => format!("integration '{name}' was deleted at Genesys"),
            Self::Replace => format!(
                "integration '{name}' was deleted at Genesys, and another one has its name now"
            ),
            Self::SetWebhook { from: Some(from) } => format!(
                "integration '{name}' posts what agents write to {from}, and not to {webhook}"
            ),
            Self::SetWebhook { from: None } => format!("integration '{name}' has no webhook"),
            Self::SetSecret => {
                format!("integration '{name}' signs with another secret than webhook-secret")
            }
            Self::Bind {
                flow,
                from: Some(from),
            } => format!(
                "integration '{name}' is answered by the flow '{from}', and not by '{flow}'"
            ),
            Self::Bind { flow, from: None } => {
                format!("integration '{name}' is answered by no flow, and is to be by '{flow}'")
            }
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create it",
            Self::Adopt => "remember its id",
            Self::Rename { .. } => "give it its name again",
            Self::Recreate => "create it again",
            Self::Replace => "take that one",
            Self::SetWebhook { .. } => "set its webhook",
            Self::SetSecret => "set its signature secret",
            Self::Bind { .. } => "choose the flow in Message Routing",
        })
    }
}

/// What is to happen to one integration, its routing apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The one that is there; none if there is none.
    pub(super) there: Option<Integration>,
    pub(super) deeds: Vec<Deed>,
}

/// `known` is the id it was provisioned with before.
pub(super) fn plan(
    wanted: &Wanted,
    known: Option<&str>,
    all: &[Integration],
    secret: &str,
) -> Plan {
    let by_id = known.and_then(|id| all.iter().find(|it| it.id == id));
    let by_name = all.iter().find(|it| it.name == wanted.name);
    let (there, first) = match (known, by_id, by_name) {
        (_, Some(ours), _) if ours.name == wanted.name => (Some(ours), None),
        (_, Some(ours), _) => {
            let from = ours.name.clone();
            (Some(ours), Some(Deed::Rename { from }))
        }
        (Some(_), None, Some(other)) => (Some(other), Some(Deed::Replace)),
        (Some(_), None, None) => (None, Some(Deed::Recreate)),
        (None, None, Some(found)) => (Some(found), Some(Deed::Adopt)),
        (None, None, None) => (None, Some(Deed::Create)),
    };
    let mut deeds: Vec<Deed> = first.into_iter().collect();
    if let Some(there) = there {
        deeds.extend(differences(wanted, there, secret));
    }
    Plan {
        there: there.cloned(),
        deeds,
    }
}

fn differences(wanted: &Wanted, there: &Integration, secret: &str) -> Vec<Deed> {
    let mut deeds = Vec::new();
    let webhook = there.webhook.clone().filter(|it| !it.is_empty());
    if webhook.as_ref() != Some(&wanted.webhook) {
        deeds.push(Deed::SetWebhook { from: webhook });
    }
    let shown = there.secret.as_ref().filter(|it| it.is_shown());
    if shown.is_some_and(|Hidden(shown)| shown != secret) {
        deeds.push(Deed::SetSecret);
    }
    deeds
}

/// Whether another flow is to answer.
pub(super) fn plan_routing(wanted: Option<&str>, bound: Option<&NamedReference>) -> Option<Deed> {
    let flow = wanted?.to_owned();
    let from = bound.map(|bound| bound.name.clone());
    (from.as_ref() != Some(&flow)).then_some(Deed::Bind { flow, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-of-16-or-more";

    fn wanted() -> Wanted {
        Wanted {
            name: "connector".to_owned(),
            webhook: "https://bots.example.org/w".to_owned(),
            flow: None,
        }
    }

    fn there(id: &str, name: &str) -> Integration {
        Integration {
            id: id.to_owned(),
            name: name.to_owned(),
            webhook: Some(wanted().webhook),
            secret: Some(Hidden(SECRET.to_owned())),
            ..Integration::default()
        }
    }

    fn planned(known: Option<&str>, all: &[Integration]) -> Vec<Deed> {
        plan(&wanted(), known, all, SECRET).deeds
    }

    #[test]
    fn what_is_as_it_was_provisioned_needs_nothing() {
        assert_eq!(planned(Some("1"), &[there("1", "connector")]), []);
    }

    #[test]
    fn what_is_not_there_is_created_and_what_is_there_is_taken() {
        assert_eq!(planned(None, &[]), [Deed::Create]);
        assert_eq!(planned(None, &[there("1", "connector")]), [Deed::Adopt]);
    }

    #[test]
    fn a_new_name_is_seen_by_the_id_and_not_taken_for_a_deletion() {
        let from = "their connector".to_owned();
        let renamed = [there("1", &from)];
        assert_eq!(planned(Some("1"), &renamed), [Deed::Rename { from }]);
    }

    #[test]
    fn a_deleted_one_is_told_from_one_that_was_replaced() {
        assert_eq!(planned(Some("1"), &[]), [Deed::Recreate]);
        assert_eq!(
            planned(Some("1"), &[there("2", "connector")]),
            [Deed::Replace]
        );
    }

    #[test]
    fn a_webhook_and_a_secret_of_somebody_else_are_drift_and_missing_ones_are_not() {
        let mut foreign = there("1", "connector");
        foreign.webhook = Some("https://other/w".to_owned());
        foreign.secret = Some(Hidden("another-secret-of-16".to_owned()));
        let deeds = planned(Some("1"), &[foreign.clone()]);
        assert_eq!(deeds.len(), 2);
        assert!(deeds.iter().all(Deed::is_drift));
        foreign.webhook = None;
        foreign.secret = None;
        let deeds = planned(Some("1"), &[foreign]);
        assert_eq!(deeds, [Deed::SetWebhook { from: None }]);
        assert!(!deeds[0].is_drift());
    }

    #[test]
    fn a_flow_is_chosen_where_none_is_and_overwritten_only_as_drift() {
        let bound = |name: &str| NamedReference {
            id: "f".to_owned(),
            name: name.to_owned(),
        };
        assert_eq!(plan_routing(None, None), None);
        assert_eq!(plan_routing(Some("Inbound"), Some(&bound("Inbound"))), None);
        let fresh = plan_routing(Some("Inbound"), None).expect("to bind");
        assert!(!fresh.is_drift());
        let drift = plan_routing(Some("Inbound"), Some(&bound("Other"))).expect("to bind");
        assert!(drift.is_drift());
    }
}
