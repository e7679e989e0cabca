//! The I/O of a chat: one task, one request at a time, waiting for commands, frames and the clock.

use super::account::Account;
use super::protocol::{Answer, Call, Event, Next, Protocol};
use super::stream::{Events, Stream};
use super::trouble::Failure;
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
    stream: Option<Stream>,
}

/// The link was dropped.
struct Parked;

impl Driver {
    pub(super) fn new(
        account: Arc<Account>,
        protocol: Protocol,
        outlet: Outlet,
        commands: Commands,
    ) -> Self {
        let (teller, events) = mpsc::unbounded_channel();
        Self {
            account,
            protocol,
            outlet,
            commands,
            events,
            teller,
            stream: None,
        }
    }

    /// Runs until the handoff is over or its link is dropped. `busy` is held but for the waits.
    pub(super) async fn run(mut self, mut busy: Busy) {
        loop {
            if self.take_in().is_err() {
                return;
            }
            self.listen();
            match self.protocol.next(self.account.clock.now()) {
                Next::Done => return,
                Next::Call(call) => {
                    let answer = self.account.call(&self.protocol, &call).await;
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
                            self.take_event(event);
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
        while let Ok((event, _busy)) = self.events.try_recv() {
            self.take_event(event);
        }
        Ok(())
    }

    fn take_command(&mut self, command: Command) {
        let news = self.protocol.command(command);
        self.outlet.report(self.protocol.state(), news);
    }

    fn take_event(&mut self, event: Event) {
        let news = self.protocol.event(self.account.clock.now(), event);
        self.outlet.report(self.protocol.state(), news);
    }

    /// Listens to the event stream once there is one.
    fn listen(&mut self) {
        if self.stream.is_some() {
            return;
        }
        if let Some(uri) = self.protocol.stream() {
            let seed = self.protocol.handoff.as_str();
            let clock = Arc::clone(&self.account.clock);
            self.stream = Some(Stream::open(uri, seed, clock, self.teller.clone()));
        }
    }
}

impl Account {
    async fn call(&self, protocol: &Protocol, call: &Call) -> Result<Answer, Failure> {
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
