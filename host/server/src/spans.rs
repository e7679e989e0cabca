//! What logs and traces tell of a turn and of a handoff.
//!
//! A line of the log and a span of a trace name the session, the handoff, its account and its
//! transport, so that whoever has one of them finds everything else. They never hold what was said,
//! and of a handle nothing.

use crate::versions::Version;
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::{AccountName, HandoffId, SessionId};
use handoff_engine::session::{Effect, EffectKind, Input, InputKind, Session};
use tracing::Span;

/// The span of one turn in the making. A session that is handed off says so from the start.
pub(crate) fn turn_span(version: &Version, session: &Session, input: &Input) -> Span {
    let open = session.handoff();
    let handoff = match &input.kind {
        InputKind::Signal { handoff, .. } => Some(handoff),
        _ => open.map(|open| &open.id),
    };
    // A signal may come late, when another handoff is open.
    let account = open
        .filter(|open| Some(&open.id) == handoff)
        .map(|open| &open.request.account);
    tracing::info_span!(
        "turn",
        session = %session.id,
        input = %input.id,
        revision = session.revision.next().0,
        handoff = handoff.map(display),
        account = account.map(display),
        transport = transport_of(version, account),
    )
}

/// The span of carrying out an effect. Those that are done by being committed have none.
pub(crate) fn effect_span(version: &Version, effect: &Effect) -> Span {
    let (kind, handoff, account) = match &effect.kind {
        EffectKind::OpenHandoff { handoff, request } => {
            ("open-handoff", handoff, Some(&request.account))
        }
        EffectKind::SendToAgent { handoff, .. } => ("send-to-agent", handoff, None),
        EffectKind::LeaveHandoff {
            handoff, account, ..
        } => ("leave-handoff", handoff, Some(account)),
        EffectKind::SendToUser { .. }
        | EffectKind::TypingToUser { .. }
        | EffectKind::ReceiptToUser { .. }
        | EffectKind::ReceiptToAgent { .. }
        | EffectKind::TypingToAgent { .. }
        | EffectKind::CloseSession { .. } => return Span::none(),
    };
    tracing::info_span!(
        "effect",
        effect = %effect.id,
        kind,
        session = %handoff.session(),
        handoff = %handoff,
        account = account.map(display),
        transport = transport_of(version, account),
    )
}

/// What everything that a transport does for a handoff is part of, for as long as it lasts.
pub(crate) fn handoff_span(
    handoff: &HandoffId,
    account: &AccountName,
    transport: TransportKind,
) -> Span {
    // No part of the turn that opens it: it lasts for hours.
    tracing::info_span!(
        parent: None,
        "handoff",
        session = %handoff.session(),
        handoff = %handoff,
        account = %account,
        transport = transport.as_str(),
    )
}

fn transport_of(version: &Version, account: Option<&AccountName>) -> Option<&'static str> {
    let kind = version.transport_kind(account?)?;
    Some(kind.as_str())
}

/// The span in which a session is taken up, as after a restart.
pub(crate) fn taking_up(session: &SessionId) -> Span {
    tracing::info_span!("take-up", session = %session)
}
