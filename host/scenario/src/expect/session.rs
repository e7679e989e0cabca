//! What must hold in the session.

use super::Holds;
use crate::stage::Stage;
use crate::step::StepKind;
use handoff_engine::handoff::Signal;
use handoff_engine::name::Revision;
use handoff_engine::session::{Entry, Owner, Session, Status};
use serde_json::{Map, Value};

pub(super) async fn in_session(stage: &Stage, session: &Session, kind: &StepKind) -> Holds {
    match kind {
        StepKind::Context(wanted) => {
            let got: Map<String, Value> = wanted
                .keys()
                .filter_map(|key| Some((key.clone(), session.context.get(key)?.clone())))
                .collect();
            Holds::soon(
                got == *wanted,
                format!("the context to hold {}", Value::from(wanted.clone())),
                Value::from(got).to_string(),
            )
        }
        StepKind::ContextLacks(keys) => {
            let held: Vec<&String> = keys
                .iter()
                .filter(|key| session.context.contains_key(*key))
                .collect();
            Holds::now(
                held.is_empty(),
                format!("the context not to hold {keys:?}"),
                format!("it holds {held:?}"),
            )
        }
        StepKind::Stack(wanted) => {
            let got = session.stack_names();
            Holds::soon(
                got == *wanted,
                format!("the owner stack {wanted:?}"),
                format!("{got:?}"),
            )
        }
        StepKind::AtNode(wanted) => {
            let at = session.stack.iter().rev().find_map(|owner| match owner {
                Owner::Flow(frame) => Some(frame.node.to_string()),
                _ => None,
            });
            let got = at.unwrap_or_else(|| "no flow".to_owned());
            Holds::soon(got == *wanted, format!("the flow to be at '{wanted}'"), got)
        }
        StepKind::Session { open, reason } => {
            let got = match &session.status {
                Status::Open => "open".to_owned(),
                Status::Closed { reason, .. } => format!("closed, {}", reason.as_str()),
            };
            let fits = match &session.status {
                Status::Open => *open,
                Status::Closed { reason: why, .. } => {
                    !*open
                        && reason
                            .as_deref()
                            .is_none_or(|reason| reason == why.as_str())
                }
            };
            let expected = match (open, reason) {
                (true, _) => "the session to be open".to_owned(),
                (false, None) => "the session to be closed".to_owned(),
                (false, Some(reason)) => format!("the session to be closed, {reason}"),
            };
            // An open session must be open now; a closed one may take a while.
            if *open {
                Holds::now(fits, expected, got)
            } else {
                Holds::soon(fits, expected, got)
            }
        }
        StepKind::HandoffsEnded(count) => {
            let journal = stage.host.journal(&session.id, Revision(1)).await;
            let ended = journal
                .unwrap_or_default()
                .iter()
                .flat_map(|turn| turn.journal.clone())
                .filter(|entry| matches!(entry, Entry::HandoffEnded { .. }))
                .count();
            Holds::soon(
                ended == *count,
                format!("{count} handoffs to have ended"),
                format!("{ended}"),
            )
        }
        StepKind::Tally(wanted) => {
            let got = session.tally();
            let fits = got.gaps >= wanted.gaps
                && got.repeats >= wanted.repeats
                && got.reorders >= wanted.reorders;
            Holds::soon(fits, format!("at least {wanted:?}"), format!("{got:?}"))
        }
        StepKind::Signal(kind) => {
            let told = signals(stage, session).await;
            let kinds: Vec<String> = told.iter().filter_map(kind_of).collect();
            Holds::soon(
                kinds.contains(kind),
                format!("a signal {kind}"),
                format!("{kinds:?}"),
            )
        }
        StepKind::Notice { code, mentions } => {
            let told = signals(stage, session).await;
            let notices = told.iter().filter_map(|signal| match signal {
                Signal::Notice { code, message } => Some((code.as_str(), message.as_str())),
                _ => None,
            });
            let notices: Vec<_> = notices.collect();
            let fits = notices.iter().any(|(came, message)| {
                came == code && mentions.iter().all(|word| message.contains(word))
            });
            Holds::soon(
                fits,
                format!("the notice {code} with {mentions:?} in its message"),
                format!("{notices:?}"),
            )
        }
        StepKind::Error { code, mentions } => {
            let error = session.last_error.as_ref();
            let got = error.map(|error| (error.code.as_str(), error.message.as_str()));
            explained("error", code, mentions, got)
        }
        StepKind::EndDetail { code, mentions } => {
            let ended = session.last_handoff.as_ref();
            let detail = ended.and_then(|ended| ended.end.detail.as_ref());
            let got = detail.map(|detail| (detail.code.as_str(), detail.message.as_str()));
            explained("end detail", code, mentions, got)
        }
        other => Holds::Never {
            expected: format!("{other:?}"),
            got: "this step says nothing about a session".to_owned(),
        },
    }
}

/// What transports told about the session's handoffs so far.
async fn signals(stage: &Stage, session: &Session) -> Vec<Signal> {
    let journal = stage.host.journal(&session.id, Revision(1)).await;
    let entries = journal.unwrap_or_default();
    let entries = entries.iter().flat_map(|turn| turn.journal.clone());
    let signals = entries.filter_map(|entry| match entry {
        Entry::Signalled { signal, .. } => Some(signal),
        _ => None,
    });
    signals.collect()
}

/// A signal's kind, as it is written in a journal.
fn kind_of(signal: &Signal) -> Option<String> {
    let value = serde_json::to_value(signal).ok()?;
    Some(value.get("kind")?.as_str()?.to_owned())
}

/// Whether a code came, and a message that mentions what it should.
fn explained(what: &str, code: &str, mentions: &[String], got: Option<(&str, &str)>) -> Holds {
    let fits = got.is_some_and(|(came, message)| {
        came == code && mentions.iter().all(|word| message.contains(word))
    });
    Holds::soon(
        fits,
        format!("the {what} {code} with {mentions:?} in its message"),
        got.map_or_else(
            || "none".to_owned(),
            |(code, text)| format!("{code}: {text}"),
        ),
    )
}
