//! The protocol as fuzz targets drive it: whatever the event stream, the guest API and the Platform
//! API may bring.
//!
//! What nobody asked for comes as a line of its own: a frame, `listening`, or `deaf`.

use super::opening::Site;
use super::protocol::{Answer, Call, Event, Protocol};
use super::state::State;
use super::trouble::{Failure, Refusal};
use super::wire::{Frames, frame};
use crate::driving;
use crate::fuzzing::{self, Reply, Subject, handoff};
use crate::platform::Correlation;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::time::{Millis, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Plays a script from the opening of a handoff.
pub(crate) fn play(script: &[u8]) {
    fuzzing::play::<Protocol>(script);
}

/// Plays a script from a handle.
pub(crate) fn resume(handle: &str, script: &[u8]) {
    fuzzing::resume::<Protocol>(handle, script);
}

impl Subject for Protocol {
    type State = State;
    type Call = Call;

    fn open(request: TransferRequest, now: Timestamp) -> Self {
        Self::open(site(), handoff(), &request, now).expect("the site names a queue")
    }

    fn resume(state: State, now: Timestamp) -> Self {
        Self::resume(site(), handoff(), state, now)
    }

    fn state(&self) -> &State {
        self.state()
    }

    fn has_ended(&self) -> bool {
        self.state.end.has_ended()
    }

    fn command(&mut self, _now: Timestamp, command: Command) -> News {
        self.command(command)
    }

    fn heard(&mut self, now: Timestamp, text: &str) -> News {
        // There is nothing to listen to before the chat is open.
        if self.stream().is_none() {
            return News::default();
        }
        let event = match text {
            "listening" => Event::Listening,
            "deaf" => Event::Deaf {
                why: "the connection broke".to_owned(),
            },
            _ => match frame(text) {
                Ok(Frames::Closing | Frames::Other) | Err(_) => return News::default(),
                Ok(frame) => Event::Heard(frame),
            },
        };
        self.event(now, event)
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.woke(now)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.next(now)
    }

    fn replied(&mut self, now: Timestamp, call: Call, reply: &Reply) -> News {
        let answer = answer(&call, reply);
        self.answer(now, &call, answer)
    }
}

fn answer(call: &Call, reply: &Reply) -> Result<Answer, Failure> {
    Ok(match call {
        Call::FindQueue(_) => {
            let queue = reply.read::<Value>().map_err(Failure::Platform)?;
            Answer::Queue(queue["id"].as_str().unwrap_or_default().to_owned())
        }
        Call::EstimatedWait(_) => {
            let wait = reply.read::<Value>().map_err(Failure::Platform)?;
            Answer::EstimatedWait(wait["seconds"].as_u64().map(Millis::from_secs))
        }
        Call::SetAttributes(_) => {
            reply.of_the_platform().map_err(Failure::Platform)?;
            Answer::Done
        }
        Call::Create(_) => Answer::Created(read(reply)?),
        Call::Members { .. } => Answer::Members(read(reply)?),
        Call::Messages { .. } => Answer::Messages(read(reply)?),
        Call::Post(_) => Answer::Posted(read(reply)?),
        Call::Typing | Call::Leave => of_the_guest_api(reply).map(|_| Answer::Done)?,
    })
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, Failure> {
    let body = of_the_guest_api(reply)?;
    serde_json::from_slice(body).map_err(|error| Failure::Unknown {
        why: error.to_string(),
    })
}

fn of_the_guest_api(reply: &Reply) -> Result<&[u8], Failure> {
    let why = "the network is down".to_owned();
    match reply {
        Reply::Http { status, body, .. } if (200..300).contains(status) => Ok(body.as_bytes()),
        Reply::Http {
            status: 429,
            retry_after,
            ..
        } => Err(Failure::RateLimited {
            retry_after: Millis::from_secs(retry_after.unwrap_or(5)),
        }),
        Reply::Http {
            status: 408 | 500..=599,
            ..
        }
        | Reply::Lost => Err(Failure::Unknown { why }),
        Reply::Http { status, body, .. } => {
            let correlation = Correlation::default();
            let refusal = Refusal::new(*status, correlation, body.as_bytes());
            Err(Failure::Refused(refusal))
        }
        Reply::NotSent => Err(Failure::NotSent { why }),
    }
}

fn site() -> Site {
    Site {
        account: "acme".into(),
        organization: "org-1".to_owned(),
        deployment: "deployment-1".to_owned(),
        queue: Some("Support".to_owned()),
        has_platform: true,
    }
}
