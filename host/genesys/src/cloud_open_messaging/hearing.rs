//! What comes in by webhook: agents' messages, typing, and receipts for ours.
//!
//! Redeliveries are recognised by their ids. A message from a person nobody has been seen to be waits
//! for the next look, so that the user is told who joined before being told what they say; what waits
//! is in the handle, and goes out in order of the platform's time. A message is never held back for
//! one that might still come before it: that would delay all for the sake of few.

use super::protocol::{Event, Protocol};
use super::state::Phase;
use super::wire::{Kind, Outbound, OutboundEvent};
use crate::carry::simplified_in;
use crate::content::shown;
use crate::following::unnamed;
use crate::report::News;
use handoff_engine::handoff::{Agent, Signal};
use handoff_engine::time::{Millis, Timestamp};

/// How long typing shows if Genesys does not say.
const TYPING_SHOWS: Millis = Millis::from_secs(5);

impl Protocol {
    pub(super) fn hear(&mut self, now: Timestamp, message: Outbound, news: &mut News) {
        if let (Phase::Open(talk), Some(id)) = (&mut self.state.phase, &message.conversation_id)
            && talk.conversation.is_none()
        {
            talk.conversation = Some(id.clone());
            self.watch.look_now(now);
            news.changed = true;
        }
        match message.kind {
            Kind::Text | Kind::Structured => self.hear_message(now, message, news),
            Kind::Event => self.hear_events(now, &message, news),
            Kind::Receipt => hear_receipt(&message, news),
            Kind::Unknown => tracing::info!(id = message.id, "a webhook of an unknown type"),
        }
    }

    fn hear_message(&mut self, now: Timestamp, message: Outbound, news: &mut News) {
        let unknown_speaker =
            message.is_from_a_person() && self.state.end.connected_agent().is_none();
        let Phase::Open(talk) = &mut self.state.phase else {
            // The conversation is older than this handoff's first message.
            return;
        };
        if !talk.remember(&message.id) {
            tracing::debug!(id = message.id, "a webhook delivered again");
            return;
        }
        news.changed = true;
        if unknown_speaker && talk.conversation.is_some() {
            talk.held.push(message);
            self.watch.look_now(now);
            return;
        }
        self.tell_message(&message, None, news);
    }

    /// Tells what waited for its speaker to be known.
    pub(super) fn release_held(&mut self, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        let mut held = std::mem::take(&mut talk.held);
        held.sort_by_key(Outbound::time);
        for message in held {
            self.tell_message(&message, None, news);
        }
    }

    /// Tells the user's side a message. Without a given speaker a person's is the connected agent's.
    pub(super) fn tell_message(
        &mut self,
        message: &Outbound,
        speaker: Option<Agent>,
        news: &mut News,
    ) {
        self.agent_typing = None;
        let id = &message.id;
        let shown = shown(message.text.as_deref(), &message.content);
        simplified_in(id, &shown.simplified, !shown.text.is_empty(), news);
        if shown.is_empty() {
            return;
        }
        let agent = || self.state.end.connected_agent().cloned();
        let from = speaker.or_else(|| {
            message
                .is_from_a_person()
                .then(|| agent().unwrap_or_else(unnamed))
        });
        news.tell(
            format!("message/{id}"),
            Signal::Message {
                message_id: id.clone(),
                from,
                text: shown.text,
                content: shown.content,
                at: message.time().unwrap_or_default(),
            },
        );
    }

    fn hear_events(&mut self, now: Timestamp, message: &Outbound, news: &mut News) {
        let is_typing = |event: &&OutboundEvent| event.event_type == "Typing";
        let Some(event) = message.events.iter().find(is_typing) else {
            return;
        };
        let typing = event.typing.clone().unwrap_or_default();
        let key = format!("typing/{}", message.id);
        if typing.kind == "Off" {
            self.agent_typing = None;
            return news.tell(key, Signal::Typing { on: false });
        }
        let shows = typing.duration.map_or(TYPING_SHOWS, Millis);
        if self.agent_typing.is_none() {
            news.tell(key.clone(), Signal::Typing { on: true });
        }
        self.agent_typing = Some((now + shows, key));
    }

    /// Genesys says when typing begins and how long it shows, never that it stopped.
    pub(super) fn agent_stopped_typing(&mut self, now: Timestamp, news: &mut News) {
        if let Some((until, key)) = &self.agent_typing
            && *until <= now
        {
            news.tell(format!("{key}/over"), Signal::Typing { on: false });
            self.agent_typing = None;
        }
    }
}

/// Puts events that came together in order: Genesys delivers webhooks in any, and the platform's time
/// tells which came first. What happens beside the webhooks goes before them.
pub(super) fn in_order(events: &mut [Event]) {
    events.sort_by_key(|event| match event {
        Event::Heard(message) => (1, message.time()),
        Event::Changed | Event::Followed | Event::Unfollowed { .. } => (0, None),
    });
}

fn hear_receipt(receipt: &Outbound, news: &mut News) {
    if receipt.status.as_deref() != Some("Failed") {
        return;
    }
    let reasons: Vec<_> = receipt
        .reasons
        .iter()
        .filter_map(|reason| reason["message"].as_str().or(reason["code"].as_str()))
        .collect();
    let reasons = if reasons.is_empty() {
        "Genesys gave no reason".to_owned()
    } else {
        reasons.join("; ")
    };
    news.notice(
        format!("receipt/{}", receipt.id),
        "genesys.message_not_delivered",
        format!("A message from the user did not reach the agent: {reasons}."),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_came_together_are_put_in_order_of_the_platforms_time() {
        let heard = |id: &str, second: u8| {
            let channel = serde_json::json!({"time": format!("2026-01-05T10:00:0{second}.000Z")});
            let message = serde_json::json!({"id": id, "channel": channel});
            Event::Heard(serde_json::from_value(message).expect("a message"))
        };
        let mut events = [heard("b", 2), heard("a", 1), Event::Changed, heard("c", 3)];
        in_order(&mut events);
        let ids: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Heard(message) => message.id.as_str(),
                _ => "changed",
            })
            .collect();
        assert_eq!(ids, ["changed", "a", "b", "c"]);
    }
}
