//! An account on a Genesys Cloud organisation: what all its handoffs share.

use super::driver::Talking;
use super::protocol::Protocol;
use super::signature::WebhookSecret;
use super::state::State;
use super::switchboard::{Switchboard, Waiting};
use super::trigger::{EventsToken, Trigger};
use super::wire::Outbound;
use crate::account::{AccountError, check_cloud, key, require, secret};
use crate::driving::drive;
use crate::following::Feeds;
use crate::platform::{Credentials, Hosts, IntegrationError, MediaType, Platform, not_asked};
use crate::secrets::Secrets;
use crate::transport::{Command, Link, Reports, Transport, WebhookReply};
use crate::unreadable::unreadable;
use async_trait::async_trait;
use handoff_engine::account::OpenMessagingAccount;
use handoff_engine::availability::{Availability, NotTold};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use handoff_engine::time::Millis;
use http::StatusCode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest webhook body taken in, bytes. Genesys' own requests are half of that at most.
const LARGEST_BODY: usize = 1024 * 1024;

/// How old a message may be when it comes. The signature covers the body alone, so a call that somebody
/// recorded stays signed for ever. Within this time its id is known to the handoff; after it, it counts
/// for nothing. What Genesys itself could not deliver for longer is read from the conversation.
const REPLAYABLE: Millis = Millis::from_mins(15);

/// An Open Messaging integration of a Genesys Cloud organisation.
#[derive(Debug, Clone)]
pub struct OpenMessaging(Arc<Account>);

#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: AccountName,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) platform: Platform,
    pub(super) switchboard: Switchboard,
    pub(super) feeds: Feeds,
    secret: WebhookSecret,
    events_token: Option<EventsToken>,
    queue_attribute: String,
    wanted_integration: String,
    /// Integrations of their own, by competency.
    competencies: BTreeMap<String, String>,
    /// Ids of integrations, once found.
    integrations: tokio::sync::Mutex<BTreeMap<String, String>>,
}

impl OpenMessaging {
    pub(crate) fn new(
        name: &AccountName,
        account: &OpenMessagingAccount,
        secrets: &dyn Secrets,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
    ) -> Result<Self, AccountError> {
        check_cloud(name, &account.region, &account.hosts)?;
        let client = "it is shown under Admin, Integrations, OAuth";
        require(name, "client-id", &account.client_id, client)?;
        let integration = "it is the name or id shown under Admin, Message, Platforms";
        require(name, "integration", &account.integration, integration)?;
        let hosts = Hosts::new(&account.region, &account.hosts);
        let credentials = Credentials {
            client_id: account.client_id.clone(),
            client_secret: secret(name, "client-secret", &account.client_secret, secrets)?,
        };
        let webhook_secret = key(name, "webhook-secret", &account.webhook_secret, secrets)?;
        let events_token = account.events_token.as_ref();
        let events_token = events_token
            .map(|token| key(name, "events-token", token, secrets).map(EventsToken::new))
            .transpose()?;
        let platform = Platform::new(hosts, credentials, Arc::clone(&clock), http);
        Ok(Self(Arc::new(Account {
            name: name.clone(),
            switchboard: Switchboard::new(Arc::clone(&clock)),
            feeds: Feeds::new(name.clone(), platform.clone(), Arc::clone(&clock)),
            secret: WebhookSecret::new(webhook_secret),
            events_token,
            queue_attribute: account.queue_attribute.clone(),
            wanted_integration: account.integration.clone(),
            competencies: account.competencies.clone(),
            integrations: tokio::sync::Mutex::default(),
            platform,
            clock,
        })))
    }
}

#[async_trait]
impl Transport for OpenMessaging {
    fn kind(&self) -> TransportKind {
        TransportKind::CloudOpenMessaging
    }

    fn open(&self, handoff: HandoffId, request: TransferRequest, reports: Reports) -> Link {
        let (account, clock) = (&self.0, &self.0.clock);
        let afterwards = reports.clone();
        drive(clock, handoff.clone(), reports, [], |outlet, events| {
            let attribute = &account.queue_attribute;
            let protocol = Protocol::open(handoff, &request, attribute, clock.now());
            let account = Arc::clone(account);
            let traffic = outlet.traffic();
            let talking = Talking::new(
                account,
                traffic,
                &protocol,
                events,
                Waiting::Stale,
                afterwards,
            );
            Ok((protocol, talking))
        })
    }

    fn resume(
        &self,
        handoff: HandoffId,
        handle: serde_json::Value,
        unsettled: Vec<Command>,
        reports: Reports,
    ) -> Link {
        let (account, clock) = (&self.0, &self.0.clock);
        let afterwards = reports.clone();
        drive(
            clock,
            handoff.clone(),
            reports,
            unsettled,
            |outlet, events| {
                let state = outlet.resume::<State>(handle)?;
                let protocol = Protocol::resume(handoff, state, clock.now());
                let account = Arc::clone(account);
                let traffic = outlet.traffic();
                let talking = Talking::new(
                    account,
                    traffic,
                    &protocol,
                    events,
                    Waiting::Wanted,
                    afterwards,
                );
                Ok((protocol, talking))
            },
        )
    }

    async fn availability(&self, queue: Option<&str>) -> Result<Availability, NotTold> {
        let Some(queue) = queue else {
            return Err(not_asked(
                "the platform can only be asked for a queue",
                "name one in the node",
            ));
        };
        self.0
            .platform
            .availability(queue, MediaType::Message)
            .await
    }

    fn webhook(&self, headers: &http::HeaderMap, body: &[u8]) -> WebhookReply {
        if body.len() > LARGEST_BODY {
            return too_large();
        }
        if !self.0.secret.signed(headers, body) {
            tracing::warn!(account = %self.0.name, "a webhook call with a wrong signature");
            let sentence = format!(
                "The signature X-Hub-Signature-256 does not match. Check that webhook-secret of account '{}' is the integration's signature secret token.",
                self.0.name
            );
            return WebhookReply::new(StatusCode::UNAUTHORIZED, sentence);
        }
        let busy = self.0.clock.busy();
        match serde_json::from_slice::<Outbound>(body) {
            Ok(message) if self.0.is_stale(&message) => {
                tracing::warn!(account = %self.0.name, id = message.id, "a webhook call of long ago");
            }
            Ok(message) => self.0.switchboard.hand_over(message, &busy),
            // Refusing it would fail the chat, and Genesys would not send it any better.
            Err(error) => {
                let why = unreadable(&error);
                tracing::error!(account = %self.0.name, why, "a signed webhook body cannot be read");
            }
        }
        WebhookReply::new(StatusCode::OK, "")
    }

    fn event(&self, headers: &http::HeaderMap, body: &[u8]) -> WebhookReply {
        let name = &self.0.name;
        let Some(token) = &self.0.events_token else {
            let sentence = format!("Account '{name}' takes no events. Set its events-token.");
            return WebhookReply::new(StatusCode::NOT_FOUND, sentence);
        };
        if !token.borne_by(headers) {
            tracing::warn!(account = %name, "an event call with a wrong token");
            let sentence = format!(
                "The bearer token does not match. Check that the workflow sends the events-token of account '{name}' as \"Authorization: Bearer ...\"."
            );
            return WebhookReply::new(StatusCode::UNAUTHORIZED, sentence);
        }
        if body.len() > LARGEST_BODY {
            return too_large();
        }
        let Some(trigger) = Trigger::read(body) else {
            let sentence = "The body names no conversation. Have the data action send {\"conversationId\": \"...\", \"topic\": \"...\"}.";
            return WebhookReply::new(StatusCode::BAD_REQUEST, sentence);
        };
        let busy = self.0.clock.busy();
        if !self.0.switchboard.hint(&trigger, &busy) {
            tracing::debug!(account = %name, "an event of a conversation that is not ours");
        }
        WebhookReply::new(StatusCode::OK, "")
    }
}

fn too_large() -> WebhookReply {
    let limit = format!("The body is over the limit of {LARGEST_BODY} bytes.");
    WebhookReply::new(StatusCode::PAYLOAD_TOO_LARGE, limit)
}

impl Account {
    /// Whether a message is older than any that Genesys still delivers.
    fn is_stale(&self, message: &Outbound) -> bool {
        let sent = message.time();
        sent.is_some_and(|sent| self.clock.now().since(sent) > REPLAYABLE)
    }

    /// The id of a competency's integration, or else of the account's own. Found once: its name may
    /// change later, its id does not.
    pub(super) async fn integration(
        &self,
        platform: &Platform,
        competency: Option<&str>,
    ) -> Result<String, IntegrationError> {
        let of_competency = competency.and_then(|it| self.competencies.get(it));
        let wanted = of_competency.unwrap_or(&self.wanted_integration);
        let mut known = self.integrations.lock().await;
        if let Some(id) = known.get(wanted) {
            return Ok(id.clone());
        }
        let found = platform.integration(wanted).await?;
        known.insert(wanted.clone(), found.id.clone());
        Ok(found.id)
    }
}
