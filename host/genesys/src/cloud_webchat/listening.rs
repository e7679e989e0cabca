//! Whether the event stream is open, and what it means that it is not.
//!
//! Genesys routes a chat only once its stream is open, so one that never opens ends the handoff. One
//! that closes later costs promptness: the chat is read every few seconds instead, and whoever runs
//! the host is told if it lasts.

use super::protocol::Protocol;
use super::trouble::Trouble;
use crate::end::Observation;
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};

/// How long the event stream of a new chat may take to open. Without it nobody is told of the chat.
const LISTEN_WITHIN: Millis = Millis::from_mins(1);

/// How long the event stream may stay closed before that is said.
const WARN_AFTER: Millis = Millis::from_mins(1);

impl Protocol {
    /// The event stream is to be opened now.
    pub(super) fn await_stream(&mut self, now: Timestamp) {
        let why = "it was not opened in time".to_owned();
        self.deaf_since = Some((now, why));
    }

    /// The event stream is open.
    pub(super) fn listening(&mut self, now: Timestamp, news: &mut News) {
        self.deaf_since = None;
        self.reading.streaming(now, true);
        if let Some(chat) = self.chat_mut()
            && !std::mem::replace(&mut chat.listened, true)
        {
            news.changed = true;
        }
    }

    /// The event stream is closed.
    pub(super) fn deaf(&mut self, now: Timestamp, why: String) {
        let since = self.deaf_since.take().map_or(now, |(since, _)| since);
        self.deaf_since = Some((since, why));
        self.reading.streaming(now, false);
    }

    /// The event stream stays closed: a chat that was never heard of by anybody is given up, one that
    /// was is read instead.
    pub(super) fn still_deaf(&mut self, now: Timestamp, news: &mut News) {
        let Some((since, why)) = &self.deaf_since else {
            return;
        };
        let (since, why) = (*since, why.clone());
        let Some(chat) = self.chat() else { return };
        if !chat.listened && now.since(since) >= LISTEN_WITHIN {
            let host = host_of(&chat.stream);
            let trouble = Trouble::StreamUnreachable { host, why };
            return self.finish(Observation::Failed(trouble.detail()), news);
        }
        if now.since(since) >= WARN_AFTER && !std::mem::replace(&mut self.state.warned, true) {
            news.notice(
                "stream/closed",
                "genesys.events_unavailable",
                format!(
                    "What the agent does is seen a few seconds late, because the event stream of this chat is closed and cannot be opened again: {why}."
                ),
            );
        }
    }

    pub(super) fn deaf_until(&self) -> Option<Timestamp> {
        let (since, _) = self.deaf_since.as_ref()?;
        let limit = match self.chat() {
            Some(chat) if !chat.listened => LISTEN_WITHIN,
            Some(_) if !self.state.warned => WARN_AFTER,
            _ => return None,
        };
        Some(*since + limit)
    }
}

/// The host of an address, for a sentence. The rest may hold secrets.
fn host_of(uri: &str) -> String {
    let host = url::Url::parse(uri)
        .ok()
        .and_then(|url| Some(url.host_str()?.to_owned()));
    host.unwrap_or_else(|| "its host".to_owned())
}
