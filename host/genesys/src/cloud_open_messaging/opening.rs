//! How a handoff begins: the integration, the queue, and a first message that carries everything.
//!
//! Architect reads a conversation's attributes when its first message arrives, so all of them are in
//! that one (attributes set later route nothing). A queue is resolved first although Architect finds
//! it by name itself, because Architect would route a wrong name to nowhere without a word.

use super::protocol::{Call, Protocol};
use super::state::{Phase, Talk};
use crate::attributes::attributes;
use crate::echoes::{Echoes, is_blank};
use crate::platform::inbound::{IdType, InboundMessage, Posted, Sender};
use crate::report::News;
use handoff_engine::handoff::{IdentityField, Signal, Target, TransferRequest};
use handoff_engine::name::HandoffId;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use uuid::Uuid;

/// What opens a conversation if the user has said nothing and there is no subject.
const NEUTRAL_OPENING: &str = "The user would like to talk to an agent.";

/// A handoff that is not open yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) integration: Option<String>,
    queue: Option<String>,
    pub(super) queue_found: bool,
    pub(super) attributes: BTreeMap<String, String>,
    from: Sender,
    text: String,
    handoff: HandoffId,
    /// How often Genesys knew the opening message's id already.
    conflicts: u32,
    /// When the opening message was first tried.
    tried: Option<Timestamp>,
}

impl Opening {
    pub(super) fn new(
        handoff: &HandoffId,
        request: &TransferRequest,
        queue_attribute: &str,
    ) -> Self {
        let identity = &request.options.identity;
        let unnamed = [
            IdentityField::EmailAddress,
            IdentityField::Mobile,
            IdentityField::ExternalId,
        ];
        let mut attributes = attributes(request, queue_attribute, &unnamed);
        let subject = given(&request.options.subject);
        if let Some(subject) = &subject {
            let name = "subject".to_owned();
            attributes.entry(name).or_insert_with(|| subject.clone());
        }
        let text = given(&request.opening_text).or(subject);
        Self {
            integration: None,
            queue: match &request.target {
                Target::Queue(name) => Some(name.clone()),
                Target::AnyAgent => None,
            },
            queue_found: false,
            attributes,
            from: Sender {
                id: given(&identity.external_id).unwrap_or_else(|| message_id(handoff.as_str())),
                id_type: IdType::Opaque,
                nickname: given(&identity.nickname),
                first_name: given(&identity.first_name),
                last_name: given(&identity.last_name),
            },
            text: text.unwrap_or_else(|| NEUTRAL_OPENING.to_owned()),
            handoff: handoff.clone(),
            conflicts: 0,
            tried: None,
        }
    }

    pub(super) fn sender(&self) -> Sender {
        self.from.clone()
    }

    /// Genesys saw the message's id before, without telling which conversation it went to. Another id
    /// gets an answer; the text may then be there twice, which is better than nobody there.
    pub(super) fn use_another_id(&mut self) {
        self.conflicts += 1;
    }

    pub(super) fn next(&mut self, from: &Sender, now: Timestamp) -> Call {
        let Some(integration) = self.integration.clone() else {
            return Call::FindIntegration;
        };
        if let (Some(queue), false) = (&self.queue, self.queue_found) {
            return Call::FindQueue(queue.clone());
        }
        let time = *self.tried.get_or_insert(now);
        let message = InboundMessage {
            from: from.clone(),
            message_id: message_id(&format!("{}/opening/{}", self.handoff, self.conflicts)),
            time,
            attributes: self.attributes.clone(),
            text: self.text.clone(),
        };
        Call::Post {
            integration,
            message: Box::new(message),
        }
    }

    /// Whether the opening message may have reached Genesys.
    pub(super) fn may_be_open(&self) -> bool {
        self.tried.is_some()
    }
}

impl Protocol {
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
        let conversation = posted.conversation_id;
        self.state.phase = Phase::Open(Box::new(Talk {
            integration: opening.integration.clone().unwrap_or_default(),
            conversation: conversation.clone(),
            opened_by: posted.id,
            opened_at: message.time,
            customer: None,
            arrived: 1,
            echoes: Echoes::default(),
            seen: VecDeque::new(),
            held: Vec::new(),
        }));
        self.watch.look_now(now);
        news.tell("opened", Signal::Opened { conversation });
        self.leave_unknown_conversation();
    }
}

/// A message's id, the same on every attempt and every host: a UUID made from what it stands for.
pub(super) fn message_id(of: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, of.as_bytes()).to_string()
}

fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !is_blank(text))
}
