//! `conversation`: what was said, and saying something.

use crate::node::bindings::handoff::node::conversation::{Host, Line, SendError, Speaker};
use crate::node::bindings::handoff::node::types::Audience;
use crate::node::state::{OutgoingMessage, StepState};
use crate::session::{Speaker as SessionSpeaker, TranscriptLine};

impl Host for StepState {
    fn send(&mut self, to: Audience, text: String) -> Result<(), SendError> {
        if text.len() > self.limits.message {
            let limit = u32::try_from(self.limits.message).unwrap_or(u32::MAX);
            return Err(SendError::TooLong(limit));
        }
        if self.host.messages.len() >= self.limits.messages {
            let limit = u32::try_from(self.limits.messages).unwrap_or(u32::MAX);
            return Err(SendError::TooMany(limit));
        }
        self.host.messages.push(OutgoingMessage { to, text });
        Ok(())
    }

    fn transcript(&mut self, limit: u32) -> Vec<Line> {
        let lines = &self.host.transcript;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        lines[lines.len().saturating_sub(wanted)..]
            .iter()
            .map(Line::from)
            .collect()
    }
}

impl From<&TranscriptLine> for Line {
    fn from(line: &TranscriptLine) -> Self {
        let (speaker, name) = match &line.speaker {
            SessionSpeaker::User => (Speaker::User, None),
            SessionSpeaker::Bot(name) => (Speaker::Bot, Some(name.clone())),
            SessionSpeaker::Agent(name) => (Speaker::Agent, Some(name.clone())),
            SessionSpeaker::System => (Speaker::System, None),
        };
        Self {
            speaker,
            name,
            text: line.text.clone(),
            at: line.at.0,
        }
    }
}
