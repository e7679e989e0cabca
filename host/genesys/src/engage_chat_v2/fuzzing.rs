//! The protocol as fuzz targets drive it: whatever a server may answer.

use super::calls::{Answer, Call, Operation};
use super::driver;
use super::protocol::{Protocol, Site, State};
use super::trouble::Failure;
use crate::driving;
use crate::fuzzing::{self, Reply, Subject, handoff};
use crate::report::News;
use crate::transport::Command;
use handoff_engine::content::Attachment;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::time::{Millis, Timestamp};

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
        Self::open(site(), handoff(), request, now)
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

    /// Engage tells nothing that was not asked for.
    fn heard(&mut self, _now: Timestamp, _text: &str) -> News {
        News::default()
    }

    fn woke(&mut self, _now: Timestamp) -> News {
        News::default()
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.next(now)
    }

    fn replied(&mut self, now: Timestamp, call: Call, reply: &Reply) -> News {
        let answer = answer(&call, reply);
        self.answer(now, call.operation, answer)
    }
}

fn answer(call: &Call, reply: &Reply) -> Result<Answer, Failure> {
    let why = "the network is down".to_owned();
    match reply {
        Reply::Http {
            status,
            retry_after,
            body,
        } => {
            let envelope = driver::read(*status, *retry_after, body.as_bytes());
            match (call.operation, envelope) {
                // A file is kept, whatever its bytes.
                (Operation::Download, Ok(_) | Err(Failure::Unknown { .. })) => {
                    Ok(Answer::Kept(Attachment {
                        name: call.name.clone(),
                        mime: "text/plain".to_owned(),
                        url: "https://host.example.org/v1/media/1/file".to_owned(),
                        size: Some(body.len() as u64),
                    }))
                }
                (_, envelope) => envelope.map(Answer::from),
            }
        }
        Reply::NotSent => Err(Failure::NotSent { why }),
        Reply::Lost => Err(Failure::Unknown { why }),
    }
}

fn site() -> Site {
    Site {
        account: "gms".into(),
        url: "http://gms.example.org".to_owned(),
        service: "customer-support".to_owned(),
        queue_attribute: "QueueName".to_owned(),
        poll_interval: Millis::from_secs(3),
    }
}
