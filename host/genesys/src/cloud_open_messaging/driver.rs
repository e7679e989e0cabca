//! The I/O of a handoff: its calls, the line on which webhooks come, and the conversation's events.

use super::account::Account;
use super::calls::{Answer, Call, Event};
use super::protocol::Protocol;
use super::switchboard::{Line, Waiting};
use super::trouble::Trouble;
use super::wire::Outbound;
use crate::driving::{Events, Hands};
use crate::following::{Follower, Following, Happening, Subject};
use crate::platform::{MediaType, Platform};
use crate::traffic::Traffic;
use crate::transport::Reports;
use handoff_engine::clock::Busy;
use std::sync::Arc;

/// What one handoff has open.
pub(super) struct Talking {
    account: Arc<Account>,
    platform: Platform,
    traffic: Traffic,
    reports: Reports,
    line: Line,
    following: Option<Following>,
}

/// Hands what the notification socket brings to the driver.
#[derive(Debug)]
struct ToDriver(Events<Event>);

impl Follower for ToDriver {
    fn tell(&self, happening: Happening, busy: Busy) {
        let event = match happening {
            Happening::Changed => Event::Changed,
            Happening::Followed => Event::Followed,
            Happening::Unfollowed { why } => Event::Unfollowed { why },
            Happening::Seen(_) => return,
        };
        if self.0.send((event, busy)).is_err() {
            tracing::debug!("an event came after the end of its handoff");
        }
    }
}

impl Talking {
    pub(super) fn new(
        account: Arc<Account>,
        traffic: &Traffic,
        protocol: &Protocol,
        events: &Events<Event>,
        waiting: Waiting,
        reports: Reports,
    ) -> Self {
        let line = account.switchboard.connect(
            protocol.user(),
            protocol.conversation(),
            events.clone(),
            waiting,
        );
        Self {
            platform: account.platform.noting(traffic),
            traffic: traffic.clone(),
            reports,
            account,
            line,
            following: None,
        }
    }
}

impl Hands for Talking {
    type Protocol = Protocol;

    /// Follows the conversation once it is known.
    fn follow(&mut self, protocol: &Protocol, events: &Events<Event>) {
        if self.following.is_some() {
            return;
        }
        if let Some(conversation) = protocol.conversation() {
            self.line.is_for(conversation);
            let subject = Subject::Conversation(conversation.to_owned());
            let follower = Arc::new(ToDriver(events.clone()));
            self.following = self.account.feeds.follow(subject, follower);
        }
    }

    fn note(&self, event: &Event) {
        match event {
            Event::Heard(message) => self.traffic.came(name_of(message)),
            Event::Triggered { .. } => self.traffic.came("trigger"),
            Event::Changed => self.traffic.came("notification conversation"),
            Event::Followed => self.traffic.came("notifications followed"),
            Event::Unfollowed { .. } => self.traffic.ended("notifications", "unfollowed"),
        }
    }

    async fn call(&mut self, _protocol: &Protocol, call: &Call) -> Result<Answer, Trouble> {
        self.carry_out(call).await
    }

    /// What comes after the end is told by the switchboard.
    async fn close(self, protocol: &Protocol) {
        if let Some(over) = protocol.over(self.reports) {
            self.line.over(over, self.account.clock.now());
        }
    }
}

impl Talking {
    async fn carry_out(&self, call: &Call) -> Result<Answer, Trouble> {
        let platform = &self.platform;
        Ok(match call {
            Call::FindIntegration { competency } => {
                let competency = competency.as_deref();
                Answer::Integration(self.account.integration(platform, competency).await?)
            }
            Call::FindQueue(name) => {
                platform.queue(name).await?;
                Answer::QueueFound
            }
            Call::Post {
                integration,
                message,
            } => Answer::Posted(platform.post_message(integration, message).await?),
            Call::Typing { integration, from } => {
                let now = self.account.clock.now();
                platform.post_typing(integration, from, now).await?;
                Answer::Done
            }
            Call::SetAttributes {
                conversation,
                participant,
                attributes,
            } => {
                platform
                    .set_attributes(conversation, participant, attributes)
                    .await?;
                Answer::Done
            }
            Call::Look { conversation } => {
                Answer::Conversation(Box::new(platform.conversation(conversation).await?))
            }
            Call::Read {
                conversation,
                message,
            } => Answer::Message(Box::new(platform.message(conversation, message).await?)),
            Call::FilePolicy { integration } => {
                Answer::Policy(platform.file_policy(integration).await?)
            }
            Call::Confirm {
                integration,
                to,
                message,
                receipt,
            } => {
                let now = self.account.clock.now();
                platform
                    .post_receipt(integration, to, message, *receipt, now)
                    .await?;
                Answer::Done
            }
            Call::EstimateWait { queue } => {
                Answer::Wait(platform.estimated_wait(queue, MediaType::Message).await?)
            }
            Call::Name(user) => Answer::Name(platform.user_name(user).await?),
            Call::Disconnect {
                conversation,
                participant,
            } => {
                platform
                    .disconnect_participant(conversation, participant)
                    .await?;
                Answer::Done
            }
            Call::DisconnectAll { conversation } => {
                platform.disconnect_all(conversation).await?;
                Answer::Done
            }
        })
    }
}

/// What a webhook call is called: its type, and what it carries.
fn name_of(message: &Outbound) -> String {
    let parts = message.content.iter();
    let contents = parts.filter_map(|part| part["contentType"].as_str());
    let events = message.events.iter().map(|it| it.event_type.as_str());
    let carried: Vec<&str> = contents.chain(events).collect();
    let name = format!("webhook {:?} {}", message.kind, carried.join("+"));
    name.trim_end().to_owned()
}
