//! The I/O of a handoff: its calls, the line on which webhooks come, and the conversation's events.

use super::account::Account;
use super::calls::{Answer, Call, Event};
use super::protocol::Protocol;
use super::switchboard::{Line, Waiting};
use super::trouble::Trouble;
use crate::driving::{Events, Hands};
use crate::following::{Follower, Following, Happening, Subject};
use crate::platform::MediaType;
use handoff_engine::clock::Busy;
use std::sync::Arc;

/// What one handoff has open.
pub(super) struct Talking {
    account: Arc<Account>,
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
        protocol: &Protocol,
        events: &Events<Event>,
        waiting: Waiting,
    ) -> Self {
        let line = account.switchboard.connect(
            protocol.user(),
            protocol.conversation(),
            events.clone(),
            waiting,
        );
        Self {
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

    async fn call(&mut self, _protocol: &Protocol, call: &Call) -> Result<Answer, Trouble> {
        self.account.call(call).await
    }
}

impl Account {
    async fn call(&self, call: &Call) -> Result<Answer, Trouble> {
        let platform = &self.platform;
        Ok(match call {
            Call::FindIntegration => Answer::Integration(self.integration().await?),
            Call::FindQueue(name) => {
                platform.queue(name).await?;
                Answer::QueueFound
            }
            Call::Post {
                integration,
                message,
            } => Answer::Posted(platform.post_message(integration, message).await?),
            Call::Typing { integration, from } => {
                let now = self.clock.now();
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
                let now = self.clock.now();
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
