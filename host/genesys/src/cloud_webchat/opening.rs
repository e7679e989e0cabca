//! How a handoff begins: the queue, and one request that carries who the user is and all attributes.
//!
//! Creating a chat is not idempotent, and a lost answer cannot be found again. It is repeated all the
//! same: Genesys routes no chat whose event stream nobody opens, so one whose answer was lost reaches
//! no agent.

use super::members::Members;
use super::protocol::{Call, Protocol};
use super::state::{Chat, Phase, Seat};
use super::trouble::Trouble;
use super::wire::{Create, Created, Guest, RoutingTarget, TargetType};
use crate::order::Order;
use crate::report::News;
use handoff_engine::handoff::{Identity, Signal, Target, TransferRequest};
use handoff_engine::name::AccountName;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What agents read instead of the name of a user who gave none.
const NAMELESS: &str = "Guest";

/// What the protocol needs to know about the account.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) account: AccountName,
    pub(super) organization: String,
    pub(super) deployment: String,
    /// For transfers that name none.
    pub(super) queue: Option<String>,
    /// Whether there is an OAuth client, so that the Platform API may be asked.
    pub(super) has_platform: bool,
}

/// A handoff that is not open yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) create: Create,
    /// Whether the queue is still to be looked up.
    pub(super) find_queue: bool,
}

impl Opening {
    /// # Errors
    ///
    /// If neither the request nor the account names a queue.
    pub(super) fn new(site: &Site, request: &TransferRequest) -> Result<Self, Trouble> {
        let queue = match &request.target {
            Target::Queue(name) => Some(name),
            Target::AnyAgent => site.queue.as_ref(),
        };
        let Some(queue) = queue.filter(|name| !name.trim().is_empty()) else {
            let account = site.account.clone();
            return Err(Trouble::QueueRequired { account });
        };
        let options = &request.options;
        let create = Create {
            organization_id: site.organization.clone(),
            deployment_id: site.deployment.clone(),
            routing_target: RoutingTarget {
                target_type: TargetType::Queue,
                target_address: queue.clone(),
                skills: options.skills.clone(),
                language: given(options.language.as_ref()),
                priority: options.priority,
            },
            member_info: Guest {
                display_name: display_name(&options.identity),
                first_name: given(options.identity.first_name.as_ref()),
                last_name: given(options.identity.last_name.as_ref()),
                email: given(options.identity.email_address.as_ref()),
                phone_number: given(options.identity.mobile.as_ref()),
                custom_fields: custom_fields(request),
            },
        };
        Ok(Self {
            create,
            find_queue: site.has_platform,
        })
    }

    pub(super) fn queue(&self) -> &str {
        &self.create.routing_target.target_address
    }

    pub(super) fn next(&self) -> Call {
        if self.find_queue {
            Call::FindQueue(self.queue().to_owned())
        } else {
            Call::Create(Box::new(self.create.clone()))
        }
    }
}

/// The attributes of the request, and what the guest has no field of its own for. An attribute the
/// flow set itself is never overwritten.
fn custom_fields(request: &TransferRequest) -> BTreeMap<String, String> {
    let options = &request.options;
    let mut all = options.attributes.clone();
    let more = [
        ("subject", &options.subject),
        ("mobile", &options.identity.mobile),
        ("externalId", &options.identity.external_id),
    ];
    for (name, value) in more {
        if let Some(value) = given(value.as_ref()) {
            all.entry(name.to_owned()).or_insert(value);
        }
    }
    all
}

fn display_name(identity: &Identity) -> String {
    let names = [&identity.first_name, &identity.last_name];
    let names: Vec<_> = names.into_iter().flatten().map(|it| it.trim()).collect();
    given(identity.nickname.as_ref())
        .or_else(|| given(Some(&names.join(" "))))
        .unwrap_or_else(|| NAMELESS.to_owned())
}

fn given(text: Option<&String>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Protocol {
    /// The chat was created. It is routed once its event stream is open.
    pub(super) fn opened(&mut self, now: Timestamp, created: Created, news: &mut News) {
        let conversation = created.id.clone();
        self.state.phase = Phase::Open(Box::new(Chat {
            seat: Seat {
                conversation: created.id,
                member: created.member.id,
                jwt: created.jwt,
            },
            stream: created.event_stream_uri,
            listened: false,
            members: Members::default(),
            order: Order::default(),
            held: VecDeque::new(),
            read_to: None,
        }));
        self.await_stream(now);
        let conversation = Some(conversation);
        news.tell("opened", Signal::Opened { conversation });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoff_engine::handoff::TransferOptions;
    use serde_json::json;

    fn site(queue: Option<&str>) -> Site {
        Site {
            account: "acme".into(),
            organization: "o-1".to_owned(),
            deployment: "d-1".to_owned(),
            queue: queue.map(str::to_owned),
            has_platform: false,
        }
    }

    fn request(target: Target, options: TransferOptions) -> TransferRequest {
        TransferRequest {
            account: "acme".into(),
            target,
            options,
            opening_text: None,
            transcript: Vec::new(),
        }
    }

    #[test]
    fn the_request_carries_everything_the_wire_has_a_field_for_and_the_rest_as_custom_fields() {
        let options = TransferOptions {
            identity: Identity {
                first_name: Some("Ana".to_owned()),
                last_name: Some("Lima".to_owned()),
                email_address: Some(String::new()),
                mobile: Some("+351 1".to_owned()),
                external_id: Some("u-7".to_owned()),
                ..Identity::default()
            },
            subject: Some("An order".to_owned()),
            priority: Some(5),
            skills: vec!["billing".to_owned()],
            language: Some("pt-BR".to_owned()),
            attributes: [("plan", "gold"), ("subject", "Mine")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..TransferOptions::default()
        };
        let target = Target::Queue("Support PT".to_owned());
        let opening =
            Opening::new(&site(Some("Other")), &request(target, options)).expect("a queue");
        assert_eq!(
            serde_json::to_value(&opening.create).expect("JSON"),
            json!({
                "organizationId": "o-1", "deploymentId": "d-1",
                "routingTarget": {"targetType": "QUEUE", "targetAddress": "Support PT",
                    "skills": ["billing"], "language": "pt-BR", "priority": 5},
                "memberInfo": {"displayName": "Ana Lima", "firstName": "Ana", "lastName": "Lima",
                    "phoneNumber": "+351 1", "customFields": {"plan": "gold", "subject": "Mine",
                    "mobile": "+351 1", "externalId": "u-7"}},
            })
        );
    }

    #[test]
    fn without_a_name_or_anything_else_only_what_is_required_is_sent() {
        let request = request(Target::AnyAgent, TransferOptions::default());
        let opening = Opening::new(&site(Some("Support")), &request).expect("a queue");
        assert_eq!(
            serde_json::to_value(&opening.create).expect("JSON"),
            json!({
                "organizationId": "o-1", "deploymentId": "d-1",
                "routingTarget": {"targetType": "QUEUE", "targetAddress": "Support"},
                "memberInfo": {"displayName": "Guest"},
            })
        );
    }

    #[test]
    fn without_a_queue_nothing_is_asked_and_the_sentence_says_where_to_name_one() {
        let request = request(Target::AnyAgent, TransferOptions::default());
        let trouble = Opening::new(&site(None), &request).expect_err("no queue");
        assert_eq!(trouble.code(), "transfer.queue_required");
        assert!(trouble.to_string().contains("queue of account 'acme'"));
    }
}
