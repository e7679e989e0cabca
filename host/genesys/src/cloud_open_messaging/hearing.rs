//! What comes in by webhook: agents' messages, typing, and receipts for ours.
//!
//! Messages come in any order and more than once; `order` makes it one, for the price of half a
//! second. The webhook does not say who speaks. While something may have happened that no look has shown,
//! a person's message waits for the next look, so that the user is told who joined before being told
//! what they say, and never by whom it was not said. What waits is in the handle.

use super::protocol::Protocol;
use super::state::{Heard, Phase};
use super::wire::{Kind, Outbound, OutboundEvent};
use crate::carry::simplified_in;
use crate::content::{Shown, shown};
use crate::end::{LegId, Observation};
use crate::following::{Written, unnamed};
use crate::report::News;
use handoff_engine::content::Receipt;
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
            Kind::Receipt => self.hear_receipt(&message, news),
            Kind::Unknown => tracing::info!(id = message.id, "a webhook of an unknown type"),
        }
    }

    fn hear_message(&mut self, now: Timestamp, message: Outbound, news: &mut News) {
        let speaker = self.state.end.connected_agent().cloned();
        let speaker = speaker.filter(|_| !self.watch.is_behind());
        let person = message.is_from_a_person();
        let Phase::Open(talk) = &mut self.state.phase else {
            // The conversation is older than this handoff's first message.
            return;
        };
        let at = message.time().unwrap_or(now);
        let id = message.id.clone();
        let heard = Heard { message, speaker };
        let ready = talk.order.push(now, &id, at, heard);
        news.tally = Some(talk.order.tally());
        news.changed = true;
        if person {
            // Who speaks shows in the conversation alone: an agent may have answered whose coming no
            // event has told yet. The look takes less time than the message waits anyhow.
            self.watch.look_now(now);
        }
        self.tell_or_hold(ready, news);
    }

    /// Messages have waited long enough for earlier ones.
    pub(super) fn overtaken_no_more(&mut self, now: Timestamp, news: &mut News) {
        if let Phase::Open(talk) = &mut self.state.phase {
            let ready = talk.order.due(now);
            news.changed |= !ready.is_empty();
            self.tell_or_hold(ready, news);
        }
    }

    /// A look shows who wrote what, and in which order.
    pub(super) fn name_speakers(&mut self, written: &[Written]) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        talk.order.arrange(|heard| heard.place(&self.places));
        for heard in talk.held.iter_mut().chain(talk.order.waiting_mut()) {
            let writer = written.iter().find(|it| it.id == heard.message.id);
            if let Some(writer) = writer {
                heard.speaker.clone_from(&writer.by);
            }
        }
    }

    /// A look shows who came and went, which the caller tells next. Of what was heard, the words of
    /// those who are known to be there come before that.
    pub(super) fn heard_before(&mut self, seen: &[Observation], news: &mut News) {
        let signals = self.state.end.clone().observe(seen.to_vec());
        let leaves = |agent: &Agent| {
            signals.iter().any(
                |signal| matches!(signal, Signal::AgentLeft { agent: other } if other.is(agent)),
            )
        };
        if let Phase::Open(talk) = &mut self.state.phase {
            // Words go before their speaker does; all others may still be overtaken.
            let last = |heard: &Heard| heard.speaker.as_ref().is_some_and(leaves);
            let ready = talk.order.flush_through(last);
            talk.held.extend(ready);
        }
        self.release(news, |protocol, heard| {
            let end = &protocol.state.end;
            heard.speaker.as_ref().is_some_and(|it| end.has_joined(it))
        });
    }

    fn tell_or_hold(&mut self, ready: Vec<Heard>, news: &mut News) {
        for Heard { message, speaker } in ready {
            let agent = || self.state.end.connected_agent().cloned();
            let speaker = speaker.or_else(agent);
            let unknown = message.is_from_a_person() && speaker.is_none();
            let unsure = message.is_from_a_person() && self.watch.is_behind();
            let waits = unknown || unsure || self.holds_some() || self.reading.reads_theirs();
            if waits && self.can_find_out() {
                self.hold(message, speaker.filter(|_| !unsure));
                continue;
            }
            if unknown {
                // Nobody is ever seen; the words themselves show that somebody is there.
                let leg = LegId::new("unseen");
                let agent = unnamed();
                self.observe([Observation::Connected { leg, agent }], news);
            }
            self.tell_message(&message, speaker, news);
        }
    }

    fn holds_some(&self) -> bool {
        matches!(&self.state.phase, Phase::Open(talk) if !talk.held.is_empty())
    }

    /// Whether a look can show who speaks.
    fn can_find_out(&self) -> bool {
        let blind = self.blind_until != Timestamp(0);
        !blind && self.conversation().is_some()
    }

    /// Keeps a message until a look shows who speaks.
    pub(super) fn hold(&mut self, message: Outbound, speaker: Option<Agent>) {
        if let Phase::Open(talk) = &mut self.state.phase {
            talk.held.push(Heard { message, speaker });
        }
    }

    /// Tells everything that waits, whatever it waits for.
    pub(super) fn release_all(&mut self, news: &mut News) {
        if let Phase::Open(talk) = &mut self.state.phase {
            let ready = talk.order.flush();
            talk.held.extend(ready);
        }
        self.release_held(news);
    }

    /// Tells what waited for its speaker to be known, known or not.
    pub(super) fn release_held(&mut self, news: &mut News) {
        self.release(news, |_, _| true);
    }

    /// Tells what waited for a look that was answered. What came after that was asked for waits on.
    pub(super) fn release_seen(&mut self, news: &mut News) {
        self.release(news, |protocol, heard| {
            heard.speaker.is_some() || !protocol.watch.is_behind()
        });
    }

    /// Tells what is held, in order, up to the first that may not be told yet.
    fn release(&mut self, news: &mut News, may: impl Fn(&Self, &Heard) -> bool) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        let mut held = std::mem::take(&mut talk.held);
        held.sort_by_key(|heard| heard.place(&self.places));
        let first = held.iter().position(|heard| !may(self, heard));
        let kept = held.split_off(first.unwrap_or(held.len()));
        for Heard { message, speaker } in held {
            self.tell_message(&message, speaker, news);
            news.changed = true;
        }
        if let Phase::Open(talk) = &mut self.state.phase {
            talk.held = kept;
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
        let agent = || self.state.end.connected_agent().cloned();
        let from = message
            .is_from_a_person()
            .then(|| speaker.or_else(agent).unwrap_or_else(unnamed));
        let id = &message.id;
        let shown = shown(message.text.as_deref(), &message.content);
        simplified_in(id, &shown.simplified, !shown.text.is_empty(), news);
        if !shown.is_empty() {
            news.tell(key_of(message), said(message, from, shown));
        }
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

    /// What became of a message of the user's.
    fn hear_receipt(&mut self, message: &Outbound, news: &mut News) {
        let status = message.status.as_deref().unwrap_or_default();
        let receipt = match status {
            "Delivered" | "Published" => Receipt::Delivered,
            "Read" => Receipt::Read,
            "Failed" => Receipt::Failed,
            _ => return,
        };
        if let Phase::Open(talk) = &mut self.state.phase {
            let theirs = message.channel.message_id.as_deref();
            let mut ids = [Some(message.id.as_str()), theirs].into_iter().flatten();
            if !ids.any(|id| talk.receipts.came(id, receipt, news)) {
                tracing::debug!(id = message.id, "a receipt that is not waited for");
            }
        }
        if receipt == Receipt::Failed {
            news.notice(
                format!("receipt/{}", message.id),
                "genesys.message_not_delivered",
                format!(
                    "A message from the user did not reach the agent: {}.",
                    reasons(message)
                ),
            );
        }
    }
}

fn reasons(receipt: &Outbound) -> String {
    let reasons: Vec<_> = receipt
        .reasons
        .iter()
        .filter_map(|reason| reason["message"].as_str().or(reason["code"].as_str()))
        .collect();
    if reasons.is_empty() {
        "Genesys gave no reason".to_owned()
    } else {
        reasons.join("; ")
    }
}

/// The key under which a message is told, whoever tells it.
pub(super) fn key_of(message: &Outbound) -> String {
    format!("message/{}", message.id)
}

/// A message as the user's side is told it.
pub(super) fn said(message: &Outbound, from: Option<Agent>, shown: Shown) -> Signal {
    Signal::Message {
        message_id: message.id.clone(),
        from,
        text: shown.text,
        content: shown.content,
        at: message.time().unwrap_or_default(),
    }
}
