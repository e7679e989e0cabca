//! What leaves the outbox: because it arrived, because it had arrived already, or because there is no
//! way to send it.

use super::protocol::Protocol;
use crate::carry::Part;
use crate::echoes::is_blank;
use crate::outbox::First;
use crate::report::News;

/// Completes "did not reach the agent: ".
const NO_ATTRIBUTES: &str = "WebChat takes attributes only when a chat is opened; give the account an oauth-client, so that they can be set later";

impl Protocol {
    /// What is first in the outbox has arrived.
    pub(super) fn first_arrived(&mut self, news: &mut News) {
        self.sending = None;
        self.state.outbox.delivered_first(news);
    }

    /// Settles what needs no sending: texts found in the history, blank ones, which Genesys refuses,
    /// and attributes nobody takes.
    pub(super) fn settle_what_arrived(&mut self, news: &mut News) {
        while let Some(first) = self.state.outbox.first() {
            match first {
                First::Part(_, part) if is_blank(text_of(part)) => {
                    self.state.outbox.sent_first(news);
                }
                First::Part(_, part) if self.state.echoes.claim(text_of(part)) => {
                    self.first_arrived(news);
                }
                First::Attributes(_) if !self.site.has_platform => {
                    self.state.outbox.give_up_first(NO_ATTRIBUTES, news);
                }
                First::Part(..) | First::Attributes(_) => return,
            }
        }
    }
}

/// The text of a part. [`WEB_CHAT`] makes nothing but texts; whatever else it were is shown by what the
/// platform repeats of it.
pub(super) fn text_of(part: &Part) -> &str {
    part.echo()
}
