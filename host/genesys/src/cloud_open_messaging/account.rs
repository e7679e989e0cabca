//! An account on a Genesys Cloud organisation: what all its handoffs share.

use super::driver::Talking;
use super::protocol::Protocol;
use super::signature::{Renewable, WebhookSecret};
use super::state::State;
use super::switchboard::{Switchboard, Waiting};
use super::trigger::{EventsToken, Trigger};
use super::wire::{Kind, Outbound};
use crate::account::{AccountError, check_cloud, key, require, secret};
use crate::driving::drive;
use crate::following::Feeds;
use crate::lenient_json;
use crate::platform::{Credentials, Hosts, IntegrationError, MediaType, Platform, not_asked};
use crate::secrets::Secrets;
use crate::transport::{Command, Link, Reports, Transport, WebhookOutcome, WebhookReply};
use crate::unreadable::unreadable;
use async_trait::async_trait;
use handoff_engine::account::{self as engine, OpenMessagingAccount};
use handoff_engine::availability::{Availability, NotTold};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use handoff_engine::time::Millis;
use http::StatusCode;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

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
    secrets: RwLock<CallSecrets>,
    queue_attribute: String,
    wanted_integration: String,
    /// Integrations of their own, by competency.
    competencies: BTreeMap<String, String>,
    /// Ids of integrations, once found.
    integrations: tokio::sync::Mutex<BTreeMap<String, String>>,
}

/// What calls for the account are known by.
#[derive(Debug)]
struct CallSecrets {
    webhook: Renewable<WebhookSecret>,
    events: Option<Renewable<EventsToken>>,
}

/// The secrets of calls as their sources have them now.
fn call_secrets(
    name: &AccountName,
    account: &OpenMessagingAccount,
    secrets: &dyn Secrets,
) -> Result<(WebhookSecret, Option<EventsToken>), AccountError> {
    let webhook = key(name, "webhook-secret", &account.webhook_secret, secrets)?;
    let events = account.events_token.as_ref();
    let events = events
        .map(|token| key(name, "events-token", token, secrets).map(EventsToken::new))
        .transpose()?;
    Ok((WebhookSecret::new(webhook), events))
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
        let (webhook, events) = call_secrets(name, account, secrets)?;
        let platform = Platform::new(hosts, credentials, Arc::clone(&clock), http);
        Ok(Self(Arc::new(Account {
            name: name.clone(),
            switchboard: Switchboard::new(Arc::clone(&clock)),
            feeds: Feeds::new(name.clone(), platform.clone(), Arc::clone(&clock)),
            secrets: RwLock::new(CallSecrets {
                webhook: Renewable::new(webhook),
                events: events.map(Renewable::new),
            }),
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
        let now = self.0.clock.now();
        let signed = |secret: &WebhookSecret| secret.signed(headers, body);
        if !self.0.secrets().webhook.any(now, signed) {
            tracing::warn!(account = %self.0.name, "a webhook call with a wrong signature");
            let sentence = format!(
                "The signature X-Hub-Signature-256 does not match. Check that webhook-secret of account '{}' is the integration's signature secret token.",
                self.0.name
            );
            return WebhookReply::new(StatusCode::UNAUTHORIZED, sentence);
        }
        let read = lenient_json::read(body);
        match read.as_ref().and_then(Outbound::read) {
            Some(message) => self.0.take(message, body),
            None => self.0.cannot_read(body),
        }
    }

    fn renew_secrets(
        &self,
        account: &engine::Account,
        secrets: &dyn Secrets,
    ) -> Result<bool, AccountError> {
        let engine::Account::CloudOpenMessaging(account) = account else {
            return Ok(false);
        };
        let (webhook, events) = call_secrets(&self.0.name, account, secrets)?;
        let now = self.0.clock.now();
        let kept = self.0.secrets.write();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        let mut changed = kept.webhook.renew(webhook, now);
        match (&mut kept.events, events) {
            (Some(kept), Some(events)) => changed |= kept.renew(events, now),
            (kept, events) => *kept = events.map(Renewable::new),
        }
        Ok(changed)
    }

    fn event(&self, headers: &http::HeaderMap, body: &[u8]) -> WebhookReply {
        let name = &self.0.name;
        let now = self.0.clock.now();
        let secrets = self.0.secrets();
        let Some(token) = &secrets.events else {
            let sentence = format!("Account '{name}' takes no events. Set its events-token.");
            return WebhookReply::new(StatusCode::NOT_FOUND, sentence);
        };
        if !token.any(now, |token| token.borne_by(headers)) {
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

/// The conversation that a body names, as far as it can be made out in what cannot be read.
fn conversation_in(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("\"conversationId\"")?;
    let rest = rest
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .strip_prefix('"')?;
    let (id, _) = rest.split_once('"')?;
    let plain = id.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
    (plain && (1..=64).contains(&id.len())).then(|| id.to_owned())
}

fn too_large() -> WebhookReply {
    let limit = format!("The body is over the limit of {LARGEST_BODY} bytes.");
    WebhookReply::new(StatusCode::PAYLOAD_TOO_LARGE, limit)
}

impl Account {
    fn secrets(&self) -> RwLockReadGuard<'_, CallSecrets> {
        let secrets = self.secrets.read();
        secrets.unwrap_or_else(PoisonError::into_inner)
    }

    /// A signed message. One that no handoff here knows is not acknowledged: Genesys may bring it again,
    /// and the agent may see that it did not arrive.
    fn take(&self, mut message: Outbound, body: &[u8]) -> WebhookReply {
        if message.id.is_empty() {
            // Without an id all would be repetitions of the first. Brought again it is the same.
            let digest = Sha256::digest(body);
            let digest: String = digest[..12]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            message.id = format!("unnamed-{digest}");
        }
        if self.is_stale(&message) {
            tracing::warn!(account = %self.name, id = message.id, "a webhook call of long ago");
            return WebhookReply::new(StatusCode::OK, "").with(WebhookOutcome::Stale);
        }
        // Its words, if there are any, are somewhere that they are not known to be.
        if message.says_nothing() {
            let why = "it holds neither text nor content".to_owned();
            return self.cannot_show(body, why, message.has_type);
        }
        if message.kind == Kind::Unknown {
            let why = "it is of a type that this host does not know".to_owned();
            return self.cannot_show(body, why, message.has_type);
        }
        let outcome = WebhookOutcome::Unclaimed {
            message: message.id.clone(),
            conversation: message.conversation_id.clone(),
        };
        if self.switchboard.hand_over(message, &self.clock.busy()) {
            return WebhookReply::new(StatusCode::OK, "");
        }
        let sentence = "No handoff of this host is for this user and conversation.";
        WebhookReply::new(StatusCode::SERVICE_UNAVAILABLE, sentence).with(outcome)
    }

    /// A signed body that cannot be read, however it is tried. Where its conversation can be made out,
    /// the message is read from there, since agents' messages that no webhook brought are. Otherwise
    /// Genesys is told that it did not arrive.
    fn cannot_read(&self, body: &[u8]) -> WebhookReply {
        let why = serde_json::from_slice::<IgnoredAny>(body).err();
        let why = why.map_or_else(|| "it is not an object".to_owned(), |it| unreadable(&it));
        self.cannot_show(body, why, false)
    }

    /// `well_formed` are bodies that Genesys may send and that are new, or empty: to refuse them would
    /// fail the chat for nothing.
    fn cannot_show(&self, body: &[u8], why: String, well_formed: bool) -> WebhookReply {
        let conversation = conversation_in(body);
        tracing::error!(account = %self.name, why, conversation, "a signed webhook body cannot be read");
        let trigger = conversation.clone().map(|conversation| Trigger {
            conversation,
            topic: String::new(),
        });
        let here = trigger.is_some_and(|it| self.switchboard.hint(&it, &self.clock.busy()));
        let reply = if here || well_formed {
            WebhookReply::new(StatusCode::OK, "")
        } else {
            let sentence = format!("The body cannot be read: {why}.");
            WebhookReply::new(StatusCode::UNPROCESSABLE_ENTITY, sentence)
        };
        reply.with(WebhookOutcome::Unreadable { why, conversation })
    }

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

#[cfg(test)]
mod tests;
