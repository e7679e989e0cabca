//! How a handoff ends: once, and only after everything before it has been told.
//!
//! That a conversation is over may be heard before its last messages, and before it is known who ended
//! it. So the history is read once more, and where the Platform API may be asked the conversation is
//! looked at once more; both for a while only, because the user waits.

use super::protocol::Protocol;
use super::reading::Purpose;
use super::trouble::Trouble;
use crate::end::Observation;
use crate::giving_up;
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};

/// How long the end waits for what is still to be read, should the network be down.
const AT_MOST: Millis = Millis::from_mins(2);

impl Protocol {
    pub(super) fn observe(
        &mut self,
        batch: impl IntoIterator<Item = Observation>,
        news: &mut News,
    ) {
        self.state.end.observe_into(batch, news);
    }

    /// The conversation is seen to be over.
    pub(super) fn close(&mut self, now: Timestamp) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        if talk.closing.is_some() {
            return;
        }
        talk.closing = Some(now);
        self.reading.want(now, Purpose::CatchUp { gaps: true });
        self.tracking
            .look_last(now, self.state.tracked.conversation.is_some());
    }

    /// A host that takes over goes on with ending what was seen to be over.
    pub(super) fn close_on(&mut self, now: Timestamp) {
        let talk = self.state.talk_mut();
        if talk.and_then(|talk| talk.closing.take()).is_some() {
            self.close(now);
        }
    }

    pub(super) fn closing_deadline(&self) -> Option<Timestamp> {
        let talk = self.state.talk()?;
        talk.closing.map(|since| since + AT_MOST)
    }

    /// Ends the handoff once nothing is left to be read, or that takes too long.
    pub(super) fn finish_if_done(&mut self, now: Timestamp, news: &mut News) {
        if self.state.end.has_ended() {
            return;
        }
        let Some(until) = self.closing_deadline() else {
            return;
        };
        let done = !self.reading.is_wanted() && !self.tracking.is_looking_last();
        if done || until <= now {
            self.finish(Observation::Closed, news);
        }
    }

    /// Ends the handoff because it cannot go on.
    pub(super) fn fail(&mut self, trouble: &Trouble, news: &mut News) {
        tracing::warn!(
            handoff = %self.handoff, code = trouble.code(), %trouble,
            "a handoff cannot go on"
        );
        self.finish(Observation::Failed(trouble.detail()), news);
    }

    /// Ends the handoff. What came is told before, and what can no longer be sent is said.
    pub(super) fn finish(&mut self, last: Observation, news: &mut News) {
        if let Some(talk) = self.state.talk_mut() {
            let waiting = talk.order.flush();
            talk.held.extend(waiting);
            self.release_held(news);
            if last == Observation::Closed {
                self.infer_closer(news);
            }
        }
        if self.state.is_opened() {
            let riding = std::mem::take(&mut self.state.riding);
            self.state.outbox.attributes(riding);
        }
        let state = &mut self.state;
        giving_up::finish(&mut state.outbox, &mut state.end, last, news);
    }
}
