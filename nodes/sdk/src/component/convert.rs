//! Conversions between the contract's types and the SDK's.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Audience, CloseReason, EndDetail, EndReason, Fault, FaultKind, Outcome, SessionEnd, Target,
    Timestamp, TransferRequest, Trigger, UserMessage, bindings::handoff::node::types as wit,
    config,
};

pub(crate) fn trigger<S: DeserializeOwned>(
    trigger: wit::Trigger,
    state: Option<&str>,
) -> Result<Trigger<S>, Fault> {
    Ok(match trigger {
        wit::Trigger::Entered => Trigger::Entered,
        wit::Trigger::UserMessage(wit::UserMessage { id, text, at }) => Trigger::UserMessage {
            message: UserMessage {
                id,
                text,
                at: Timestamp(at),
            },
            state: config::read_state(state)?,
        },
        wit::Trigger::Returned(end) => Trigger::Returned {
            end: session_end(end),
            state: config::read_state(state)?,
        },
        wit::Trigger::TimedOut => Trigger::TimedOut {
            state: config::read_state(state)?,
        },
    })
}

pub(crate) fn session_end(end: wit::SessionEnd) -> SessionEnd {
    SessionEnd {
        reason: match end.reason {
            wit::EndReason::Completed => EndReason::Completed,
            wit::EndReason::UserLeft => EndReason::UserLeft,
            wit::EndReason::AgentLeft => EndReason::AgentLeft,
            wit::EndReason::Error => EndReason::Error,
        },
        last_agent: end.last_agent,
        detail: end
            .detail
            .map(|wit::EndDetail { code, message }| EndDetail { code, message }),
    }
}

pub(crate) fn outcome<S: Serialize>(outcome: Outcome<S>) -> Result<wit::Outcome, Fault> {
    Ok(match outcome {
        Outcome::Leave(port) => wit::Outcome::Leave(port.name.to_owned()),
        Outcome::Wait { state, timeout } => wit::Outcome::Wait(wit::Wait {
            state: write_state(&state)?,
            timeout: timeout.map(millis),
        }),
        Outcome::PushBot { bot, state } => wit::Outcome::PushBot(wit::PushBot {
            bot,
            state: write_state(&state)?,
        }),
        Outcome::Transfer { request, state } => {
            wit::Outcome::Transfer(transfer(*request, write_state(&state)?))
        }
        Outcome::Close(reason) => wit::Outcome::Close(match reason {
            CloseReason::Completed => wit::CloseReason::Completed,
            CloseReason::AgentLeft => wit::CloseReason::AgentLeft,
            CloseReason::UserLeft => wit::CloseReason::UserLeft,
            CloseReason::Error => wit::CloseReason::Error,
        }),
    })
}

fn transfer(request: TransferRequest, state: String) -> wit::Transfer {
    let options = request.options();
    wit::Transfer {
        account: request.account,
        target: match request.target {
            Target::Queue(name) => wit::Target::Queue(name),
            Target::AnyAgent => wit::Target::AnyAgent,
        },
        options,
        state,
    }
}

pub(crate) fn audience(audience: Audience) -> wit::Audience {
    match audience {
        Audience::User => wit::Audience::User,
        Audience::Agent => wit::Audience::Agent,
        Audience::Both => wit::Audience::Both,
    }
}

pub(crate) fn fault(fault: Fault) -> wit::Fault {
    let info = wit::FaultInfo {
        code: fault.code.into_owned(),
        message: fault.message,
        details: fault.details.map(|details| details.to_string()),
    };
    match fault.kind {
        FaultKind::InvalidConfig => wit::Fault::InvalidConfig(info),
        FaultKind::Retryable => wit::Fault::Retryable(info),
        FaultKind::Permanent => wit::Fault::Permanent(info),
    }
}

fn write_state<S: Serialize>(state: &S) -> Result<String, Fault> {
    serde_json::to_string(state).map_err(|error| {
        Fault::permanent(
            "node.bad_state",
            format!("The node can't write down what it has to remember: {error}."),
        )
    })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
