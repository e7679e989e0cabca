//! Permissions of an OAuth client, each tried by the call that needs it.

use super::finding::{Finding, Grade};
use crate::platform::PlatformError;

/// A permission, and what lacking it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    /// As the API names it.
    pub(super) name: &'static str,
    /// Completes "It is needed to ...".
    pub(super) to: &'static str,
    pub(super) lack: Grade,
}

impl Permission {
    pub(super) const fn needed(name: &'static str, to: &'static str) -> Self {
        let lack = Grade::Error;
        Self { name, to, lack }
    }

    pub(super) const fn useful(name: &'static str, to: &'static str) -> Self {
        let lack = Grade::Warning;
        Self { name, to, lack }
    }

    /// One without which less can be seen beforehand.
    pub(super) const fn looking(name: &'static str, to: &'static str) -> Self {
        let lack = Grade::Hint;
        Self { name, to, lack }
    }
}

/// What trying a permission came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) permission: Permission,
    pub(super) outcome: Result<(), PlatformError>,
}

impl Tried {
    pub(super) fn new<T>(permission: Permission, outcome: &Result<T, PlatformError>) -> Self {
        let outcome = match outcome {
            // Permissions come first: what is not found was looked for.
            Ok(_) | Err(PlatformError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.clone()),
        };
        Self {
            permission,
            outcome,
        }
    }
}

/// One finding for each that is missing, and one for all that are there.
pub(super) fn judge(client: &str, tried: &[Tried]) -> Vec<Finding> {
    let held: Vec<&str> = tried
        .iter()
        .filter(|it| it.outcome.is_ok())
        .map(|it| it.permission.name)
        .collect();
    let mut found: Vec<Finding> = tried.iter().filter_map(|it| missing(client, it)).collect();
    if !held.is_empty() {
        let held = held.join(", ");
        let sentence = format!("OAuth client '{client}' holds {held}.");
        found.push(Finding::ok("org.permissions_held", sentence));
    }
    found
}

fn missing(client: &str, tried: &Tried) -> Option<Finding> {
    let Permission { name, to, lack } = tried.permission;
    let error = tried.outcome.as_ref().err()?;
    let PlatformError::MissingPermission { .. } = error else {
        let sentence =
            format!("Whether OAuth client '{client}' holds {name} is not known: {error}");
        return Some(Finding::warning("org.not_looked_at", sentence));
    };
    let words = in_admin(name);
    let sentence = format!("OAuth client '{client}' lacks {name} ({words}). It is needed to {to}.");
    let code = match lack {
        Grade::Ok | Grade::Hint => "org.permission_optional",
        Grade::Warning | Grade::Error => "org.permission_missing",
    };
    Some(Finding::graded(lack, code, sentence).help(
        "in Genesys, add it to a role of the client (Admin, People & Permissions, Roles / Permissions), and \
         give the client that role in the division of the queues (Admin, Integrations, OAuth, the client, \
         Roles)",
    ))
}

/// A permission as the role editor shows it: `Analytics > Queue Observation > View`.
pub(super) fn in_admin(name: &str) -> String {
    let words = name.split(':').map(|part| match part {
        "processautomation" => "Process Automation".to_owned(),
        part => spaced(part),
    });
    words.collect::<Vec<_>>().join(" > ")
}

fn spaced(part: &str) -> String {
    let mut words = String::new();
    for (index, letter) in part.chars().enumerate() {
        if index == 0 {
            words.extend(letter.to_uppercase());
        } else {
            if letter.is_uppercase() {
                words.push(' ');
            }
            words.push(letter);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Correlation;

    #[test]
    fn a_permission_is_named_as_the_api_and_as_the_role_editor_name_it() {
        let name = "analytics:queueObservation:view";
        assert_eq!(in_admin(name), "Analytics > Queue Observation > View");
        let lacking = Tried {
            permission: Permission::useful(name, "see who is on queue"),
            outcome: Err(PlatformError::MissingPermission {
                doing: "look",
                permissions: name.to_owned(),
                correlation: Correlation::default(),
            }),
        };
        let found = judge("bridge", &[lacking]);
        assert_eq!(found[0].grade, Grade::Warning);
        assert!(found[0].message.contains(
            "lacks analytics:queueObservation:view (Analytics > Queue Observation > View)"
        ));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn what_could_not_be_tried_is_not_taken_for_missing() {
        let permission = Permission::needed("routing:queue:view", "find queues");
        let outcome = Err(PlatformError::Unavailable {
            status: 503,
            correlation: Correlation::default(),
        });
        let found = judge(
            "bridge",
            &[Tried {
                permission,
                outcome,
            }],
        );
        assert_eq!(found[0].code, "org.not_looked_at");
    }
}
