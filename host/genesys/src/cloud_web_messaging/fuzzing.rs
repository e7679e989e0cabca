//! The protocol as fuzz targets drive it: whatever the guest's socket, the history, the deployment's
//! configuration and the Platform API may bring.
//!
//! What nobody asked for comes as a line of its own: a frame, in which `$tracing` stands for the id
//! of the last request; `lost` and `alive` of the socket; `changed`, `followed`, `unfollowed` and
//! `seen` with a queue's event body of the Platform API's events.

use super::protocol::{Answer, Call, Event, Protocol, Site};
use super::state::State;
use super::token::Tokens;
use super::trouble::Trouble;
use crate::driving;
use crate::following::{Happening, Tidings, tidings};
use crate::fuzzing::{self, Reply, Subject, handoff};
use crate::media::{File, MediaError};
use crate::platform::{ErrorBody, PlatformError};
use crate::report::News;
use crate::transport::Command;
use bytes::Bytes;
use handoff_engine::account::SecondHandoff;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::time::{Millis, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::Value;

const DOING: &str = "do this";

/// Plays a script from the opening of a handoff.
pub(crate) fn play(script: &[u8]) {
    fuzzing::play::<Guest>(script);
}

/// Plays a script from a handle.
pub(crate) fn resume(handle: &str, script: &[u8]) {
    fuzzing::resume::<Guest>(handle, script);
}

/// A protocol, and the id by which its last request is answered.
struct Guest {
    protocol: Protocol,
    tracing: String,
}

impl From<Protocol> for Guest {
    fn from(protocol: Protocol) -> Self {
        Self {
            protocol,
            tracing: String::new(),
        }
    }
}

impl Subject for Guest {
    type State = State;
    type Call = Call;

    fn open(request: TransferRequest, now: Timestamp) -> Self {
        Protocol::open(handoff(), &request, site(), now).into()
    }

    fn resume(state: State, now: Timestamp) -> Self {
        Protocol::resume(handoff(), state, site(), now).into()
    }

    fn state(&self) -> &State {
        self.protocol.state()
    }

    fn has_ended(&self) -> bool {
        self.protocol.state.end.has_ended()
    }

    fn command(&mut self, now: Timestamp, command: Command) -> News {
        self.protocol.command(now, command)
    }

    fn heard(&mut self, now: Timestamp, text: &str) -> News {
        match self.event(text) {
            Some(event) => self.protocol.event(now, event),
            None => News::default(),
        }
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.protocol.woke(now)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.protocol.next(now)
    }

    fn replied(&mut self, now: Timestamp, call: Call, reply: &Reply) -> News {
        if let Call::Send(request) = &call
            && let Some(tracing) = &request.tracing_id
        {
            self.tracing.clone_from(tracing);
        }
        let answer = answer(&call, reply);
        self.protocol.answer(now, &call, answer)
    }
}

impl Guest {
    fn event(&self, text: &str) -> Option<Event> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        // Without an OAuth client's subject nothing is followed.
        let follows = !self.protocol.subjects().is_empty();
        match word {
            "changed" if follows => return Some(Event::Changed),
            "followed" if follows => return Some(Event::Followed),
            "unfollowed" if follows => {
                let why = rest.to_owned();
                return Some(Event::Unfollowed { why });
            }
            "seen" if follows => {
                let Tidings::Of(_, Happening::Seen(snapshot)) = tidings(rest) else {
                    return None;
                };
                return Some(Event::Seen(snapshot));
            }
            _ => {}
        }
        if !self.protocol.line.has_socket() {
            return None;
        }
        Some(match word {
            "alive" => Event::Alive,
            "lost" => Event::Lost {
                why: "Genesys closed the socket".to_owned(),
            },
            _ => Event::Frame(text.replace("$tracing", &self.tracing)),
        })
    }
}

fn answer(call: &Call, reply: &Reply) -> Result<Answer, Trouble> {
    Ok(match call {
        Call::Configuration => Answer::Configuration(read(reply)?),
        Call::History { .. } => Answer::Page(read(reply)?),
        Call::Connect | Call::Send(_) | Call::Ping | Call::Put { .. } => {
            of_the_guest_api(reply).map(|_| Answer::Done)?
        }
        Call::ReadFile(url) => match reply.of_the_platform() {
            Ok(body) => Answer::File(File {
                name: "cat.png".to_owned(),
                mime: "image/png".to_owned(),
                bytes: Bytes::copy_from_slice(body),
            }),
            Err(_) => return Err(MediaError::Unknown { url: url.clone() }.into()),
        },
        Call::FindQueue(_) | Call::ListQueues => {
            Answer::Queues(text(reply, "id")?.into_iter().collect())
        }
        Call::Look { .. } => Answer::Conversation(reply.read()?),
        Call::Name(_) => Answer::Name(text(reply, "name")?),
        Call::EstimatedWait { .. } => {
            let seconds = reply.read::<Value>()?["seconds"].as_u64();
            Answer::Wait(seconds.map(Millis::from_secs))
        }
        Call::SetAttributes { .. } | Call::Disconnect { .. } | Call::DisconnectAll { .. } => {
            reply.of_the_platform().map(|_| Answer::Done)?
        }
    })
}

fn text(reply: &Reply, member: &str) -> Result<Option<String>, PlatformError> {
    let body: Value = reply.read()?;
    Ok(body[member].as_str().map(str::to_owned))
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, Trouble> {
    let body = of_the_guest_api(reply)?;
    serde_json::from_slice(body).map_err(|error| Trouble::Unreadable {
        doing: DOING,
        why: error.to_string(),
    })
}

fn of_the_guest_api(reply: &Reply) -> Result<&[u8], Trouble> {
    match reply {
        Reply::Http { status, body, .. } if (200..300).contains(status) => Ok(body.as_bytes()),
        Reply::Http {
            status,
            retry_after,
            body,
        } => {
            let refusal: ErrorBody = serde_json::from_str(body).unwrap_or_default();
            let wait = retry_after.map(Millis::from_secs);
            Err(Trouble::of_status(DOING, *status, wait, refusal.message))
        }
        Reply::NotSent | Reply::Lost => Err(Trouble::Unreachable {
            why: "the network is down".to_owned(),
        }),
    }
}

fn site() -> Site {
    Site {
        deployment: "d1".to_owned(),
        queue_attribute: "QueueName".to_owned(),
        tokens: Tokens {
            account: "acme".into(),
            deployment: "d1".to_owned(),
            second_handoff: SecondHandoff::default(),
            secret: Some("a-secret".to_owned()),
        },
        has_platform: true,
    }
}
