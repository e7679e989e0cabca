//! What is still to be sent to the platform, in order, and what has been.
//!
//! Commands come at least once; here they become exactly once by their ids. A message goes out as
//! parts, one by one; it settles with its last, and after a restart the next part is the first that
//! is not known to have arrived. The ids of settled says are remembered for as long as a repeat can
//! reasonably come.

use crate::carry::{Carried, Carries, Part, simplified_out};
use crate::report::News;
use crate::split::{pack, split};
use handoff_engine::content::{Receipt, UserMessage};
use handoff_engine::handoff::{Signal, TransferRequest};
use handoff_engine::name::{EffectId, InputId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A caller repeats only what it has not seen settled, and that is far less than this.
const REMEMBERED: usize = 64;

/// The texts, files and attributes on their way to the agent side, first in first out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    waiting: VecDeque<Outgoing>,
    settled: VecDeque<EffectId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Outgoing {
    Say(Say),
    Attributes(BTreeMap<String, String>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Say {
    origin: Origin,
    /// Never empty.
    parts: VecDeque<Part>,
    /// How many parts were dealt with.
    sent: u32,
    simplified: Vec<String>,
    /// A part was refused: it is never delivered as it was given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
}

/// Whose words they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// Given by a command.
    Given {
        id: EffectId,
        /// The user's message behind it, for receipts.
        input: Option<InputId>,
    },
    /// What was said before the handoff: the text of this number.
    Transcript(usize),
    /// What the user wrote last before the handoff.
    Opening,
    /// That the user has left.
    Farewell,
}

/// What is to be sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First<'a> {
    /// Part of a message.
    Part(&'a Origin, &'a Part),
    /// Attributes for agents to see.
    Attributes(&'a BTreeMap<String, String>),
}

/// What was dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Part(Origin, Part),
    Attributes(BTreeMap<String, String>),
}

/// What is taken out unsent, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    Say {
        origin: Origin,
        parts: Vec<Part>,
        /// Whether earlier parts were sent.
        begun: bool,
    },
    Attributes(BTreeMap<String, String>),
}

/// What became of a say that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It is new and waits for its turn.
    Queued,
    /// It already waits.
    Known,
    /// It has been dealt with before.
    Settled,
}

impl Origin {
    /// Names the message within its handoff: the same on every attempt and every host.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Given { id, .. } => id.to_string(),
            Self::Transcript(number) => format!("transcript/{number}"),
            Self::Opening => "opening".to_owned(),
            Self::Farewell => "farewell".to_owned(),
        }
    }

    /// The user's message behind it.
    pub(crate) fn input(&self) -> Option<&InputId> {
        match self {
            Self::Given { input, .. } => input.as_ref(),
            Self::Transcript(_) | Self::Opening | Self::Farewell => None,
        }
    }

    fn id(&self) -> Option<&EffectId> {
        match self {
            Self::Given { id, .. } => Some(id),
            Self::Transcript(_) | Self::Opening | Self::Farewell => None,
        }
    }
}

impl Outbox {
    /// What a handoff begins with: what was said before, then what the user wrote last.
    pub(crate) fn hand_over(request: &TransferRequest, carries: &Carries) -> Self {
        let mut outbox = Self::default();
        let texts = pack(&request.transcript, carries.text).into_iter();
        for (number, text) in texts.enumerate() {
            outbox.own(Origin::Transcript(number), &text, carries);
        }
        if let Some(text) = &request.opening_text
            && !text.trim().is_empty()
        {
            outbox.own(Origin::Opening, text, carries);
        }
        outbox
    }

    /// Takes a message that was given.
    pub(crate) fn say(
        &mut self,
        id: EffectId,
        input: Option<InputId>,
        message: &UserMessage,
        carries: &Carries,
    ) -> Given {
        if self.settled.contains(&id) {
            return Given::Settled;
        }
        let is = |it: &Outgoing| matches!(it, Outgoing::Say(say) if say.origin.id() == Some(&id));
        if self.waiting.iter().any(is) {
            return Given::Known;
        }
        self.push(Origin::Given { id, input }, carries.carry(message));
        Given::Queued
    }

    /// Takes words nobody has to be told about.
    pub(crate) fn own(&mut self, origin: Origin, text: &str, carries: &Carries) {
        self.push(origin, carries.carry(&UserMessage::text(text)));
    }

    fn push(&mut self, origin: Origin, carried: Carried) {
        self.waiting.push_back(Outgoing::Say(Say {
            origin,
            parts: carried.parts.into(),
            sent: 0,
            simplified: carried.simplified,
            refused: false,
        }));
    }

    pub(crate) fn attributes(&mut self, attributes: BTreeMap<String, String>) {
        if !attributes.is_empty() {
            self.waiting.push_back(Outgoing::Attributes(attributes));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Everything there is to be said, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.waiting.iter().flat_map(|outgoing| match outgoing {
            Outgoing::Say(say) => say.parts.iter().collect(),
            Outgoing::Attributes(_) => Vec::new(),
        })
    }

    /// What is to be sent next.
    pub(crate) fn first(&self) -> Option<First<'_>> {
        Some(match self.waiting.front()? {
            Outgoing::Say(say) => First::Part(&say.origin, say.parts.front()?),
            Outgoing::Attributes(attributes) => First::Attributes(attributes),
        })
    }

    /// Names the first part within its handoff: the same on every attempt and every host, and
    /// different for each part of a message.
    pub(crate) fn first_key(&self) -> Option<String> {
        match self.waiting.front()? {
            Outgoing::Say(say) if say.sent == 0 => Some(say.origin.key()),
            Outgoing::Say(say) => Some(format!("{}/{}", say.origin.key(), say.sent)),
            Outgoing::Attributes(_) => None,
        }
    }

    /// Takes out what comes first: it has arrived, or is given up. A message settles with its last
    /// part, and if it was sent in a lesser form that is said.
    pub(crate) fn sent_first(&mut self, news: &mut News) -> Option<Sent> {
        news.changed = true;
        let say = match self.waiting.front_mut()? {
            Outgoing::Say(say) => say,
            Outgoing::Attributes(attributes) => {
                let attributes = std::mem::take(attributes);
                self.waiting.pop_front();
                return Some(Sent::Attributes(attributes));
            }
        };
        let part = say.parts.pop_front()?;
        say.sent += 1;
        let origin = say.origin.clone();
        if say.parts.is_empty() {
            simplified_out(&origin.key(), &say.simplified, news);
            self.waiting.pop_front();
            self.settle(&origin, news);
        }
        Some(Sent::Part(origin, part))
    }

    /// Takes out a part that the platform does not take. The user is told once that the message failed.
    pub(crate) fn refused_first(&mut self, news: &mut News) {
        if let Some(Outgoing::Say(say)) = self.waiting.front_mut()
            && !std::mem::replace(&mut say.refused, true)
            && let Some(input) = say.origin.input()
        {
            news.tell(
                format!("receipt/{input}/failed"),
                Signal::Receipt {
                    message: input.clone(),
                    receipt: Receipt::Failed,
                },
            );
        }
        self.sent_first(news);
    }

    /// As [`Self::sent_first`], where the platform has no receipts of its own: what it took in, it
    /// shows, so a message that is through has been delivered.
    pub(crate) fn delivered_first(&mut self, news: &mut News) -> Option<Sent> {
        let settled = news.settled.len();
        let whole = !matches!(self.waiting.front(), Some(Outgoing::Say(say)) if say.refused);
        let sent = self.sent_first(news);
        if let Some(Sent::Part(origin, _)) = &sent
            && whole
            && let Some(input) = origin.input()
            && news.settled.len() > settled
        {
            let signal = Signal::Receipt {
                message: input.clone(),
                receipt: Receipt::Delivered,
            };
            news.tell(format!("receipt/{input}/delivered"), signal);
        }
        sent
    }

    /// Takes out what comes first as a whole, unsent: nothing is said but that it is settled.
    pub(crate) fn drop_first(&mut self, news: &mut News) -> Option<Unsent> {
        news.changed = true;
        Some(match self.waiting.pop_front()? {
            Outgoing::Attributes(attributes) => Unsent::Attributes(attributes),
            Outgoing::Say(say) => {
                self.settle(&say.origin, news);
                Unsent::Say {
                    origin: say.origin,
                    parts: say.parts.into(),
                    begun: say.sent > 0,
                }
            }
        })
    }

    /// Splits the first part, which was found too long; false if it cannot be made smaller.
    pub(crate) fn split_first(&mut self, limit: usize) -> bool {
        let Some(Outgoing::Say(say)) = self.waiting.front_mut() else {
            return false;
        };
        let Some(Part::Text(text)) = say.parts.front() else {
            return false;
        };
        let pieces = split(text, limit);
        if pieces.len() < 2 {
            return false;
        }
        say.parts.pop_front();
        for piece in pieces.into_iter().rev() {
            say.parts.push_front(Part::Text(piece));
        }
        true
    }

    fn settle(&mut self, origin: &Origin, news: &mut News) {
        let Some(id) = origin.id() else { return };
        news.settled.push(id.clone());
        self.settled.push_back(id.clone());
        if self.settled.len() > REMEMBERED {
            self.settled.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carry::As;
    use proptest::prelude::*;

    const NARROW: Carries = Carries {
        text: 4,
        files: As::Itself,
        choices: As::Itself,
    };

    fn give(outbox: &mut Outbox, n: usize, text: &str) -> Given {
        let id = EffectId::new(format!("s/{n}/0"));
        outbox.say(id, None, &UserMessage::text(text), &NARROW)
    }

    fn text_of(outbox: &Outbox) -> Option<String> {
        match outbox.first()? {
            First::Part(_, Part::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    #[test]
    fn a_say_given_twice_is_sent_once() {
        let mut outbox = Outbox::default();
        let mut news = News::default();
        assert_eq!(give(&mut outbox, 1, "a"), Given::Queued);
        assert_eq!(give(&mut outbox, 1, "a"), Given::Known);
        assert!(outbox.sent_first(&mut news).is_some());
        assert_eq!(give(&mut outbox, 1, "a"), Given::Settled);
        assert_eq!(outbox.first(), None);
        assert_eq!(news.settled.len(), 1);
    }

    #[test]
    fn a_part_found_too_long_is_split_and_the_message_still_settles_once() {
        let mut outbox = Outbox::default();
        let mut news = News::default();
        give(&mut outbox, 1, "abcd");
        assert!(outbox.split_first(2));
        assert!(!outbox.split_first(2));
        assert_eq!(text_of(&outbox).as_deref(), Some("ab"));
        outbox.sent_first(&mut news);
        assert_eq!(news.settled, []);
        assert_eq!(outbox.first_key().as_deref(), Some("s/1/0/1"));
        outbox.sent_first(&mut news);
        assert_eq!(news.settled.len(), 1);
    }

    #[test]
    fn a_handoff_begins_with_what_was_said_before() {
        let request = TransferRequest {
            account: "acme".into(),
            target: handoff_engine::handoff::Target::AnyAgent,
            options: handoff_engine::handoff::TransferOptions::default(),
            opening_text: Some("now".to_owned()),
            transcript: vec!["A: 1".to_owned(), "B: 2".to_owned()],
        };
        let mut outbox = Outbox::hand_over(&request, &NARROW);
        let mut keys = Vec::new();
        while let Some(key) = outbox.first_key() {
            keys.push(key);
            outbox.sent_first(&mut News::default());
        }
        assert_eq!(keys, ["transcript/0", "transcript/1", "opening"]);
    }

    #[test]
    fn a_message_with_a_refused_part_has_failed_and_is_not_delivered() {
        let mut outbox = Outbox::default();
        let input = Some(InputId::new("m"));
        let text = UserMessage::text("abcd efgh ijkl");
        outbox.say("s/1/0".into(), input, &text, &NARROW);
        let mut news = News::default();
        outbox.delivered_first(&mut news);
        outbox.refused_first(&mut news);
        while outbox.delivered_first(&mut news).is_some() {}
        let keys: Vec<_> = news.told.iter().map(|told| told.key.as_str()).collect();
        assert_eq!(keys, ["receipt/m/failed"]);
        assert_eq!(news.settled.len(), 1);
    }

    proptest! {
        /// Restarted from its handle after any number of parts, with unsettled says given again.
        #[test]
        fn every_part_goes_once_and_in_order_whenever_it_is_restarted(
            texts in prop::collection::vec("[a-z]{1,12}", 1..6),
            restarts in prop::collection::vec(any::<bool>(), 0..24),
        ) {
            let mut outbox = Outbox::default();
            let mut news = News::default();
            let mut sent = String::new();
            let mut keys = Vec::new();
            let mut restarts = restarts.into_iter();
            for (n, text) in texts.iter().enumerate() {
                give(&mut outbox, n, text);
            }
            while let Some(text) = text_of(&outbox) {
                keys.extend(outbox.first_key());
                sent.push_str(&text);
                outbox.sent_first(&mut news);
                if restarts.next().unwrap_or(false) {
                    let handle = serde_json::to_value(&outbox).expect("a handle");
                    outbox = serde_json::from_value(handle).expect("the same handle");
                    for (n, text) in texts.iter().enumerate() {
                        give(&mut outbox, n, text);
                    }
                }
            }
            prop_assert_eq!(sent, texts.concat());
            prop_assert_eq!(news.settled.len(), texts.len());
            let all = keys.len();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), all);
        }
    }
}
