//! The timeline as data. `docs/timeline.md` documents its JSON.

use handoff_engine::time::{Millis, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The form of the JSON, so that tools can tell when it changes.
pub(super) const FORMAT: &str = "timeline@1";

/// What happened in a session, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// `timeline@1`.
    pub format: &'static str,
    /// The session.
    pub session: String,
    /// Digest of the project it is pinned to.
    pub project: String,
    /// The channel it came by.
    pub channel: Option<String>,
    /// `open`, or why it closed.
    pub status: String,
    /// How many turns it has been through.
    pub revision: u64,
    /// How many turns came before the first one told here.
    #[serde(skip_serializing_if = "is_zero")]
    pub earlier_turns: u64,
    /// Whether texts and names are shown as they are.
    pub revealed: bool,
    /// Everyone who ever owned it, in order of appearance.
    pub owners: Vec<String>,
    /// What happened.
    pub rows: Vec<Row>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// When.
    #[serde(serialize_with = "iso")]
    pub at: Timestamp,
    /// How long after the row before, in milliseconds; 0 if that has a later time.
    pub since_ms: Millis,
    /// What kind of thing.
    pub kind: Kind,
    /// Who did it.
    pub who: String,
    /// What, in a line.
    pub what: String,
    /// The owners once it had happened, the one in charge last.
    pub owners: Vec<String>,
    /// The platform's correlation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// What became of an effect or a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Whether something went wrong.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// The turn it belongs to.
    pub revision: u64,
    /// Everything else there is to tell, which depends on the kind.
    pub detail: Value,
}

/// What kind of thing a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The user did something.
    Input,
    /// The agent side did something.
    Signal,
    /// Something passed over the wire.
    Frame,
    /// A node was called.
    Step,
    /// A node, or the engine, noted something.
    Log,
    /// The context or the attributes changed.
    Context,
    /// An owner was pushed or popped.
    Stack,
    /// The outside was asked to do something.
    Effect,
    /// A deadline was set, replaced, dropped, or rang.
    Timer,
    /// A handoff or the session ended.
    End,
}

impl Kind {
    /// All of them, in the order in which they are offered for filtering.
    pub const ALL: [Self; 10] = [
        Self::Input,
        Self::Signal,
        Self::Frame,
        Self::Step,
        Self::Log,
        Self::Context,
        Self::Stack,
        Self::Effect,
        Self::Timer,
        Self::End,
    ];

    /// The word in the JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Signal => "signal",
            Self::Frame => "frame",
            Self::Step => "step",
            Self::Log => "log",
            Self::Context => "context",
            Self::Stack => "stack",
            Self::Effect => "effect",
            Self::Timer => "timer",
            Self::End => "end",
        }
    }
}

/// What became of an effect or a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The effect is done, or given up.
    Settled,
    /// The effect is still owed.
    Pending,
    /// The deadline was set.
    Set,
    /// The deadline was put to another time.
    Replaced,
    /// The deadline no longer counts.
    Dropped,
    /// The deadline rang.
    Rang,
}

impl State {
    /// The word in the JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Pending => "pending",
            Self::Set => "set",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
            Self::Rang => "rang",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn iso<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_iso())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
