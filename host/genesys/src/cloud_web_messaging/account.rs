//! An account on a Messenger deployment: what all its handoffs share.

use super::driver::Guest;
use super::guest_api::GuestApi;
use super::protocol::{Protocol, Site};
use super::state::State;
use super::token::Tokens;
use crate::account::{AccountError, check_cloud, key, require, secret};
use crate::driving::drive;
use crate::following::Feeds;
use crate::media::Media;
use crate::platform::{Credentials, Hosts, MediaType, Platform, not_asked};
use crate::secrets::Secrets;
use crate::traffic::Traffic;
use crate::transport::{Command, Link, Reports, Transport, WebhookReply};
use async_trait::async_trait;
use handoff_engine::account::WebMessagingAccount;
use handoff_engine::availability::{Availability, NotTold};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use std::sync::Arc;

/// A Messenger deployment of a Genesys Cloud organisation.
#[derive(Debug, Clone)]
pub struct WebMessaging(pub(super) Arc<Account>);

#[derive(Debug)]
pub(super) struct Account {
    name: AccountName,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) site: Site,
    pub(super) guest: GuestApi,
    pub(super) media: Arc<dyn Media>,
    /// With an OAuth client.
    pub(super) platform: Option<Platform>,
    pub(super) feeds: Option<Feeds>,
}

impl WebMessaging {
    pub(crate) fn new(
        name: &AccountName,
        account: &WebMessagingAccount,
        secrets: &dyn Secrets,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
        media: Arc<dyn Media>,
    ) -> Result<Self, AccountError> {
        check_cloud(name, &account.region, &account.hosts)?;
        require(
            name,
            "deployment-id",
            &account.deployment_id,
            "it is the key shown under Admin, Message, Messenger Deployments",
        )?;
        let hosts = Hosts::new(&account.region, &account.hosts);
        let token_secret = account.token_secret.as_ref();
        let tokens = Tokens {
            account: name.clone(),
            deployment: account.deployment_id.clone(),
            second_handoff: account.second_handoff,
            secret: token_secret
                .map(|it| key(name, "token-secret", it, secrets))
                .transpose()?,
        };
        let platform = match &account.oauth_client {
            None => None,
            Some(client) => {
                let credentials = Credentials {
                    client_id: client.id.clone(),
                    client_secret: secret(name, "oauth-client.secret", &client.secret, secrets)?,
                };
                let (hosts, clock) = (hosts.clone(), Arc::clone(&clock));
                Some(Platform::new(hosts, credentials, clock, http.clone()))
            }
        };
        let feeds = platform
            .clone()
            .map(|platform| Feeds::new(name.clone(), platform, Arc::clone(&clock)));
        Ok(Self(Arc::new(Account {
            name: name.clone(),
            site: Site {
                deployment: account.deployment_id.clone(),
                queue_attribute: account.queue_attribute.clone(),
                tokens,
                has_platform: platform.is_some(),
            },
            guest: GuestApi {
                hosts,
                origin: account.origin.clone(),
                http,
                traffic: Traffic::default(),
            },
            clock,
            media,
            platform,
            feeds,
        })))
    }
}

impl WebMessaging {
    /// With an OAuth client.
    pub(crate) fn platform(&self) -> Option<&Platform> {
        self.0.platform.as_ref()
    }
}

#[async_trait]
impl Transport for WebMessaging {
    fn kind(&self) -> TransportKind {
        TransportKind::CloudWebMessaging
    }

    fn open(&self, handoff: HandoffId, request: TransferRequest, reports: Reports) -> Link {
        let (clock, site) = (&self.0.clock, self.0.site.clone());
        drive(clock, handoff.clone(), reports, [], |outlet, _| {
            let protocol = Protocol::open(handoff, &request, site, clock.now());
            Ok((protocol, Guest::new(&self.0, outlet.traffic())))
        })
    }

    fn resume(
        &self,
        handoff: HandoffId,
        handle: serde_json::Value,
        unsettled: Vec<Command>,
        reports: Reports,
    ) -> Link {
        let (clock, site) = (&self.0.clock, self.0.site.clone());
        drive(clock, handoff.clone(), reports, unsettled, |outlet, _| {
            let state = outlet.resume::<State>(handle)?;
            let protocol = Protocol::resume(handoff, state, site, clock.now());
            Ok((protocol, Guest::new(&self.0, outlet.traffic())))
        })
    }

    async fn availability(&self, queue: Option<&str>) -> Result<Availability, NotTold> {
        let Some(platform) = &self.0.platform else {
            return Err(not_asked(
                "this account has no OAuth client to ask with",
                "add 'oauth-client' to it in project.toml",
            ));
        };
        let Some(queue) = queue else {
            return Err(not_asked(
                "the platform can only be asked for a queue",
                "name one in the node",
            ));
        };
        platform.availability(queue, MediaType::Message).await
    }

    fn webhook(&self, _headers: &http::HeaderMap, _body: &[u8]) -> WebhookReply {
        WebhookReply::new(
            http::StatusCode::NOT_FOUND,
            format!(
                "Account '{}' is a Messenger deployment, which has a socket and sends no webhooks.",
                self.0.name
            ),
        )
    }
}
