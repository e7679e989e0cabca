//! What goes to the agent's side: the outbox, receipts and typing.
//!
//! Whether something whose answer was lost has arrived is found out by looking, before it is sent
//! again. A file is checked against the integration's policy first, which is asked for once.

use super::calls::Call;
use super::opening::message_id;
use super::protocol::Protocol;
use super::state::{Leaving, Phase, Talk};
use crate::carry::Part;
use crate::outbox::{First, Sent};
use crate::platform::inbound::{InboundMessage, Posted};
use crate::policy::{FilePolicy, refuse_first};
use crate::report::News;
use handoff_engine::time::{Millis, Timestamp};
use std::collections::BTreeMap;

/// Genesys shows typing for about this long; more often says nothing new.
const TYPING_EVERY: Millis = Millis::from_secs(5);

impl Protocol {
    pub(super) fn next_outgoing(&self, talk: &Talk, now: Timestamp) -> Option<Call> {
        let integration = talk.integration.clone();
        match self.state.outbox.first()? {
            First::Part(_, Part::File(_)) if talk.policy.is_none() => {
                Some(Call::FilePolicy { integration })
            }
            First::Part(_, part) => {
                let key = self.state.outbox.first_key().unwrap_or_default();
                Some(Call::Post {
                    integration,
                    message: Box::new(InboundMessage {
                        from: self.state.from.clone(),
                        message_id: message_id(&format!("{}/{key}", self.handoff)),
                        time: self.first_tried.unwrap_or(now),
                        attributes: BTreeMap::new(),
                        said: part.clone(),
                    }),
                })
            }
            First::Attributes(attributes) => {
                let conversation = talk.conversation.clone()?;
                Some(match talk.customer.clone() {
                    Some(participant) => Call::SetAttributes {
                        conversation,
                        participant,
                        attributes: attributes.clone(),
                    },
                    None => Call::Look { conversation },
                })
            }
        }
    }

    pub(super) fn next_confirmation(&self, talk: &Talk) -> Option<Call> {
        let (message, receipt) = talk.confirmations.first()?;
        Some(Call::Confirm {
            integration: talk.integration.clone(),
            to: self.state.from.clone(),
            message: message.clone(),
            receipt: *receipt,
        })
    }

    pub(super) fn next_typing(&mut self, now: Timestamp) -> Option<Call> {
        let Phase::Open(talk) = &self.state.phase else {
            return None;
        };
        if !std::mem::take(&mut self.typing) || self.state.leaving != Leaving::No {
            return None;
        }
        let lately = |shown: Timestamp| now.since(shown) < TYPING_EVERY;
        if self.typing_shown.is_some_and(lately) {
            return None;
        }
        self.typing_shown = Some(now);
        Some(Call::Typing {
            integration: talk.integration.clone(),
            from: self.state.from.clone(),
        })
    }

    /// A message was taken in. Receipts may call it by Genesys' id or by ours.
    pub(super) fn posted(
        &mut self,
        now: Timestamp,
        message: &InboundMessage,
        posted: Posted,
        news: &mut News,
    ) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        if let Some(First::Part(origin, _)) = self.state.outbox.first()
            && let Some(input) = origin.input()
        {
            let ids = posted.id.into_iter().chain([message.message_id.clone()]);
            ids.for_each(|id| talk.receipts.expect(id, input));
        }
        if talk.conversation.is_none() && posted.conversation_id.is_some() {
            talk.conversation = posted.conversation_id;
            self.watch.look_now(now);
        }
        self.delivered(news);
    }

    /// What comes first has arrived.
    pub(super) fn delivered(&mut self, news: &mut News) {
        self.first_tried = None;
        let sent = self.state.outbox.sent_first(news);
        if let (Phase::Open(talk), Some(Sent::Part(..))) = (&mut self.state.phase, sent) {
            talk.arrived += 1;
        }
    }

    /// A receipt was taken, or never will be.
    pub(super) fn confirmed(&mut self, news: &mut News) {
        if let Phase::Open(talk) = &mut self.state.phase {
            talk.confirmations.done();
            news.changed = true;
        }
    }

    /// It is known which files may be sent.
    pub(super) fn may_send(&mut self, policy: FilePolicy, news: &mut News) {
        if let Phase::Open(talk) = &mut self.state.phase {
            talk.policy = Some(policy);
        }
        self.refuse_files(news);
    }

    /// Gives up the files that come first and break the policy.
    fn refuse_files(&mut self, news: &mut News) {
        let Phase::Open(talk) = &self.state.phase else {
            return;
        };
        let Some(policy) = &talk.policy else { return };
        while let Some(First::Part(_, Part::File(file))) = self.state.outbox.first() {
            let Err(refusal) = policy.check(&file.name, &file.mime, file.size) else {
                return;
            };
            self.first_tried = None;
            refuse_first(&mut self.state.outbox, &refusal, news);
        }
    }

    pub(super) fn give_up_first(&mut self, why: &str, news: &mut News) {
        self.first_tried = None;
        self.state.outbox.give_up_first(why, news);
    }

    /// Settles what needs no sending: what is found in the conversation, blank texts, which Genesys
    /// refuses, and files that break its policy.
    pub(super) fn settle_what_arrived(&mut self, news: &mut News) {
        let Phase::Open(talk) = &mut self.state.phase else {
            return;
        };
        while let Some(First::Part(_, part)) = self.state.outbox.first() {
            if !part.is_blank() && !talk.echoes.claim(part.echo()) {
                break;
            }
            self.first_tried = None;
            self.state.outbox.sent_first(news);
        }
        self.refuse_files(news);
    }
}
