//! What a turn adds to the counters: the turn in, increments out.
//!
//! Whoever commits a turn counts it, once, so an input that comes twice counts nothing and neither
//! does a turn that another came before. A turn whose commit the store could not confirm is not
//! counted either, even if it was committed: better one too few than one that never happened.

use handoff_engine::content::Receipt;
use handoff_engine::handoff::{HandoffEnd, Signal, Tally};
use handoff_engine::name::AccountName;
use handoff_engine::session::{EffectKind, Entry, InputKind, OpenHandoff, Sender, Session, Turn};
use handoff_engine::time::Millis;

/// One thing to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Increment<'a> {
    SessionStarted,
    /// With the reason in one word.
    SessionClosed(&'static str),
    HandoffOpened(&'a AccountName),
    HandoffEnded {
        account: &'a AccountName,
        end: &'a HandoffEnd,
    },
    /// The first agent joined, so long after the handoff was asked for.
    AgentReached(&'a AccountName, Millis),
    /// The handoff ended before any agent joined, so long after it was asked for.
    WaitAbandoned {
        account: &'a AccountName,
        end: &'a HandoffEnd,
        waited: Millis,
    },
    Relayed(Direction),
    Undelivered(Direction),
    /// What the platform newly sent out of order.
    OutOfOrder(&'a AccountName, Tally),
    /// With its code.
    Notice(&'a AccountName, &'a str),
    /// With its code.
    StepFailed(&'a str),
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    ToAgent,
    ToUser,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ToAgent => "to_agent",
            Self::ToUser => "to_user",
        }
    }
}

/// What a committed turn adds; `before` is the session as it was.
pub(super) fn of_turn<'a>(before: &'a Session, turn: &'a Turn) -> Vec<Increment<'a>> {
    let mut found = Vec::new();
    if let InputKind::Started { .. } = turn.input.kind {
        found.push(Increment::SessionStarted);
    }
    if let (InputKind::UserReceipt { receipt, .. }, Some(_)) = (&turn.input.kind, before.handoff())
        && *receipt == Receipt::Failed
    {
        found.push(Increment::Undelivered(Direction::ToUser));
    }
    let handoff = before.handoff();
    found.extend(out_of_order(handoff, before, &turn.session));
    for entry in &turn.journal {
        of_entry(entry, handoff, turn, &mut found);
    }
    found.extend(turn.effects.iter().filter_map(|it| of_effect(&it.kind)));
    found
}

fn of_entry<'a>(
    entry: &'a Entry,
    handoff: Option<&'a OpenHandoff>,
    turn: &'a Turn,
    found: &mut Vec<Increment<'a>>,
) {
    match entry {
        Entry::Closed { reason } => found.push(Increment::SessionClosed(reason.as_str())),
        Entry::Failed(error) => found.push(Increment::StepFailed(&error.code)),
        Entry::Undelivered { .. } => found.push(Increment::Undelivered(Direction::ToAgent)),
        Entry::Signalled { signal, .. } => {
            if let Some(handoff) = handoff {
                found.extend(of_signal(signal, handoff, turn));
            }
        }
        Entry::HandoffEnded { end, .. } => {
            if let Some(handoff) = handoff {
                ended(handoff, end, turn, found);
            }
        }
        Entry::Stepped { .. }
        | Entry::Called { .. }
        | Entry::AskedForAgents { .. }
        | Entry::Logged { .. }
        | Entry::Pushed { .. }
        | Entry::Popped { .. }
        | Entry::Late { .. }
        | Entry::Asked(_)
        | Entry::Ignored { .. } => {}
    }
}

fn ended<'a>(
    handoff: &'a OpenHandoff,
    end: &'a HandoffEnd,
    turn: &Turn,
    found: &mut Vec<Increment<'a>>,
) {
    let account = &handoff.request.account;
    found.push(Increment::HandoffEnded { account, end });
    if let (None, Some(asked_at)) = (&handoff.last_agent, handoff.asked_at) {
        found.push(Increment::WaitAbandoned {
            account,
            end,
            waited: turn.at.since(asked_at),
        });
    }
}

fn of_signal<'a>(
    signal: &'a Signal,
    handoff: &'a OpenHandoff,
    turn: &Turn,
) -> Option<Increment<'a>> {
    let account = &handoff.request.account;
    match signal {
        Signal::AgentJoined { .. } if handoff.last_agent.is_none() => {
            let waited = turn.at.since(handoff.asked_at?);
            Some(Increment::AgentReached(account, waited))
        }
        Signal::Receipt {
            receipt: Receipt::Failed,
            ..
        } => Some(Increment::Undelivered(Direction::ToAgent)),
        Signal::Notice { code, .. } => Some(Increment::Notice(account, code)),
        _ => None,
    }
}

fn out_of_order<'a>(
    handoff: Option<&'a OpenHandoff>,
    before: &Session,
    after: &Session,
) -> Option<Increment<'a>> {
    let account = &handoff?.request.account;
    let (before, after) = (before.tally(), after.tally());
    let new = Tally {
        gaps: after.gaps.saturating_sub(before.gaps),
        repeats: after.repeats.saturating_sub(before.repeats),
        reorders: after.reorders.saturating_sub(before.reorders),
    };
    (new != Tally::default()).then_some(Increment::OutOfOrder(account, new))
}

fn of_effect(effect: &EffectKind) -> Option<Increment<'_>> {
    match effect {
        EffectKind::OpenHandoff { request, .. } => Some(Increment::HandoffOpened(&request.account)),
        EffectKind::SendToAgent { input: Some(_), .. } => {
            Some(Increment::Relayed(Direction::ToAgent))
        }
        // What the platform itself says has an id of the platform's as well.
        EffectKind::SendToUser { from, message, .. }
            if matches!(from, Sender::Agent(_)) || message.is_some() =>
        {
            Some(Increment::Relayed(Direction::ToUser))
        }
        _ => None,
    }
}
