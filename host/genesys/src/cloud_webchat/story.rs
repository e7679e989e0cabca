//! What was read as one story, in the order in which it happened.
//!
//! Frames, lists and the history tell of the same things in different orders; here they become one,
//! by the platform's clock. What was told before is in it again, and known to be by its id.

use super::members::Member;
use super::protocol::Protocol;
use super::state::Phase;
use super::wire::{BodyType, Message};
use crate::report::News;
use handoff_engine::time::Timestamp;

/// What was read, as one story.
#[derive(Debug)]
pub(super) enum Happened {
    Said(Box<Message>),
    Left(String),
    Came(String),
}

impl Protocol {
    /// Everything that others said and was not told yet, in order: what a reading found, and what
    /// waited. Of the same instant the history knows the order. Our own texts in it answer for those
    /// whose answer was lost, and joining proves an answer.
    pub(super) fn untold(&mut self, found: Vec<Message>, news: &mut News) -> Vec<Message> {
        let Phase::Open(chat) = &mut self.state.phase else {
            return Vec::new();
        };
        let last = found.last().map(|message| message.id.clone());
        let mut waiting: Vec<_> = chat.held.drain(..).collect();
        waiting.extend(chat.order.flush());
        let mut untold = Vec::new();
        let mut overtaken = 0;
        for message in found {
            let sender = &message.sender.id;
            if chat.is_ours(sender) {
                if chat.order.remember(&message.id) && message.body_type == BodyType::Standard {
                    let text = message.body.as_deref().unwrap_or_default();
                    self.state.echoes.seen(text);
                }
                continue;
            }
            if message.is_of_someone_there() {
                chat.members.meet(sender).has_answered();
            }
            if chat.order.remember(&message.id) {
                self.reading.expect(&message.id);
                overtaken += u64::from(message.body_type == BodyType::Standard);
                untold.push(message);
                continue;
            }
            // A later one has come by frame: those before it were lost.
            chat.order.count_gap(std::mem::take(&mut overtaken));
            if let Some(at) = waiting.iter().position(|it| it.id == message.id) {
                untold.push(waiting.remove(at));
            }
        }
        if last.is_some() {
            news.changed |= chat.read_to != last;
            chat.read_to = last;
            news.tally = Some(chat.order.tally());
        }
        untold.extend(waiting);
        untold.sort_by_key(Message::at);
        untold
    }

    /// Everything that is known and may not have been told, in the order in which it happened. What
    /// was told already is told again to [`EndOfHandoff`](crate::end::EndOfHandoff), which knows it.
    pub(super) fn story(&self, untold: Vec<Message>) -> Vec<(Timestamp, Happened)> {
        let said = untold.into_iter();
        // The last words of a member come before its leaving, and that before who comes instead.
        let mut story: Vec<_> = said
            .map(|message| (message.at(), Happened::Said(Box::new(message))))
            .collect();
        let Some(chat) = self.chat() else {
            return story;
        };
        let never = Timestamp(u64::MAX);
        let left = chat
            .members
            .iter()
            .filter(|member| member.has_left_as_agent());
        story.extend(left.map(|it| (it.left().unwrap_or(never), Happened::Left(it.id.clone()))));
        let came = chat.members.iter();
        story.extend(came.map(|it| (it.came().unwrap_or(never), Happened::Came(it.id.clone()))));
        story.sort_by_key(|(at, _)| *at);
        story
    }

    /// Whether the user's own part has ended: that is the chat's end.
    pub(super) fn is_over(&self) -> bool {
        self.chat().is_some_and(|chat| {
            let ours = chat.members.get(&chat.seat.member);
            ours.is_some_and(Member::has_left)
        })
    }

    /// Whether an agent left of whom it is not certain how.
    pub(super) fn is_deserted(&self) -> bool {
        let Some(chat) = self.chat() else {
            return false;
        };
        let mut gone = chat.members.iter().filter(|it| it.has_left_as_agent());
        gone.any(|it| chat.members.departure(&it.id, false, false).is_none())
    }

    /// It became known who or what a member is and where it stands.
    pub(super) fn came(&mut self, member: &str, news: &mut News) {
        let queue = self.state.queue.name.clone();
        let arrival = self
            .chat()
            .and_then(|chat| chat.members.arrival(member, &queue));
        self.observe(arrival, news);
    }

    pub(super) fn left(&mut self, member: &str, over: bool, settled: bool, news: &mut News) {
        self.came(member, news);
        let departure = self
            .chat()
            .and_then(|chat| chat.members.departure(member, over, settled));
        self.observe(departure, news);
    }
}
