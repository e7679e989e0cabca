//! `conversation`: what was said, and saying something.

use crate::node::bindings::handoff::node::conversation::{Host, Line, SendError, Speaker};
use crate::node::bindings::handoff::node::types::Audience;
use crate::node::state::{OutgoingMessage, StepState};
use crate::session::{MAX_TRANSCRIPT_LINES, Speaker as SessionSpeaker, TranscriptLine};

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

    async fn transcript(&mut self, limit: u32) -> Vec<Line> {
        let host = &mut self.host;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let wanted = wanted.min(MAX_TRANSCRIPT_LINES);
        let own = &host.said[host.said.len().saturating_sub(wanted)..];
        let earlier = wanted - own.len();
        let mut lines = Vec::new();
        if earlier > 0
            && host.lines > host.said.len() as u64
            && let Some((session, history)) = &host.history
        {
            match history.transcript(session, earlier).await {
                Ok(earlier) => lines.extend(earlier.iter().map(Line::from)),
                Err(error) => host.history_error = Some(error),
            }
        }
        lines.extend(own.iter().map(Line::from));
        lines
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
