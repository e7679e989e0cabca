//! What the event stream brings: messages, members that change, typing.
//!
//! Messages wait for those before them to be read, a moment at most, and longer if it is not known who
//! speaks. A frame tells of a member no more than an id and a state, so one nobody knows yet prompts a
//! reading: it tells who that is, and who came before. Departures and the end wait for one too,
//! because one lost frame can turn a close into a decline.

use super::protocol::Protocol;
use super::state::Phase;
use super::wire::{BodyType, Frames, MemberState, Message, Typing};
use crate::carry::simplified_in;
use crate::report::News;
use handoff_engine::handoff::Signal;
use handoff_engine::time::{Millis, Timestamp};

/// Genesys never says that typing stopped (PROTOCOLS 2.4).
const TYPING_SHOWS: Millis = Millis::from_secs(4);

/// How long a message waits beyond its moment for a reading that fails.
const PATIENCE: Millis = Millis::from_secs(5);

impl Protocol {
    pub(super) fn hear(&mut self, now: Timestamp, frame: Frames, news: &mut News) {
        match frame {
            Frames::Message(message) => self.hear_message(now, message, news),
            Frames::Member(change) => self.hear_member(now, &change.member, news),
            Frames::Typing(typing) => self.hear_typing(now, &typing, news),
            Frames::Closing | Frames::Other => {}
        }
    }

    fn hear_message(&mut self, now: Timestamp, message: Message, news: &mut News) {
        let Phase::Open(chat) = &mut self.state.phase else {
            return;
        };
        if chat.is_ours(&message.sender.id) {
            self.reading.read_soon(now);
            // Known by the answer to our sending it; if not, that answer was lost.
            if chat.order.remember(&message.id) && message.body_type == BodyType::Standard {
                let text = message.body.as_deref().unwrap_or_default();
                self.state.echoes.seen(text);
            }
            return;
        }
        if self.reading.was_expected(&message.id) {
            return;
        }
        if !chat.order.knows(&message.id) {
            self.reading.read_messages(now);
        }
        let sender = message.sender.id.as_str();
        if !sender.is_empty() && chat.members.meet(sender).role.is_none() {
            self.reading.read_now(now);
        }
        let at = message.timestamp.unwrap_or(now);
        let id = message.id.clone();
        chat.order.put(now, &id, at, message);
        news.tally = Some(chat.order.tally());
    }

    fn hear_member(&mut self, now: Timestamp, change: &MemberState, news: &mut News) {
        let Some(chat) = self.chat_mut() else { return };
        let ours = chat.is_ours(&change.id);
        let member = chat.members.meet(&change.id);
        if !member.is_now(change.state) {
            return;
        }
        let left = member.has_left() && (ours || member.is_agent());
        let stranger = member.role.is_none();
        self.reading.read_soon(now);
        if left || stranger {
            self.reading.read_now(now);
        } else {
            self.came(&change.id, news);
        }
    }

    fn hear_typing(&mut self, now: Timestamp, typing: &Typing, news: &mut News) {
        let ours = |member: &str| self.chat().is_none_or(|chat| chat.is_ours(member));
        if ours(&typing.sender.id) {
            return;
        }
        let key = format!("typing/{}", typing.id);
        if self.agent_typing.is_none() {
            news.tell(key.clone(), Signal::Typing { on: true });
        }
        self.agent_typing = Some((now + TYPING_SHOWS, key));
    }

    pub(super) fn agent_stopped_typing(&mut self, now: Timestamp, news: &mut News) {
        if let Some((until, key)) = &self.agent_typing
            && *until <= now
        {
            news.tell(format!("{key}/over"), Signal::Typing { on: false });
            self.agent_typing = None;
        }
    }

    /// When the next message has waited long enough: a moment, or longer if the reading that would
    /// bring those before it is still to succeed.
    pub(super) fn tell_by(&self, now: Timestamp) -> Option<Timestamp> {
        let deadline = self.chat()?.order.deadline()?;
        Some(if self.reading.is_wanted(now) {
            deadline + PATIENCE
        } else {
            deadline
        })
    }

    /// Tells what has waited long enough and has a known sender.
    pub(super) fn release(&mut self, now: Timestamp, news: &mut News) {
        let ready = self.tell_by(now).is_some_and(|by| by <= now);
        let Some(chat) = self.chat_mut() else { return };
        if ready {
            chat.held.extend(chat.order.due(now));
        }
        let waiting = std::mem::take(&mut chat.held);
        for message in waiting {
            self.say_or_hold(message, news);
        }
    }

    /// Tells everything there is, whoever said it: the end comes next.
    pub(super) fn tell_all(&mut self, news: &mut News) {
        let Some(chat) = self.chat_mut() else { return };
        let mut waiting = std::mem::take(&mut chat.held);
        waiting.extend(chat.order.flush());
        for message in waiting {
            self.tell_message(&message, news);
        }
    }

    /// Tells a message, unless its sender, or that of an earlier one, is still to be known.
    pub(super) fn say_or_hold(&mut self, message: Message, news: &mut News) {
        let Some(chat) = self.chat_mut() else { return };
        let sender = &message.sender.id;
        let known = sender.is_empty() || chat.members.meet(sender).role.is_some();
        if known && chat.held.is_empty() {
            self.tell_message(&message, news);
        } else {
            chat.held.push_back(message);
            news.changed = true;
        }
    }

    fn tell_message(&mut self, message: &Message, news: &mut News) {
        let sender = message.sender.id.as_str();
        if message.is_of_someone_there() {
            if let Some(chat) = self.chat_mut() {
                chat.members.meet(sender).has_answered();
            }
            self.came(sender, news);
        }
        let kind = match &message.body_type {
            BodyType::MemberJoin | BodyType::MemberLeave => return,
            BodyType::Standard | BodyType::Notice => None,
            BodyType::MediaRequest => Some("a media request"),
            BodyType::Other(kind) => Some(kind.as_str()),
        };
        let text = message.body.clone().unwrap_or_default();
        let shown = !text.trim().is_empty();
        let simplified: Vec<_> = kind.map(str::to_owned).into_iter().collect();
        simplified_in(&message.id, &simplified, shown, news);
        if !shown {
            return;
        }
        self.agent_typing = None;
        news.changed = true;
        let member = self.chat().and_then(|chat| chat.members.get(sender));
        // Notices are the system's, whoever brought them about.
        let person = member.filter(|it| it.is_agent() && message.body_type != BodyType::Notice);
        news.tell(
            format!("message/{}", message.id),
            Signal::Message {
                message_id: message.id.clone(),
                from: person.map(super::members::Member::agent),
                text,
                content: Vec::new(),
                at: message.at(),
            },
        );
    }
}
