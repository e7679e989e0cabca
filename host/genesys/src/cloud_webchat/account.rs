//! An account on a WebChat deployment: what all its handoffs share.

use super::driver::Chat;
use super::guest::GuestApi;
use super::opening::Site;
use super::protocol::Protocol;
use super::state::State;
use crate::account::{AccountError, check_cloud, require, secret};
use crate::driving::drive;
use crate::platform::{Credentials, Hosts, MediaType, Platform, not_asked};
use crate::secrets::Secrets;
use crate::transport::{Command, Link, Reports, Transport, WebhookReply};
use async_trait::async_trait;
use handoff_engine::account::WebChatAccount;
use handoff_engine::availability::{Availability, NotTold};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use std::sync::Arc;

/// A WebChat deployment of a Genesys Cloud organisation.
#[derive(Debug, Clone)]
pub struct WebChat(pub(super) Arc<Account>);

#[derive(Debug)]
pub(super) struct Account {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) guest: GuestApi,
    /// With an OAuth client.
    pub(super) platform: Option<Platform>,
    pub(super) site: Site,
}

impl WebChat {
    pub(crate) fn new(
        name: &AccountName,
        account: &WebChatAccount,
        secrets: &dyn Secrets,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
    ) -> Result<Self, AccountError> {
        check_cloud(name, &account.region, &account.hosts)?;
        require(
            name,
            "organization-id",
            &account.organization_id,
            "it is shown under Admin, Organization Settings, in the advanced details",
        )?;
        require(
            name,
            "deployment-id",
            &account.deployment_id,
            "it is the key shown under Admin, Contact Center, Widgets, for a deployment of type Third Party",
        )?;
        let hosts = Hosts::new(&account.region, &account.hosts);
        let guest = GuestApi::new(hosts.api.clone(), http.clone());
        let platform = match &account.oauth_client {
            None => None,
            Some(client) => {
                let credentials = Credentials {
                    client_id: client.id.clone(),
                    client_secret: secret(name, "oauth-client.secret", &client.secret, secrets)?,
                };
                Some(Platform::new(hosts, credentials, Arc::clone(&clock), http))
            }
        };
        Ok(Self(Arc::new(Account {
            site: Site {
                account: name.clone(),
                organization: account.organization_id.clone(),
                deployment: account.deployment_id.clone(),
                queue: account.queue.clone(),
                has_platform: platform.is_some(),
            },
            clock,
            guest,
            platform,
        })))
    }
}

impl WebChat {
    /// With an OAuth client.
    pub(crate) fn platform(&self) -> Option<&Platform> {
        self.0.platform.as_ref()
    }
}

#[async_trait]
impl Transport for WebChat {
    fn kind(&self) -> TransportKind {
        TransportKind::CloudWebchat
    }

    fn open(&self, handoff: HandoffId, request: TransferRequest, reports: Reports) -> Link {
        let (clock, site) = (&self.0.clock, self.0.site.clone());
        drive(clock, handoff.clone(), reports, [], |outlet, _| {
            let protocol = Protocol::open(site, handoff, &request, clock.now());
            let protocol = protocol.map_err(|trouble| trouble.detail())?;
            Ok((protocol, Chat::new(&self.0, outlet.traffic())))
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
            let protocol = Protocol::resume(site, handoff, state, clock.now());
            Ok((protocol, Chat::new(&self.0, outlet.traffic())))
        })
    }

    async fn availability(&self, queue: Option<&str>) -> Result<Availability, NotTold> {
        let Some(platform) = &self.0.platform else {
            return Err(not_asked(
                "this account has no OAuth client to ask with",
                "add 'oauth-client' to it in project.toml",
            ));
        };
        let Some(queue) = queue.or(self.0.site.queue.as_deref()) else {
            return Err(not_asked(
                "the platform can only be asked for a queue",
                "name one in the node",
            ));
        };
        platform.availability(queue, MediaType::Chat).await
    }

    fn webhook(&self, _headers: &http::HeaderMap, _body: &[u8]) -> WebhookReply {
        WebhookReply::new(
            http::StatusCode::NOT_FOUND,
            format!(
                "Account '{}' is a WebChat deployment, which has an event stream and sends no webhooks.",
                self.0.site.account
            ),
        )
    }
}
