//! How a handoff begins: the integration, the queue, and a first message that carries everything.
//!
//! Architect reads a conversation's attributes when its first message arrives, so all of them are in
//! that one (attributes set later route nothing). A queue is resolved first although Architect finds
//! it by name itself, because Architect would route a wrong name to nowhere without a word.

use super::calls::Call;
use super::protocol::Protocol;
use super::state::{Phase, State, Talk};
use crate::attributes::attributes;
use crate::carry::{OPEN_MESSAGING, Part};
use crate::outbox::{First, Origin, Outbox};
use crate::platform::inbound::{IdType, InboundMessage, Posted, Sender};
use crate::report::News;
use handoff_engine::handoff::{IdentityField, Signal, Target, TransferRequest};
use handoff_engine::name::HandoffId;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What opens a conversation if the user has said nothing and there is no subject.
const NEUTRAL_OPENING: &str = "The user would like to talk to an agent.";

/// A handoff that is not open yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) integration: Option<String>,
    /// Whose integration it is to be.
    #[serde(default)]
    competency: Option<String>,
    queue: Option<String>,
    pub(super) queue_found: bool,
    pub(super) attributes: BTreeMap<String, String>,
    /// Messages that Genesys knew already, without telling which conversation they went to.
    conflicts: usize,
    /// When the opening message was first tried.
    tried: Option<Timestamp>,
}

impl Opening {
    pub(super) fn new(request: &TransferRequest, queue_attribute: &str) -> Self {
        let unnamed = [
            IdentityField::EmailAddress,
            IdentityField::Mobile,
            IdentityField::ExternalId,
        ];
        let mut attributes = attributes(request, queue_attribute, &unnamed);
        if let Some(subject) = given(request.options.subject.as_ref()) {
            attributes.entry("subject".to_owned()).or_insert(subject);
        }
        Self {
            integration: None,
            competency: given(request.options.competency.as_ref()),
            queue: match &request.target {
                Target::Queue(name) => Some(name.clone()),
                Target::AnyAgent => None,
            },
            queue_found: false,
            attributes,
            conflicts: 0,
            tried: None,
        }
    }

    /// The user.
    pub(super) fn sender(handoff: &HandoffId, request: &TransferRequest) -> Sender {
        let identity = &request.options.identity;
        let id = given(identity.external_id.as_ref());
        Sender {
            id: id.unwrap_or_else(|| message_id(handoff.as_str())),
            id_type: IdType::Opaque,
            nickname: given(identity.nickname.as_ref()),
            first_name: given(identity.first_name.as_ref()),
            last_name: given(identity.last_name.as_ref()),
            email: given(identity.email_address.as_ref()),
        }
    }

    /// What is said first: what was said before the handoff and the user's last words, or else the
    /// subject. A conversation begins with a message, whatever it is.
    pub(super) fn words(request: &TransferRequest) -> Outbox {
        let mut outbox = Outbox::hand_over(request, &OPEN_MESSAGING);
        if outbox.is_empty() {
            let subject = given(request.options.subject.as_ref());
            let text = subject.unwrap_or_else(|| NEUTRAL_OPENING.to_owned());
            outbox.own(Origin::Opening, &text, &OPEN_MESSAGING);
        }
        outbox
    }

    /// Whether the opening message may have reached Genesys.
    pub(super) fn may_be_open(&self) -> bool {
        self.tried.is_some()
    }
}

impl Protocol {
    /// What there is to ask before the conversation is open, and then its first message.
    pub(super) fn next_opening(&mut self, now: Timestamp) -> Call {
        let State {
            phase,
            outbox,
            from,
            ..
        } = &mut self.state;
        let Phase::Opening(opening) = phase else {
            unreachable!("asked for only while opening")
        };
        let Some(integration) = opening.integration.clone() else {
            let competency = opening.competency.clone();
            return Call::FindIntegration { competency };
        };
        if let (Some(queue), false) = (&opening.queue, opening.queue_found) {
            return Call::FindQueue(queue.clone());
        }
        let time = *opening.tried.get_or_insert(now);
        let said = match outbox.first() {
            Some(First::Part(_, part)) => part.clone(),
            _ => Part::Text(NEUTRAL_OPENING.to_owned()),
        };
        let key = outbox.first_key().unwrap_or_default();
        let message = InboundMessage {
            from: from.clone(),
            message_id: message_id(&format!("{}/{key}/{}", self.handoff, opening.conflicts)),
            time,
            attributes: opening.attributes.clone(),
            said,
        };
        Call::Post {
            integration,
            message: Box::new(message),
        }
    }

    /// Genesys saw the opening message before: it has arrived, but the answer does not tell which
    /// conversation it went to. What is said next tells; without anything, a neutral line does.
    pub(super) fn opened_before(&mut self, news: &mut News) {
        self.state.outbox.sent_first(news);
        self.opening(|opening| opening.conflicts += 1);
        while matches!(self.state.outbox.first(), Some(First::Part(_, part)) if part.is_blank()) {
            self.state.outbox.sent_first(news);
        }
        if !matches!(self.state.outbox.first(), Some(First::Part(..))) {
            let outbox = &mut self.state.outbox;
            outbox.own(Origin::Opening, NEUTRAL_OPENING, &OPEN_MESSAGING);
        }
    }

    /// The opening message was taken in.
    pub(super) fn opened(
        &mut self,
        now: Timestamp,
        message: &InboundMessage,
        posted: Posted,
        news: &mut News,
    ) {
        let Phase::Opening(opening) = &self.state.phase else {
            return;
        };
        let conversation = posted.conversation_id.clone();
        let talk = Talk {
            opened_by: posted.id.clone(),
            // Those that Genesys knew already are there too.
            arrived: opening.conflicts,
            ..Talk::new(
                opening.integration.clone().unwrap_or_default(),
                conversation.clone(),
                message.time,
            )
        };
        self.state.phase = Phase::Open(Box::new(talk));
        self.watch.look_now(now);
        news.tell("opened", Signal::Opened { conversation });
        self.posted(now, message, posted, news);
        self.leave_unknown_conversation();
    }
}

/// A message's id, the same on every attempt and every host: a UUID made from what it stands for.
pub(super) fn message_id(of: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, of.as_bytes()).to_string()
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).cloned()
}
