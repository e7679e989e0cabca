//! The I/O of a chat: its requests, and the event stream.

use super::account::Account;
use super::guest::GuestApi;
use super::protocol::{Answer, Call, Event, Protocol};
use super::stream::Stream;
use super::trouble::Failure;
use crate::driving::{Events, Hands};
use crate::platform::{MediaType, Platform};
use crate::traffic::Traffic;
use handoff_engine::clock::Clock;
use std::sync::Arc;

/// What one chat has open.
pub(super) struct Chat {
    clock: Arc<dyn Clock>,
    guest: GuestApi,
    /// With an OAuth client.
    platform: Option<Platform>,
    stream: Option<Stream>,
    traffic: Traffic,
}

impl Chat {
    pub(super) fn new(account: &Account, traffic: &Traffic) -> Self {
        let platform = account.platform.as_ref();
        Self {
            clock: Arc::clone(&account.clock),
            guest: account.guest.noting(traffic),
            platform: platform.map(|platform| platform.noting(traffic)),
            stream: None,
            traffic: traffic.clone(),
        }
    }
}

impl Hands for Chat {
    type Protocol = Protocol;

    /// Listens to the event stream once there is one.
    fn follow(&mut self, protocol: &Protocol, events: &Events<Event>) {
        if self.stream.is_some() {
            return;
        }
        if let Some(uri) = protocol.stream() {
            let seed = protocol.handoff.as_str();
            let (clock, traffic) = (Arc::clone(&self.clock), self.traffic.clone());
            let events = events.clone();
            self.stream = Some(Stream::open(uri, seed, clock, events, traffic));
        }
    }

    async fn call(&mut self, protocol: &Protocol, call: &Call) -> Result<Answer, Failure> {
        self.carry_out(protocol, call).await
    }
}

impl Chat {
    async fn carry_out(&self, protocol: &Protocol, call: &Call) -> Result<Answer, Failure> {
        match (call, &self.platform, protocol.seat()) {
            (Call::FindQueue(name), Some(platform), _) => {
                let queue = platform.queue(name).await.map_err(Failure::Queue)?;
                Ok(Answer::Queue(queue.id))
            }
            (Call::EstimatedWait(queue), Some(platform), _) => {
                let wait = platform.estimated_wait(queue, MediaType::Chat).await;
                Ok(Answer::EstimatedWait(wait.map_err(Failure::Platform)?))
            }
            (Call::SetAttributes(attributes), Some(platform), Some(seat)) => {
                // As those given at the start are named (PROTOCOLS 2.2).
                let named =
                    |(name, value): (&String, &String)| (format!("context.{name}"), value.clone());
                let attributes = attributes.iter().map(named).collect();
                platform
                    .set_participant_attributes(&seat.conversation, &seat.member, &attributes)
                    .await
                    .map_err(Failure::Platform)?;
                Ok(Answer::Done)
            }
            (Call::Create(create), ..) => self.guest.create(create).await,
            (call, _, Some(seat)) => self.guest.call(seat, call).await,
            (call, ..) => unreachable!("{call:?} is made only with what it needs"),
        }
    }
}
