//! What a failed call means: try again, do without, or give up.

use super::protocol::{Call, Protocol};
use super::trouble::Trouble;
use crate::report::News;
use handoff_engine::time::Timestamp;

impl Protocol {
    pub(super) fn failed(
        &mut self,
        now: Timestamp,
        call: &Call,
        trouble: &Trouble,
        news: &mut News,
    ) {
        tracing::warn!(
            handoff = %self.handoff, code = trouble.code(), %trouble, "a call to Genesys failed"
        );
        match call {
            Call::Configuration => self.preparation_failed(now, trouble, news),
            Call::FindQueue(_) | Call::ListQueues => self.queue_not_found(now, trouble, news),
            Call::Connect | Call::Send(_) | Call::Ping => self.lost(now, trouble, news),
            Call::History { .. } => self.reading_failed(now, trouble, news),
            Call::ReadFile(_) | Call::Put { .. } => self.upload_failed(trouble, news),
            Call::Look { .. }
            | Call::Name(_)
            | Call::EstimatedWait { .. }
            | Call::SetAttributes { .. }
            | Call::Disconnect { .. }
            | Call::DisconnectAll { .. } => self.platform_failed(now, call, trouble, news),
        }
    }
}
