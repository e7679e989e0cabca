//! The I/O of a handoff: one task, one call at a time, waiting for commands, frames, events and the
//! clock.

use super::account::Account;
use super::protocol::{Answer, Call, Event, Next, Protocol};
use super::socket::{Heard, Socket};
use super::trouble::Trouble;
use crate::following::{Follower, Following, Happening, Subject};
use crate::platform::MediaType;
use crate::report::Outlet;
use crate::transport::{Command, Commands};
use handoff_engine::clock::Busy;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

type Events = mpsc::UnboundedSender<(Event, Busy)>;

/// The task of one handoff.
pub(super) struct Driver {
    account: Arc<Account>,
    protocol: Protocol,
    outlet: Outlet,
    commands: Commands,
    events: mpsc::UnboundedReceiver<(Event, Busy)>,
    teller: Events,
    socket: Option<Socket>,
    following: Vec<(Subject, Option<Following>)>,
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
            Happening::Seen(snapshot) => Event::Seen(snapshot),
            Happening::Followed => Event::Followed,
            Happening::Unfollowed { why } => Event::Unfollowed { why },
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
    ) -> Self {
        let (teller, events) = mpsc::unbounded_channel();
        Self {
            account,
            protocol,
            outlet,
            commands,
            events,
            teller,
            socket: None,
            following: Vec::new(),
        }
    }

    /// Runs until the handoff is over or its link is dropped. `busy` is held but for the waits.
    pub(super) async fn run(mut self, busy: Busy) {
        let busy = self.work(busy).await;
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        drop(busy);
    }

    async fn work(&mut self, mut busy: Busy) -> Busy {
        loop {
            if self.take_in().is_err() {
                return busy;
            }
            if !self.protocol.line.has_socket() {
                self.socket = None;
            }
            self.follow();
            match self.protocol.next(self.account.clock.now()) {
                Next::Done => return busy,
                Next::Call(call) => {
                    let answer = self.call(&call).await;
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
                            let Some((command, cause)) = command else {
                                return self.account.clock.busy();
                            };
                            busy = cause;
                            self.take_command(command);
                        }
                        Some((event, cause)) = self.events.recv() => {
                            busy = cause;
                            self.take_event(event);
                        }
                        (heard, cause) = heard(&mut self.socket) => {
                            busy = cause;
                            self.hear(heard);
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
        let news = self.protocol.command(self.account.clock.now(), command);
        self.outlet.report(self.protocol.state(), news);
    }

    fn take_event(&mut self, event: Event) {
        let news = self.protocol.event(self.account.clock.now(), event);
        self.outlet.report(self.protocol.state(), news);
    }

    fn hear(&mut self, heard: Heard) {
        let event = match heard {
            Heard::Text(text) => Event::Frame(text),
            Heard::Alive => Event::Alive,
            Heard::Lost { why } => {
                self.socket = None;
                Event::Lost { why }
            }
        };
        self.take_event(event);
    }

    /// Follows what is to be followed through the Platform API.
    fn follow(&mut self) {
        let wanted = self.protocol.subjects();
        let Some(feeds) = &self.account.feeds else {
            return;
        };
        for subject in &wanted {
            if self.following.iter().any(|(known, _)| known == subject) {
                continue;
            }
            let follower = Arc::new(ToDriver(self.teller.clone()));
            let following = feeds.follow(subject.clone(), follower);
            if following.is_none() {
                let why = "all notification channels are in use.".to_owned();
                let unfollowed = Happening::Unfollowed { why };
                ToDriver(self.teller.clone()).tell(unfollowed, self.account.clock.busy());
            }
            self.following.push((subject.clone(), following));
        }
        // Only now: a feed without followers closes its socket.
        self.following
            .retain(|(subject, _)| wanted.contains(subject));
    }

    async fn call(&mut self, call: &Call) -> Result<Answer, Trouble> {
        let account = &self.account;
        match call {
            Call::Configuration => {
                let configuration = account
                    .guest
                    .configuration(&account.site.deployment)
                    .await?;
                Ok(Answer::Configuration(Box::new(configuration)))
            }
            Call::Connect => {
                self.socket = Some(account.connect().await?);
                Ok(Answer::Done)
            }
            Call::Send(request) => {
                let text = serde_json::to_string(request)
                    .expect("a request is plain data with text keys, which JSON always holds");
                self.socket()?.send(text).await?;
                Ok(Answer::Done)
            }
            Call::Ping => {
                self.socket()?.ping().await?;
                Ok(Answer::Done)
            }
            Call::History { jwt, page } => {
                let page = account.guest.history(jwt, *page).await?;
                Ok(Answer::Page(Box::new(page)))
            }
            Call::ReadFile(url) => Ok(Answer::File(account.media.read(url).await?)),
            Call::Put { url, headers, file } => {
                account.guest.put(url, headers, file.bytes.clone()).await?;
                Ok(Answer::Done)
            }
            Call::FindQueue(_)
            | Call::ListQueues
            | Call::Look { .. }
            | Call::Name(_)
            | Call::EstimatedWait { .. }
            | Call::SetAttributes { .. }
            | Call::Disconnect { .. }
            | Call::DisconnectAll { .. } => account.ask_platform(call).await,
        }
    }

    fn socket(&mut self) -> Result<&mut Socket, Trouble> {
        self.socket.as_mut().ok_or_else(|| Trouble::Unreachable {
            why: "the socket is gone".to_owned(),
        })
    }
}

/// What an open socket brings; nothing, ever, without one.
async fn heard(socket: &mut Option<Socket>) -> (Heard, Busy) {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

impl Account {
    async fn connect(&self) -> Result<Socket, Trouble> {
        let origin = self.guest.origin.as_deref();
        let url = &self.guest.hosts.webmessaging;
        let clock = Arc::clone(&self.clock);
        Socket::open(url, &self.site.deployment, origin, clock).await
    }

    async fn ask_platform(&self, call: &Call) -> Result<Answer, Trouble> {
        let Some(platform) = &self.platform else {
            unreachable!("{call:?} is made only with an OAuth client")
        };
        Ok(match call {
            Call::FindQueue(name) => Answer::Queues(vec![platform.queue(name).await?.id]),
            Call::ListQueues => {
                let queues = platform.visible_queues().await?;
                Answer::Queues(queues.into_iter().map(|queue| queue.id).collect())
            }
            Call::Look { conversation } => {
                Answer::Conversation(Box::new(platform.conversation(conversation).await?))
            }
            Call::Name(user) => Answer::Name(platform.user_name(user).await?),
            Call::EstimatedWait { queue } => {
                Answer::Wait(platform.estimated_wait(queue, MediaType::Message).await?)
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
            other => unreachable!("{other:?} is no call of the Platform API"),
        })
    }
}
