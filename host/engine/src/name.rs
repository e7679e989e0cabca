//! Names and numbers that must not be mixed up.
//!
//! Every identifier is its own type, so that an account cannot be passed where a bot is wanted.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text as this kind of name.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// A session: one user's conversation from start to close.
    SessionId;
    /// Something that happened to a session; seen twice, it counts once.
    InputId;
    /// Something a turn asks the outside to do: `{session}/{revision}/{n}`.
    EffectId;
    /// One stay with the agent side: `{session}/{revision}/{n}` of the effect that opened it.
    HandoffId;
    /// One use of a node type in a flow.
    NodeId;
    /// A named way out of a node.
    Port;
    /// The name of a node type, for example `setContext`.
    NodeType;
    /// A bot of the project.
    BotName;
    /// A flow of the project.
    FlowId;
    /// A configured agent system of the project.
    AccountName;
    /// Where a project runs, for example `live`.
    EnvironmentName;
}

impl HandoffId {
    /// The session it belongs to.
    #[must_use]
    pub fn session(&self) -> SessionId {
        let mut parts = self.0.rsplitn(3, '/');
        SessionId::new(parts.nth(2).unwrap_or(&self.0))
    }
}

/// How many turns a session has been through. A turn is committed at the next revision or not at all.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
