//! The I/O of a handoff: one task, one call at a time, waiting for commands, events and the clock.

use super::account::Account;
use super::calls::{Answer, Call, Event, Next};
use super::protocol::Protocol;
use super::switchboard::{Events, Line, Waiting};
use super::trouble::Trouble;
use crate::following::{Follower, Following, Happening, Subject};
use crate::platform::MediaType;
use crate::report::Outlet;
use crate::transport::{Command, Commands};
use handoff_engine::clock::Busy;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

/// The task of one handoff.
pub(super) struct Driver {
    account: Arc<Account>,
    protocol: Protocol,
    outlet: Outlet,
    commands: Commands,
    events: mpsc::UnboundedReceiver<(Event, Busy)>,
    teller: Events,
    line: Line,
    following: Option<Following>,
}

/// The link was dropped.
struct Parked;

/// Hands what the notification socket brings to the driver.
#[derive(Debug)]
struct ToDriver(Events);

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

impl Driver {
    pub(super) fn new(
        account: Arc<Account>,
        protocol: Protocol,
        outlet: Outlet,
        commands: Commands,
        waiting: Waiting,
    ) -> Self {
        let (teller, events) = mpsc::unbounded_channel();
        let line = account.switchboard.connect(
            protocol.user(),
            protocol.conversation(),
            teller.clone(),
            waiting,
        );
        Self {
            account,
            protocol,
            outlet,
            commands,
            events,
            teller,
            line,
            following: None,
        }
    }

    /// Runs until the handoff is over or its link is dropped. `busy` is held but for the waits.
    pub(super) async fn run(mut self, mut busy: Busy) {
        loop {
            if self.take_in().is_err() {
                return;
            }
            self.follow();
            match self.protocol.next(self.account.clock.now()) {
                Next::Done => return,
                Next::Call(call) => {
                    let answer = self.account.call(&call).await;
                    let now = self.account.clock.now();
                    let news = self.protocol.answer(now, &call, answer);
                    self.outlet.report(self.protocol.state(), news);
                }
                Next::Wait(until) => {
                    let sleep = self.account.clock.sleep_until(until);
                    drop(busy);
                    tokio::select! {
                        woken = sleep => {
                            busy = woken;
                            let news = self.protocol.woke(self.account.clock.now());
                            self.outlet.report(self.protocol.state(), news);
                        }
                        command = self.commands.recv() => {
                            let Some((command, cause)) = command else { return };
                            busy = cause;
                            self.take_command(command);
                        }
                        Some((event, cause)) = self.events.recv() => {
                            busy = cause;
                            self.take_events(vec![event]);
                        }
                    }
                }
            }
        }
    }

    /// Takes in the commands and events that have come in the meantime.
    fn take_in(&mut self) -> Result<(), Parked> {
        loop {
            match self.commands.try_recv() {
                Ok((command, _busy)) => self.take_command(command),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(Parked),
            }
        }
        self.take_events(Vec::new());
        Ok(())
    }

    fn take_command(&mut self, command: Command) {
        let news = self.protocol.command(command);
        self.outlet.report(self.protocol.state(), news);
    }

    /// Takes in events, and all that wait behind them.
    fn take_events(&mut self, mut events: Vec<Event>) {
        // Reports hold the clock from here on.
        let busy = self.account.clock.busy();
        while let Ok((event, _busy)) = self.events.try_recv() {
            events.push(event);
        }
        for event in events {
            let news = self.protocol.event(self.account.clock.now(), event);
            self.outlet.report(self.protocol.state(), news);
        }
        drop(busy);
    }

    /// Follows the conversation once it is known.
    fn follow(&mut self) {
        if self.following.is_some() {
            return;
        }
        if let Some(conversation) = self.protocol.conversation() {
            self.line.is_for(conversation);
            let subject = Subject::Conversation(conversation.to_owned());
            let follower = Arc::new(ToDriver(self.teller.clone()));
            self.following = self.account.feeds.follow(subject, follower);
        }
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
