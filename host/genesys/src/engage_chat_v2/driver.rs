//! The I/O of a chat: one task per handoff, one request at a time, polls by the clock.

use super::calls::Call;
use super::protocol::{Next, Protocol, Site, State};
use super::trouble::{Failure, Trouble};
use super::wire::Envelope;
use crate::account::{AccountError, secret};
use crate::report::{News, Outlet};
use crate::secrets::Secrets;
use crate::transport::{Commands, Link, Reports, Transport, WebhookReply};
use handoff_engine::account::EngageAccount;
use handoff_engine::clock::{Busy, Clock};
use handoff_engine::handoff::{HandoffEnd, Signal, TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use http::header::RETRY_AFTER;
use std::sync::Arc;
use url::Url;

/// An account on a Genesys Engage site.
#[derive(Debug, Clone)]
pub struct EngageChat {
    site: Site,
    base: String,
    api_key: Option<Secret>,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl EngageChat {
    pub(crate) fn new(
        name: &AccountName,
        account: &EngageAccount,
        secrets: &dyn Secrets,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
    ) -> Result<Self, AccountError> {
        let url = account.url.trim_end_matches('/');
        let bad_address = |why: String| AccountError::Address {
            account: name.clone(),
            field: "url",
            value: account.url.clone(),
            why,
            example: "https://gms.example.org:8080",
        };
        let parsed = Url::parse(url).map_err(|error| bad_address(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(bad_address(format!("its scheme is {}", parsed.scheme())));
        }
        if account.service.is_empty() {
            return Err(AccountError::Empty {
                account: name.clone(),
                field: "service",
                fix: "it is the name of the chat service in the GMS configuration, for example customer-support",
            });
        }
        let api_key = account
            .api_key
            .as_ref()
            .map(|key| secret(name, "api-key", key, secrets).map(Secret))
            .transpose()?;
        Ok(Self {
            site: Site {
                account: name.clone(),
                url: url.to_owned(),
                service: account.service.clone(),
                queue_attribute: account.queue_attribute.clone(),
                poll_interval: account.poll_interval_ms,
            },
            base: format!(
                "{url}/{}/{}",
                account.prefix.trim_matches('/'),
                account.service
            ),
            api_key,
            clock,
            http,
        })
    }

    fn spawn(
        &self,
        start: impl FnOnce(&mut Outlet) -> Option<Protocol>,
        mut outlet: Outlet,
    ) -> Link {
        let busy = self.clock.busy();
        let (link, commands) = Link::new(Arc::clone(&self.clock));
        if let Some(protocol) = start(&mut outlet) {
            let driver = Driver {
                account: self.clone(),
                protocol,
                outlet,
                commands,
            };
            tokio::spawn(driver.run(busy));
        }
        link
    }

    fn outlet(&self, handoff: HandoffId, reports: Reports) -> Outlet {
        Outlet::new(handoff, reports, Arc::clone(&self.clock))
    }
}

impl Transport for EngageChat {
    fn kind(&self) -> TransportKind {
        TransportKind::EngageChatV2
    }

    fn open(&self, handoff: HandoffId, request: TransferRequest, reports: Reports) -> Link {
        let outlet = self.outlet(handoff.clone(), reports);
        let now = self.clock.now();
        let protocol = Protocol::open(self.site.clone(), handoff, request, now);
        self.spawn(|_| Some(protocol), outlet)
    }

    fn resume(&self, handoff: HandoffId, handle: serde_json::Value, reports: Reports) -> Link {
        let outlet = self.outlet(handoff.clone(), reports);
        let now = self.clock.now();
        let start = |outlet: &mut Outlet| match outlet.resume::<State>(handle) {
            Ok(state) => Some(Protocol::resume(self.site.clone(), handoff, state, now)),
            Err(error) => {
                let why = error.to_string();
                let trouble = Trouble::HandleUnreadable { why };
                let mut news = News::default();
                let end = HandoffEnd::error(trouble.code(), trouble.to_string());
                news.tell("ended", Signal::Ended(end));
                outlet.report(&serde_json::Value::Null, news);
                None
            }
        };
        self.spawn(start, outlet)
    }

    fn webhook(&self, _headers: &http::HeaderMap, _body: &[u8]) -> WebhookReply {
        WebhookReply::new(
            http::StatusCode::NOT_FOUND,
            format!(
                "Account '{}' is a Genesys Engage site, which is polled and sends no webhooks.",
                self.site.account
            ),
        )
    }
}

/// The task of one handoff.
struct Driver {
    account: EngageChat,
    protocol: Protocol,
    outlet: Outlet,
    commands: Commands,
}

impl Driver {
    /// Runs until the handoff is over or its link is dropped. `busy` is held but for the waits.
    async fn run(mut self, mut busy: Busy) {
        loop {
            if self.take_commands().is_err() {
                return;
            }
            match self.protocol.next(self.account.clock.now()) {
                Next::Done => return,
                Next::Call(call) => {
                    let operation = call.operation;
                    let answer = self.account.post(&call).await;
                    let now = self.account.clock.now();
                    let news = self.protocol.answer(now, operation, answer);
                    self.outlet.report(self.protocol.state(), news);
                }
                Next::Wait(until) => {
                    let sleep = self.account.clock.sleep_until(until);
                    drop(busy);
                    busy = tokio::select! {
                        woken = sleep => woken,
                        command = self.commands.recv() => match command {
                            Some((command, busy)) => {
                                let news = self.protocol.command(command);
                                self.outlet.report(self.protocol.state(), news);
                                busy
                            }
                            None => return,
                        },
                    };
                }
            }
        }
    }

    /// Takes in the commands that have come in the meantime.
    fn take_commands(&mut self) -> Result<(), Parked> {
        use tokio::sync::mpsc::error::TryRecvError;
        loop {
            match self.commands.try_recv() {
                Ok((command, _busy)) => {
                    let news = self.protocol.command(command);
                    self.outlet.report(self.protocol.state(), news);
                }
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(Parked),
            }
        }
    }
}

/// The link was dropped.
struct Parked;

impl EngageChat {
    async fn post(&self, call: &Call) -> Result<Envelope, Failure> {
        let url = format!("{}{}", self.base, call.path);
        let mut request = self.http.post(url).form(&call.form);
        if let Some(Secret(key)) = &self.api_key {
            request = request.header("apikey", key);
        }
        let response = request.send().await.map_err(|error| failure(&error))?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.bytes().await.map_err(|error| failure(&error))?;
        // A refusal in the protocol's own words counts whatever HTTP status it came with, unless the
        // status says that the address or the access is wrong.
        let elsewhere = matches!(status.as_u16(), 401 | 403 | 404 | 410);
        match serde_json::from_slice::<Envelope>(&body) {
            Ok(envelope) if status.is_success() => Ok(envelope),
            Ok(envelope) if !envelope.errors.is_empty() && !elsewhere => Ok(envelope),
            Err(error) if status.is_success() => Err(Failure::Unknown {
                why: format!("the answer is not a Chat API answer ({error})"),
            }),
            _ => Err(Failure::Status {
                status: status.as_u16(),
                retry_after,
            }),
        }
    }
}

fn failure(error: &reqwest::Error) -> Failure {
    let why = crate::client::describe(error);
    if error.is_connect() {
        Failure::NotSent { why }
    } else {
        Failure::Unknown { why }
    }
}
