//! Whether the deployment takes guests, without a guest.
//!
//! The guest API has one door, the creation of a chat. It is knocked at with a queue that cannot exist:
//! the refusal is about the deployment, or, if that is well, about the queue. Should a chat be created all
//! the same, it is left at once; nobody was offered it, because its event stream was never opened.

use super::account::WebChat;
use super::protocol::{Answer, Call};
use super::state::Seat;
use super::trouble::{Failure, Trouble};
use super::wire::{Create, Guest, RoutingTarget, TargetType};
use crate::preflight::Obstacle;
use std::collections::BTreeMap;

impl WebChat {
    /// Knocks. An error is what a handoff would meet.
    pub(crate) async fn probe(&self) -> Result<(), Obstacle> {
        let site = &self.0.site;
        let queue = format!("no such queue {}", uuid::Uuid::new_v4());
        let create = Create {
            organization_id: site.organization.clone(),
            deployment_id: site.deployment.clone(),
            routing_target: RoutingTarget {
                target_type: TargetType::Queue,
                target_address: queue.clone(),
                skills: Vec::new(),
                language: None,
                priority: None,
            },
            member_info: Guest {
                display_name: "handoff check".to_owned(),
                first_name: None,
                last_name: None,
                email: None,
                phone_number: None,
                custom_fields: BTreeMap::new(),
            },
        };
        let account = site.account.clone();
        let trouble = match self.0.guest.create(&create).await {
            Ok(Answer::Created(created)) => {
                let seat = Seat {
                    conversation: created.id,
                    member: created.member.id,
                    jwt: created.jwt,
                };
                if let Err(failure) = self.0.guest.call(&seat, &Call::Leave).await {
                    tracing::warn!(?failure, "the chat that was to be refused cannot be left");
                }
                return Ok(());
            }
            Ok(_) => return Ok(()),
            Err(Failure::Refused(why)) => match Trouble::at_start(&account, &queue, &why) {
                // What was asked for: the deployment is well.
                Trouble::QueueUnknown { .. } | Trouble::RoutingRefused { .. } => return Ok(()),
                trouble => trouble,
            },
            Err(Failure::NotSent { why } | Failure::Unknown { why }) => {
                Trouble::Unreachable { account, why }
            }
            Err(Failure::RateLimited { retry_after }) => Trouble::Unreachable {
                account,
                why: format!("too many requests; the next one may go in {retry_after}"),
            },
            Err(Failure::Platform(error)) => Trouble::Unreachable {
                account,
                why: error.to_string(),
            },
            Err(Failure::Queue(error)) => Trouble::Queue(error),
        };
        Err(Obstacle::new(trouble.code(), &trouble))
    }
}
