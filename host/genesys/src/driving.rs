//! The task of one handoff, whatever the transport: one call at a time, and in between it waits for
//! commands, events and the clock.
//!
//! What to do is decided by a [`Protocol`], which is pure; what it asks for is done by its [`Hands`].
//! The simulated clock is held but for the waits, so that no time passes while something is under way.

use crate::asking;
use crate::report::{News, Outlet};
use crate::transport::{Command, Commands, Link, Reports};
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::handoff::{EndDetail, HandoffEnd, Signal};
use handoff_engine::name::HandoffId;
use handoff_engine::time::Timestamp;
use serde::Serialize;
use std::future::{Future, pending, ready};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tracing::Instrument;

/// What a protocol wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next<C> {
    Call(C),
    /// Nothing until then, unless a command or an event comes.
    Wait(Timestamp),
    /// The handoff is over.
    Done,
}

/// A handoff as a value.
pub(crate) trait Protocol: Send + 'static {
    /// What outlives a restart.
    type State: Serialize;
    /// Something to ask of the platform.
    type Call: Send + Sync;
    /// What that came to.
    type Answer: Send;
    /// What happens without being asked for.
    type Event: Send + 'static;

    fn state(&self) -> &Self::State;
    fn command(&mut self, now: Timestamp, command: Command) -> News;
    fn event(&mut self, now: Timestamp, event: Self::Event) -> News;
    /// The time waited for has come.
    fn woke(&mut self, now: Timestamp) -> News;
    fn answer(&mut self, now: Timestamp, call: &Self::Call, answer: Self::Answer) -> News;
    fn next(&mut self, now: Timestamp) -> Next<Self::Call>;
}

/// Where events go, each with the work it is part of.
pub(crate) type Events<E> = mpsc::UnboundedSender<(E, Busy)>;

/// What does a protocol's I/O.
pub(crate) trait Hands: Send + 'static {
    type Protocol: Protocol;

    /// Opens and closes what brings events, as the protocol stands.
    fn follow(&mut self, protocol: &Self::Protocol, events: &Events<EventOf<Self>>) {
        let _ = (protocol, events);
    }

    /// Notes what came unasked, for the journal.
    fn note(&self, event: &EventOf<Self>) {
        let _ = event;
    }

    /// Does what the protocol asks for.
    fn call(
        &mut self,
        protocol: &Self::Protocol,
        call: &CallOf<Self>,
    ) -> impl Future<Output = AnswerOf<Self>> + Send;

    /// The next event of a socket that these hands hold themselves; nothing, ever, without one.
    fn heard(&mut self) -> impl Future<Output = (EventOf<Self>, Busy)> + Send {
        pending()
    }

    /// Lets go of what is open: the handoff is over, or somebody else takes it up.
    fn close(self, protocol: &Self::Protocol) -> impl Future<Output = ()> + Send
    where
        Self: Sized,
    {
        let _ = protocol;
        ready(())
    }
}

type CallOf<H> = <<H as Hands>::Protocol as Protocol>::Call;
type AnswerOf<H> = <<H as Hands>::Protocol as Protocol>::Answer;
type EventOf<H> = <<H as Hands>::Protocol as Protocol>::Event;

/// Starts the task of a handoff, or tells why it cannot be. What is `given` it has before all else.
pub(crate) fn drive<H: Hands>(
    clock: &Arc<dyn Clock>,
    handoff: HandoffId,
    reports: Reports,
    given: impl IntoIterator<Item = Command>,
    start: impl FnOnce(&mut Outlet, &Events<EventOf<H>>) -> Result<(H::Protocol, H), EndDetail>,
) -> Link {
    let mut outlet = Outlet::new(handoff, reports, Arc::clone(clock));
    let (link, commands) = Link::new(Arc::clone(clock));
    for command in given {
        link.send(command);
    }
    let (teller, events) = mpsc::unbounded_channel();
    match start(&mut outlet, &teller) {
        Ok((protocol, hands)) => {
            let driver = Driver {
                clock: Arc::clone(clock),
                protocol,
                hands,
                outlet,
                commands,
                events,
                teller,
            };
            // Whoever opens or resumes a handoff says in a span which one it is.
            let task = asking::numbering(driver.run(clock.busy()));
            tokio::spawn(task.in_current_span());
        }
        Err(detail) => {
            let end = HandoffEnd::error(detail.code, detail.message);
            let mut news = News::default();
            news.tell("ended", Signal::Ended(end));
            outlet.report(&serde_json::Value::Null, news);
        }
    }
    link
}

struct Driver<H: Hands> {
    clock: Arc<dyn Clock>,
    protocol: H::Protocol,
    hands: H,
    outlet: Outlet,
    commands: Commands,
    events: mpsc::UnboundedReceiver<(EventOf<H>, Busy)>,
    /// Kept so that the channel stays open while nobody tells anything.
    teller: Events<EventOf<H>>,
}

/// The link was dropped.
struct Parked;

impl<H: Hands> Driver<H> {
    /// Runs until the handoff is over or its link is dropped.
    async fn run(mut self, busy: Busy) {
        let busy = self.work(busy).await;
        self.hands.close(&self.protocol).await;
        drop(busy);
    }

    async fn work(&mut self, mut busy: Busy) -> Busy {
        loop {
            if self.take_in().is_err() {
                return busy;
            }
            self.hands.follow(&self.protocol, &self.teller);
            match self.protocol.next(self.clock.now()) {
                Next::Done => return busy,
                Next::Call(call) => {
                    let answer = self.hands.call(&self.protocol, &call).await;
                    let news = self.protocol.answer(self.clock.now(), &call, answer);
                    self.report(news);
                }
                Next::Wait(until) => {
                    let sleep = self.clock.sleep_until(until);
                    drop(busy);
                    tokio::select! {
                        woken = sleep => {
                            busy = woken;
                            let news = self.protocol.woke(self.clock.now());
                            self.report(news);
                        }
                        command = self.commands.recv() => {
                            let Some((command, cause)) = command else {
                                return self.clock.busy();
                            };
                            busy = cause;
                            self.take_command(command);
                        }
                        Some((event, cause)) = self.events.recv() => {
                            busy = cause;
                            self.take_event(event);
                        }
                        (event, cause) = self.hands.heard() => {
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
        let news = self.protocol.command(self.clock.now(), command);
        self.report(news);
    }

    fn take_event(&mut self, event: EventOf<H>) {
        self.hands.note(&event);
        let news = self.protocol.event(self.clock.now(), event);
        self.report(news);
    }

    fn report(&mut self, news: News) {
        self.outlet.report(self.protocol.state(), news);
    }
}
