//! The organisation, looked at before the first handoff.
//!
//! An account can be right in the project and still fail at Genesys: a permission is missing, a queue is
//! empty, a flow was never published. Each transport's part looks (calls that change nothing) and then
//! judges what was seen, as a pure function. A finding is a sentence for whoever can mend it, with the
//! place in Genesys' Admin. What the API does not show is said to be so, and not to be well.

mod cloud;
mod finding;
mod open_messaging;
mod permissions;
mod queues;
mod routing;
mod web_messaging;
mod webchat;

pub(crate) use finding::Obstacle;
pub use finding::{Finding, Grade};

use crate::account::{AccountError, key, platform_of};
use crate::cloud_web_messaging::WebMessaging;
use crate::cloud_webchat::WebChat;
use crate::engage_chat_v2::EngageChat;
use crate::media::{Media, NoMedia};
use crate::secrets::Secrets;
use handoff_engine::account::{Account, EngageAccount, OpenMessagingAccount};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::AccountName;
use handoff_engine::project::Project;
use serde::Serialize;
use std::sync::Arc;

/// What a project wants of an account, beyond what the account says itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Queues that its flows name, each exactly and once.
    pub queues: Vec<String>,
    /// Where Open Messaging is to post what agents write, if that is known: from the account's `provision`,
    /// or from whoever knows where this host is reached.
    pub webhook: Option<String>,
}

impl Wants {
    /// What a project wants of one of its accounts.
    #[must_use]
    pub fn of(project: &Project, account: &AccountName) -> Self {
        let mut queues = Vec::new();
        for named in project.queues_named_for(account) {
            if !queues.contains(&named.queue) {
                queues.push(named.queue);
            }
        }
        let webhook = match project.account(account) {
            Some(Account::CloudOpenMessaging(account)) => {
                account.provision.as_ref().map(|it| it.webhook.clone())
            }
            _ => None,
        };
        Self { queues, webhook }
    }
}

/// What was found of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// The account.
    pub account: AccountName,
    /// Its transport.
    pub transport: TransportKind,
    /// In the order in which things are set up.
    pub findings: Vec<Finding>,
}

impl Preflight {
    /// How much the worst of it matters.
    #[must_use]
    pub fn worst(&self) -> Grade {
        let grades = self.findings.iter().map(|it| it.grade);
        grades.max().unwrap_or(Grade::Ok)
    }
}

/// Looks at an account over its own transport and, where it has an OAuth client, over the Platform API.
/// Changes nothing there.
pub async fn preflight(
    name: &AccountName,
    account: &Account,
    wants: &Wants,
    secrets: &dyn Secrets,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
) -> Preflight {
    let at = Site {
        name,
        secrets,
        clock,
        http,
    };
    let found = match account {
        Account::EngageChatV2(account) => at.engage(account).await,
        Account::CloudOpenMessaging(account) => at.open_messaging(account, wants).await,
        Account::CloudWebMessaging(account) => {
            let Site { clock, http, .. } = &at;
            let (clock, http) = (Arc::clone(clock), http.clone());
            match WebMessaging::new(name, account, secrets, clock, http, no_media()) {
                Ok(transport) => {
                    let seen = web_messaging::look(&transport, account, wants).await;
                    Ok(seen.judge(account))
                }
                Err(error) => Err(error),
            }
        }
        Account::CloudWebchat(account) => {
            let Site { clock, http, .. } = &at;
            match WebChat::new(name, account, secrets, Arc::clone(clock), http.clone()) {
                Ok(transport) => {
                    let seen = webchat::look(&transport, account, wants).await;
                    Ok(seen.judge(account))
                }
                Err(error) => Err(error),
            }
        }
    };
    Preflight {
        account: name.clone(),
        transport: account.transport(),
        findings: found
            .unwrap_or_else(|error| vec![Finding::error(error.code(), error.to_string())]),
    }
}

/// One account, and what it takes to reach it.
struct Site<'a> {
    name: &'a AccountName,
    secrets: &'a dyn Secrets,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

impl Site<'_> {
    async fn engage(self, account: &EngageAccount) -> Result<Vec<Finding>, AccountError> {
        let Self {
            name,
            secrets,
            clock,
            http,
        } = self;
        let transport = EngageChat::new(name, account, secrets, clock, http, no_media())?;
        let (url, service) = (&account.url, &account.service);
        Ok(match transport.probe().await {
            Err(obstacle) => vec![obstacle.finding()],
            Ok(()) => vec![
                Finding::ok(
                    "org.service_found",
                    format!("{url} answers and knows the chat service '{service}'."),
                ),
                Finding::hint(
                    "org.queues_not_shown",
                    "Queues and agents are not shown by the Chat API, so none was looked at.",
                )
                .help(format!(
                    "in Genesys Administrator, see that the routing strategy behind the service reads the queue from \
                     the user data key '{}' and that agents are logged in",
                    account.queue_attribute
                )),
            ],
        })
    }

    async fn open_messaging(
        self,
        account: &OpenMessagingAccount,
        wants: &Wants,
    ) -> Result<Vec<Finding>, AccountError> {
        let expected = key(
            self.name,
            "webhook-secret",
            &account.webhook_secret,
            self.secrets,
        )?;
        let (clock, http) = (Arc::clone(&self.clock), self.http.clone());
        let platform = platform_of(self.name, account, self.secrets, clock, http)?;
        Ok(
            match open_messaging::look(&platform, account, wants).await {
                Ok(seen) => seen.judge(account, &expected, wants),
                Err(error) => vec![cloud::shut_out(&error)],
            },
        )
    }
}

fn no_media() -> Arc<dyn Media> {
    Arc::new(NoMedia)
}
