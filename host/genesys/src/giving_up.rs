//! What could not be delivered, said once and before the end.
//!
//! A say is settled when it is given up, so that it is not given again; whoever runs the host learns
//! of it by a notice that says how much was lost and why, never what was written.

use crate::carry::Part;
use crate::end::{EndOfHandoff, Observation};
use crate::outbox::{Origin, Outbox, Unsent};
use crate::report::News;
use handoff_engine::content::Receipt;
use handoff_engine::handoff::Signal;

impl Outbox {
    /// Settles what comes first as undeliverable, as a whole. `why` completes "did not reach the
    /// agent: ".
    pub(crate) fn give_up_first(&mut self, why: &str, news: &mut News) {
        let why = why.trim_end_matches('.');
        match self.drop_first(news) {
            None => {}
            Some(Unsent::Attributes(attributes)) => {
                let names: Vec<_> = attributes.keys().map(String::as_str).collect();
                let names = names.join(", ");
                news.notice(
                    format!("attributes/{names}/not_delivered"),
                    "genesys.attributes_not_delivered",
                    format!("The attributes {names} did not reach the agent: {why}."),
                );
            }
            // That the agent was not told of the user's leaving is said when leaving.
            Some(Unsent::Say {
                origin: Origin::Farewell,
                ..
            }) => {}
            Some(Unsent::Say {
                origin,
                parts,
                begun,
            }) => {
                news.notice(
                    format!("say/{}/not_delivered", origin.key()),
                    "genesys.message_not_delivered",
                    format!(
                        "{} did not reach the agent: {why}.",
                        sentence(&origin, &parts, begun)
                    ),
                );
                if let Some(input) = origin.input() {
                    let signal = Signal::Receipt {
                        message: input.clone(),
                        receipt: Receipt::Failed,
                    };
                    news.tell(format!("receipt/{input}/failed"), signal);
                }
            }
        }
    }

    /// Settles everything as undeliverable.
    pub(crate) fn give_up_all(&mut self, why: &str, news: &mut News) {
        while !self.is_empty() {
            self.give_up_first(why, news);
        }
    }
}

/// Ends a handoff. What can no longer be sent is said before the end.
pub(crate) fn finish(
    outbox: &mut Outbox,
    end: &mut EndOfHandoff,
    last: Observation,
    news: &mut News,
) {
    outbox.give_up_all("the conversation is over", news);
    end.observe_into([last], news);
}

fn sentence(origin: &Origin, parts: &[Part], begun: bool) -> String {
    let what: Vec<_> = parts.iter().map(Part::describe).collect();
    let whose = match origin {
        Origin::Given { .. } | Origin::Opening if begun => "The rest of a message from the user",
        Origin::Given { .. } | Origin::Opening => "A message from the user",
        Origin::Transcript(_) => "A part of what was said before the handoff",
        Origin::Farewell => "The user's leaving",
    };
    format!("{whose} ({})", what.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carry::ENGAGE;
    use handoff_engine::content::UserMessage;
    use handoff_engine::handoff::Signal;
    use handoff_engine::name::EffectId;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_say_is_settled_and_said_to_be_lost_once_before_the_end(count in 0_usize..8, sent in 0_usize..4) {
            let mut outbox = Outbox::default();
            let mut news = News::default();
            for n in 0..count {
                let id = EffectId::new(format!("s/{n}/0"));
                outbox.say(id, None, &UserMessage::text("secret"), &ENGAGE);
            }
            for _ in 0..sent.min(count) {
                outbox.sent_first(&mut news);
            }
            finish(&mut outbox, &mut EndOfHandoff::default(), Observation::Closed, &mut news);
            prop_assert_eq!(news.settled.len(), count);
            let mut keys: Vec<_> = news.told.iter().map(|told| told.key.clone()).collect();
            keys.dedup();
            prop_assert_eq!(keys.len(), count - sent.min(count) + 1);
            let last = news.told.last().map(|told| &told.signal);
            prop_assert!(matches!(last, Some(Signal::Ended(_))));
            for told in &news.told {
                if let Signal::Notice { message, .. } = &told.signal {
                    prop_assert!(!message.contains("secret"), "{}", message);
                }
            }
        }
    }
}
