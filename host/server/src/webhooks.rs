//! What became of webhook calls: counted, and the last of those kept that users may miss.
//!
//! Kept in memory and without a word of what they say: this is for operators who look for why a user
//! did not read something.

use handoff_engine::name::AccountName;
use handoff_engine::time::Timestamp;
use handoff_genesys::WebhookOutcome;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// Calls that are kept.
const KEPT: usize = 100;

/// The longest text of others that is kept, characters.
const LONGEST: usize = 128;

/// What became of webhook calls since the host started.
#[derive(Debug)]
pub(crate) struct Webhooks {
    started: Instant,
    takes_up: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    counts: BTreeMap<(AccountName, &'static str), u64>,
    missed: VecDeque<Missed>,
}

/// Calls of one account with one outcome.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookCounts {
    account: String,
    /// `taken`, `unclaimed`, `unreadable`, `stale` or `refused`.
    #[schema(value_type = String)]
    outcome: &'static str,
    count: u64,
}

/// A signed call that a user may miss.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Missed {
    /// When it came, in ISO 8601.
    at: String,
    account: String,
    /// `unclaimed` if no handoff of this host knew it, or `unreadable`.
    #[schema(value_type = String)]
    outcome: &'static str,
    /// Genesys' id of the message, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The conversation, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Webhooks {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            takes_up: AtomicBool::new(false),
            kept: Mutex::default(),
        }
    }

    /// The host has sessions to take up, so calls may come before their handoffs are.
    pub(crate) fn takes_up(&self) {
        self.takes_up.store(true, Ordering::Relaxed);
    }

    /// Whether a handoff may be taken up yet, so long after a start.
    pub(crate) fn may_be_taken_up(&self, within: Duration) -> bool {
        self.takes_up.load(Ordering::Relaxed) && self.started.elapsed() < within
    }

    pub(crate) fn came(&self, account: &AccountName, outcome: &WebhookOutcome, now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let word = outcome.as_str();
        *kept.counts.entry((account.clone(), word)).or_default() += 1;
        let (message, conversation, why) = match outcome {
            WebhookOutcome::Unclaimed {
                message,
                conversation,
            } => (Some(message), conversation, None),
            WebhookOutcome::Unreadable { why, conversation } => (None, conversation, Some(why)),
            WebhookOutcome::Taken | WebhookOutcome::Refused | WebhookOutcome::Stale => return,
        };
        // Brought again it is the same.
        let message = message.map(|it| short(it));
        kept.missed
            .retain(|it| message.is_none() || it.message != message);
        kept.missed.push_front(Missed {
            at: now.to_iso(),
            account: account.to_string(),
            outcome: word,
            message,
            conversation: conversation.as_deref().map(short),
            why: why.map(|it| short(it)),
        });
        kept.missed.truncate(KEPT);
    }

    /// The counts, and the calls that users may miss, the latest first.
    pub(crate) fn list(&self) -> (Vec<WebhookCounts>, Vec<Missed>) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = kept
            .counts
            .iter()
            .map(|((account, outcome), count)| WebhookCounts {
                account: account.to_string(),
                outcome,
                count: *count,
            });
        (counts.collect(), kept.missed.iter().cloned().collect())
    }
}

/// Cut, and without control characters.
fn short(text: &str) -> String {
    let shown = text.chars().filter(|it| !it.is_control());
    shown.take(LONGEST).collect()
}
