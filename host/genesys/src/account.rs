//! From a configured account to the transport that reaches it.

use crate::media::Media;
use crate::platform::{Credentials, Hosts, Platform};
use crate::secrets::{SecretError, SecretFlaw, Secrets, check_secret};
use crate::transport::Transport;
use crate::{cloud_open_messaging, cloud_web_messaging, cloud_webchat, engage_chat_v2};
use handoff_engine::account::{
    Account, HostOverrides, OpenMessagingAccount, REGIONS, unknown_region,
};
use handoff_engine::clock::Clock;
use handoff_engine::name::AccountName;
use std::sync::Arc;
use url::Url;

/// An account that cannot be used as it stands in the project.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// An address that is none.
    #[error(
        "account '{account}': {field} = \"{value}\" is not an http(s) address ({why}); write scheme and host, for example \"{example}\""
    )]
    Address {
        /// The account.
        account: AccountName,
        /// The key in the project file.
        field: &'static str,
        /// What stands there.
        value: String,
        /// Why it will not do.
        why: String,
        /// What would do.
        example: &'static str,
    },
    /// A region Genesys Cloud does not have.
    #[error(
        "account '{account}': region = \"{region}\" is not a Genesys Cloud region{suggestion}; take the part after \"login.\" of the address at which people log in"
    )]
    Region {
        /// The account.
        account: AccountName,
        /// What stands there.
        region: String,
        /// The nearest region, as a clause.
        suggestion: String,
    },
    /// A secret that cannot be had.
    #[error("account '{account}': {field}: {source}")]
    Secret {
        /// The account.
        account: AccountName,
        /// The key in the project file.
        field: &'static str,
        /// What is wrong with it.
        source: SecretError,
    },
    /// A secret that is empty, too short or damaged.
    #[error("account '{account}': the secret of {field} cannot be used: {flaw}")]
    BadSecret {
        /// The account.
        account: AccountName,
        /// The key in the project file.
        field: &'static str,
        /// What is wrong with it. Never its text.
        flaw: SecretFlaw,
    },
    /// A value that must not be empty.
    #[error("account '{account}': {field} is empty; {fix}")]
    Empty {
        /// The account.
        account: AccountName,
        /// The key in the project file.
        field: &'static str,
        /// Where to find the value.
        fix: &'static str,
    },
}

impl AccountError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "account.bad_address",
            Self::Region { .. } => "account.unknown_region",
            Self::Secret { .. } => "account.secret_missing",
            Self::BadSecret { .. } => "account.bad_secret",
            Self::Empty { .. } => "account.value_missing",
        }
    }
}

/// Makes the transport of an account. Does no I/O: what only Genesys can tell shows when a handoff
/// opens.
///
/// # Errors
///
/// If an address, region or secret of the account will not do.
pub fn transport(
    account_name: &AccountName,
    account: &Account,
    secrets: &dyn Secrets,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
    media: Arc<dyn Media>,
) -> Result<Arc<dyn Transport>, AccountError> {
    Ok(match account {
        Account::CloudWebchat(account) => Arc::new(cloud_webchat::WebChat::new(
            account_name,
            account,
            secrets,
            clock,
            http,
        )?),
        Account::CloudWebMessaging(account) => Arc::new(cloud_web_messaging::WebMessaging::new(
            account_name,
            account,
            secrets,
            clock,
            http,
            media,
        )?),
        Account::EngageChatV2(account) => Arc::new(engage_chat_v2::EngageChat::new(
            account_name,
            account,
            secrets,
            clock,
            http,
            media,
        )?),
        Account::CloudOpenMessaging(account) => Arc::new(cloud_open_messaging::OpenMessaging::new(
            account_name,
            account,
            secrets,
            clock,
            http,
        )?),
    })
}

/// Whether the Platform API's hosts can be used, and the region is one if they are its own.
pub(crate) fn check_cloud(
    name: &AccountName,
    region: &str,
    hosts: &HostOverrides,
) -> Result<(), AccountError> {
    let given = [("hosts.api", &hosts.api), ("hosts.login", &hosts.login)];
    for (field, url) in given {
        let Some(url) = url else { continue };
        let why = match Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => continue,
            Ok(parsed) => format!("its scheme is {}", parsed.scheme()),
            Err(error) => error.to_string(),
        };
        return Err(AccountError::Address {
            account: name.clone(),
            field,
            value: url.clone(),
            why,
            example: "https://api.mypurecloud.de",
        });
    }
    let Some(region) = unknown_region(region, hosts) else {
        return Ok(());
    };
    let likeness = |candidate: &&str| strsim::damerau_levenshtein(candidate, region);
    let nearest = REGIONS.iter().copied().min_by_key(likeness);
    let suggestion = nearest
        .filter(|candidate| likeness(candidate) <= 4)
        .map_or_else(String::new, |candidate| {
            format!(" (did you mean \"{candidate}\"?)")
        });
    Err(AccountError::Region {
        account: name.clone(),
        region: region.to_owned(),
        suggestion,
    })
}

/// The Platform API as an Open Messaging account's OAuth client sees it.
pub(crate) fn platform_of(
    name: &AccountName,
    account: &OpenMessagingAccount,
    secrets: &dyn Secrets,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
) -> Result<Platform, AccountError> {
    check_cloud(name, &account.region, &account.hosts)?;
    let credentials = Credentials {
        client_id: account.client_id.clone(),
        client_secret: secret(name, "client-secret", &account.client_secret, secrets)?,
    };
    let hosts = Hosts::new(&account.region, &account.hosts);
    Ok(Platform::new(hosts, credentials, clock, http))
}

/// Whether a value is there. `fix` says where to find it.
pub(crate) fn require(
    name: &AccountName,
    field: &'static str,
    value: &str,
    fix: &'static str,
) -> Result<(), AccountError> {
    if !value.trim().is_empty() {
        return Ok(());
    }
    let account = name.clone();
    Err(AccountError::Empty {
        account,
        field,
        fix,
    })
}

/// Characters that a key needs with which others prove to us who they are: Genesys takes no signature secret
/// of fewer (PROTOCOLS 4.3).
pub(crate) const SHORTEST_KEY: usize = 16;

/// A secret that is presented to Genesys, as Genesys gave it out.
pub(crate) fn secret(
    account: &AccountName,
    field: &'static str,
    reference: &handoff_engine::account::SecretRef,
    secrets: &dyn Secrets,
) -> Result<String, AccountError> {
    read_secret(account, field, (reference, 1), secrets)
}

/// A secret that others prove by who they are. An empty or short one would let anybody in.
pub(crate) fn key(
    account: &AccountName,
    field: &'static str,
    reference: &handoff_engine::account::SecretRef,
    secrets: &dyn Secrets,
) -> Result<String, AccountError> {
    read_secret(account, field, (reference, SHORTEST_KEY), secrets)
}

fn read_secret(
    account: &AccountName,
    field: &'static str,
    (reference, least): (&handoff_engine::account::SecretRef, usize),
    secrets: &dyn Secrets,
) -> Result<String, AccountError> {
    let text = secrets
        .resolve(reference)
        .map_err(|source| AccountError::Secret {
            account: account.clone(),
            field,
            source,
        })?;
    check_secret(&text, least).map_err(|flaw| AccountError::BadSecret {
        account: account.clone(),
        field,
        flaw,
    })?;
    Ok(text)
}
