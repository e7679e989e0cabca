//! The I/O of a handoff: the guest's socket and its requests, and what is followed through the
//! Platform API.

use super::account::Account;
use super::guest_api::GuestApi;
use super::protocol::{Answer, Call, Event, Protocol};
use super::socket::{Heard, Socket};
use super::trouble::Trouble;
use super::wire::Frame;
use crate::driving::{Events, Hands};
use crate::following::{Follower, Following, Happening, Subject};
use crate::platform::{MediaType, Platform};
use crate::traffic::Traffic;
use handoff_engine::clock::Busy;
use std::future::pending;
use std::sync::Arc;

/// What one handoff has open.
pub(super) struct Guest {
    account: Arc<Account>,
    guest: GuestApi,
    /// With an OAuth client.
    platform: Option<Platform>,
    traffic: Traffic,
    socket: Option<Socket>,
    following: Vec<(Subject, Option<Following>)>,
}

/// Hands what the notification socket brings to the driver.
#[derive(Debug)]
struct ToDriver(Events<Event>);

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

impl Hands for Guest {
    type Protocol = Protocol;

    fn follow(&mut self, protocol: &Protocol, events: &Events<Event>) {
        if !protocol.line.has_socket() {
            self.socket = None;
        }
        self.follow_subjects(protocol, events);
    }

    fn note(&self, event: &Event) {
        let traffic = &self.traffic;
        match event {
            Event::Frame(text) => {
                let frame: Frame = serde_json::from_str(text).unwrap_or_default();
                traffic.came_with(name_of(&frame), correlation_of(&frame));
            }
            Event::Alive => traffic.came("sign of life"),
            Event::Lost { .. } => traffic.ended("guest socket", "closed"),
            Event::Changed => traffic.came("notification conversation"),
            Event::Seen(_) => traffic.came("notification queue"),
            Event::Followed => traffic.came("notifications followed"),
            Event::Unfollowed { .. } => traffic.ended("notifications", "unfollowed"),
        }
    }

    async fn call(&mut self, _protocol: &Protocol, call: &Call) -> Result<Answer, Trouble> {
        self.carry_out(call).await
    }

    async fn heard(&mut self) -> (Event, Busy) {
        let Some(socket) = &mut self.socket else {
            return pending().await;
        };
        let (heard, busy) = socket.next().await;
        let event = match heard {
            Heard::Text(text) => Event::Frame(text),
            Heard::Alive => Event::Alive,
            Heard::Lost { why } => {
                self.socket = None;
                Event::Lost { why }
            }
        };
        (event, busy)
    }

    async fn close(self, _protocol: &Protocol) {
        if let Some(socket) = self.socket {
            socket.close().await;
        }
    }
}

impl Guest {
    pub(super) fn new(account: &Arc<Account>, traffic: &Traffic) -> Self {
        let platform = account.platform.as_ref();
        Self {
            account: Arc::clone(account),
            guest: account.guest.noting(traffic),
            platform: platform.map(|platform| platform.noting(traffic)),
            traffic: traffic.clone(),
            socket: None,
            following: Vec::new(),
        }
    }

    /// Follows what is to be followed through the Platform API.
    fn follow_subjects(&mut self, protocol: &Protocol, events: &Events<Event>) {
        let wanted = protocol.subjects();
        let Some(feeds) = &self.account.feeds else {
            return;
        };
        for subject in &wanted {
            if self.following.iter().any(|(known, _)| known == subject) {
                continue;
            }
            let follower = Arc::new(ToDriver(events.clone()));
            let following = feeds.follow(subject.clone(), follower);
            if following.is_none() {
                let why = "all notification channels are in use.".to_owned();
                let unfollowed = Happening::Unfollowed { why };
                ToDriver(events.clone()).tell(unfollowed, self.account.clock.busy());
            }
            self.following.push((subject.clone(), following));
        }
        // Only now: a feed without followers closes its socket.
        self.following
            .retain(|(subject, _)| wanted.contains(subject));
    }

    async fn carry_out(&mut self, call: &Call) -> Result<Answer, Trouble> {
        let account = &self.account;
        match call {
            Call::Configuration => {
                let deployment = &account.site.deployment;
                let configuration = self.guest.configuration(deployment).await?;
                Ok(Answer::Configuration(Box::new(configuration)))
            }
            Call::Connect => {
                let opening = self.traffic.opening("guest socket", account.connect());
                self.socket = Some(opening.await?);
                Ok(Answer::Done)
            }
            Call::Send(request) => {
                let text = serde_json::to_string(request)
                    .expect("a request is plain data with text keys, which JSON always holds");
                self.traffic
                    .went(format!("frame {}", request.action.name()));
                self.socket()?.send(text).await?;
                Ok(Answer::Done)
            }
            Call::Ping => {
                self.traffic.went("ping");
                self.socket()?.ping().await?;
                Ok(Answer::Done)
            }
            Call::History { jwt, page } => {
                let page = self.guest.history(jwt, *page).await?;
                Ok(Answer::Page(Box::new(page)))
            }
            Call::ReadFile(url) => Ok(Answer::File(account.media.read(url).await?)),
            Call::Put { url, headers, file } => {
                self.guest.put(url, headers, file.bytes.clone()).await?;
                Ok(Answer::Done)
            }
            Call::FindQueue(_)
            | Call::ListQueues
            | Call::Look { .. }
            | Call::Name(_)
            | Call::EstimatedWait { .. }
            | Call::SetAttributes { .. }
            | Call::Disconnect { .. }
            | Call::DisconnectAll { .. } => self.ask_platform(call).await,
        }
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

    fn socket(&mut self) -> Result<&mut Socket, Trouble> {
        self.socket.as_mut().ok_or_else(|| Trouble::Unreachable {
            why: "the socket is gone".to_owned(),
        })
    }
}

impl Account {
    async fn connect(&self) -> Result<Socket, Trouble> {
        let origin = self.guest.origin.as_deref();
        let url = &self.guest.hosts.webmessaging;
        let clock = Arc::clone(&self.clock);
        Socket::open(url, &self.site.deployment, origin, clock).await
    }
}

/// What a frame of theirs is called.
fn name_of(frame: &Frame) -> String {
    let class = if frame.class.is_empty() {
        "unreadable"
    } else {
        &frame.class
    };
    let kind = frame.body["type"].as_str().unwrap_or_default();
    let name = format!("frame {class} {kind}");
    if frame.is_ok() {
        name.trim_end().to_owned()
    } else {
        format!("{} {}", name.trim_end(), frame.code)
    }
}

fn correlation_of(frame: &Frame) -> Option<String> {
    let correlation = frame.body["metadata"]["correlationId"].as_str();
    correlation.map(str::to_owned)
}
