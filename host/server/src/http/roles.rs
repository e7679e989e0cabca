//! Which route needs which role of an operator: the one table of it.
//!
//! A route that is not here takes no operator's token, so one that is forgotten is closed. Routes of
//! sessions take the session's own token as well; that is said where they are.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an operator may do. No role includes another; a token has one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at the host: metrics, projects, versions, states of sessions, timelines without what people
    /// said.
    View,
    /// Act in sessions and read what people say in them; rotate and revoke keys and tokens.
    Operate,
    /// Choose the version of the project that new sessions take.
    Deploy,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::View, Self::Operate, Self::Deploy];

    /// The role as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Deploy => "deploy",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a call with an operator's token is written to the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audited {
    Yes,
    /// Read by machines all the time, and says nothing about anybody.
    No,
}

/// A route as operators may call it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    method: &'static str,
    path: &'static str,
    /// What the token has to have.
    pub(super) role: Role,
    pub(super) audited: Audited,
}

const fn access(method: &'static str, path: &'static str, role: Role) -> Access {
    Access {
        method,
        path,
        role,
        audited: Audited::Yes,
    }
}

const fn unaudited(method: &'static str, path: &'static str, role: Role) -> Access {
    Access {
        audited: Audited::No,
        ..access(method, path, role)
    }
}

use Role::{Deploy, Operate, View};

/// Every route that takes an operator's token.
const TABLE: &[Access] = &[
    unaudited("GET", "/metrics", View),
    unaudited("GET", "/v1/nodes", View),
    unaudited("GET", "/v1/projects", View),
    unaudited("GET", "/v1/projects/{name}", View),
    unaudited("GET", "/v1/projects/{name}/versions", View),
    unaudited("GET", "/v1/webhooks", View),
    access("GET", "/v1/backup", Operate),
    access("GET", "/v1/sessions/{id}", View),
    access("GET", "/v1/sessions/{id}/timeline", View),
    access("POST", "/v1/sessions", Operate),
    access("POST", "/v1/sessions/{id}/messages", Operate),
    access("POST", "/v1/sessions/{id}/typing", Operate),
    access("POST", "/v1/sessions/{id}/receipts", Operate),
    access("POST", "/v1/sessions/{id}/leave", Operate),
    access("POST", "/v1/sessions/{id}/attachments", Operate),
    access("GET", "/v1/sessions/{id}/events", Operate),
    access("GET", "/v1/sessions/{id}/socket", Operate),
    access("POST", "/v1/sessions/{id}/token", Operate),
    access("POST", "/v1/sessions/{id}/revoke", Operate),
    access("POST", "/v1/keys/rotate", Operate),
    access("POST", "/v1/secrets/reload", Operate),
    access("POST", "/v1/projects/{name}/reload", Deploy),
    access(
        "POST",
        "/v1/projects/{name}/versions/{digest}/activate",
        Deploy,
    ),
];

/// How operators may call a route, by the path it was registered with; an embedder may have put
/// something in front of it.
pub(super) fn access_to(method: &Method, route: &str) -> Option<&'static Access> {
    let method = if method == Method::HEAD {
        "GET"
    } else {
        method.as_str()
    };
    let found = TABLE.iter().filter(|it| it.method == method);
    found
        .filter(|it| route.ends_with(it.path))
        .max_by_key(|it| it.path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_under_a_prefix_and_by_its_own_method_only() {
        for it in TABLE {
            let method = Method::from_bytes(it.method.as_bytes()).expect("is one");
            for prefix in ["", "/handoff"] {
                let found = access_to(&method, &format!("{prefix}{}", it.path));
                assert_eq!(found.map(|found| found.path), Some(it.path));
            }
            let listed = TABLE
                .iter()
                .any(|other| (other.method, other.path) == ("PUT", it.path));
            assert!(!listed && access_to(&Method::PUT, it.path).is_none());
        }
        assert!(access_to(&Method::GET, "/v1/projects/{name}/secrets").is_none());
    }
}
