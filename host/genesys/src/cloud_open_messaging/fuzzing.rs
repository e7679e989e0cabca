//! The protocol as fuzz targets drive it: whatever webhooks, events and the Platform API may bring.
//!
//! What nobody asked for comes as a line of its own: a webhook's body, a trigger's body after
//! `trigger`, a frame of the notification socket after `frame`, or `followed` and `unfollowed`.

use super::calls::{Answer, Call, Event};
use super::protocol::Protocol;
use super::state::State;
use super::trigger::Trigger;
use super::trouble::Trouble;
use super::wire::Outbound;
use crate::driving;
use crate::following::{self, Tidings, tidings};
use crate::fuzzing::{self, Reply, Subject, handoff};
use crate::platform::PlatformError;
use crate::policy::FilePolicy;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::handoff::TransferRequest;
use handoff_engine::time::{Millis, Timestamp};
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
        Self::open(handoff(), &request, "QueueName", now)
    }

    fn resume(state: State, now: Timestamp) -> Self {
        Self::resume(handoff(), state, now)
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
        match event(self, text) {
            Some(event) => self.event(now, event),
            None => News::default(),
        }
    }

    fn woke(&mut self, now: Timestamp) -> News {
        self.woke(now)
    }

    fn next(&mut self, now: Timestamp) -> driving::Next<Call> {
        self.next(now)
    }

    fn replied(&mut self, now: Timestamp, call: Call, reply: &Reply) -> News {
        let answer = answer(&call, reply).map_err(Trouble::Platform);
        self.answer(now, &call, answer)
    }
}

/// What reaches a handoff of what came, past the switchboard and the notification socket.
fn event(protocol: &Protocol, text: &str) -> Option<Event> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let ours = |theirs: &str| protocol.conversation().is_none_or(|ours| ours == theirs);
    Some(match word {
        "followed" => Event::Followed,
        "unfollowed" => Event::Unfollowed {
            why: rest.to_owned(),
        },
        "frame" => {
            let Tidings::Of(following::Subject::Conversation(id), _) = tidings(rest) else {
                return None;
            };
            ours(&id).then_some(Event::Changed)?
        }
        "trigger" => {
            let trigger = Trigger::read(rest.as_bytes())?;
            let topic = trigger.topic;
            ours(&trigger.conversation).then_some(Event::Triggered { topic })?
        }
        _ => {
            let message: Outbound = serde_json::from_str(text).ok()?;
            let conversation = message.conversation_id.as_deref();
            let concerns = conversation.is_none_or(ours);
            concerns.then_some(Event::Heard(Box::new(message)))?
        }
    })
}

fn answer(call: &Call, reply: &Reply) -> Result<Answer, PlatformError> {
    Ok(match call {
        Call::FindIntegration { .. } => Answer::Integration(text(reply, "id")?.unwrap_or_default()),
        Call::FindQueue(_) => reply.of_the_platform().map(|_| Answer::QueueFound)?,
        Call::FilePolicy { .. } => Answer::Policy(reply.read::<FilePolicy>()?),
        Call::Post { .. } => Answer::Posted(reply.read()?),
        Call::Look { .. } => Answer::Conversation(reply.read()?),
        Call::Read { .. } => Answer::Message(reply.read()?),
        Call::Name(_) => Answer::Name(text(reply, "name")?),
        Call::EstimateWait { .. } => {
            let seconds = reply.read::<Value>()?["seconds"].as_u64();
            Answer::Wait(seconds.map(Millis::from_secs))
        }
        Call::Typing { .. }
        | Call::Confirm { .. }
        | Call::SetAttributes { .. }
        | Call::Disconnect { .. }
        | Call::DisconnectAll { .. } => reply.of_the_platform().map(|_| Answer::Done)?,
    })
}

fn text(reply: &Reply, member: &str) -> Result<Option<String>, PlatformError> {
    let body: Value = reply.read()?;
    Ok(body[member].as_str().map(str::to_owned))
}
