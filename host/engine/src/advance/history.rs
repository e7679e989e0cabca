//! What was said: lines of this turn, and those of earlier ones where they are asked for.

use super::Advancing;
use crate::egress::Answer;
use crate::handoff::EndDetail;
use crate::session::{
    CloseReason, Entry, MAX_TRANSCRIPT_LINES, SessionLimits, Speaker, TranscriptLine,
};

impl Advancing<'_> {
    /// Adds a line to the transcript.
    pub(super) fn say(&mut self, speaker: Speaker, text: &str) {
        self.session.lines += 1;
        self.session.bytes += text.len() as u64;
        self.said.push(TranscriptLine {
            speaker,
            text: text.to_owned(),
            at: self.now,
        });
    }

    /// The last lines of the transcript, those of this turn included. If earlier ones can't be read, the turn
    /// is given up once it is made.
    pub(super) async fn transcript(&mut self) -> Vec<TranscriptLine> {
        let own = self.said.len();
        let wanted = MAX_TRANSCRIPT_LINES.saturating_sub(own);
        let mut lines = Vec::new();
        if wanted > 0 && self.session.lines > own as u64 {
            match self.history.transcript(&self.session.id, wanted).await {
                Ok(earlier) => lines = earlier,
                Err(error) => self.history_error = Some(error),
            }
        }
        lines.extend(
            self.said[own.saturating_sub(MAX_TRANSCRIPT_LINES)..]
                .iter()
                .cloned(),
        );
        lines
    }

    /// Closes a session that has become too long.
    pub(super) fn enforce(&mut self, limits: SessionLimits) {
        let entries = self.journal.iter();
        self.session.bytes += entries.map(weight).sum::<u64>();
        if !self.session.is_open() {
            return;
        }
        let (code, message) = if self.session.revision.0 >= limits.turns {
            let message = format!(
                "the session has been through {} turns, which is as many as this host allows; start \
                 another one, or raise the host's limit",
                limits.turns
            );
            ("session.too_many_turns", message)
        } else if self.session.bytes >= limits.bytes {
            let message = format!(
                "the session holds {} bytes of text, and this host allows {}; start another one, or raise \
                 the host's limit",
                self.session.bytes, limits.bytes
            );
            ("session.too_long", message)
        } else {
            return;
        };
        self.close(CloseReason::Error(EndDetail::new(code, message)));
    }
}

/// What an entry counts against a session's limit besides the lines that were said, in bytes.
fn weight(entry: &Entry) -> u64 {
    let bytes = match entry {
        Entry::Logged { text, .. } => text.len(),
        Entry::Called { call, .. } => match &call.answer {
            Answer::Answered(response) => response.body.len(),
            Answer::Failed(_) => 0,
        },
        _ => 0,
    };
    bytes as u64
}
