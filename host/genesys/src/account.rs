//! From a configured account to the transport that reaches it.

use crate::media::Media;
use crate::secrets::{SecretError, Secrets};
use crate::transport::Transport;
use crate::{cloud_open_messaging, engage_chat_v2};
use handoff_engine::account::Account;
use handoff_engine::clock::Clock;
use handoff_engine::name::AccountName;
use std::sync::Arc;

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
    let _ = media;
    Ok(match account {
        Account::CloudWebchat(_) | Account::CloudWebMessaging(_) => {
            return Err(AccountError::Empty { account: account_name.clone(), field: "transport", fix: "it is being built" });
        }
        Account::EngageChatV2(account) => Arc::new(engage_chat_v2::EngageChat::new(
            account_name,
            account,
            secrets,
            clock,
            http,
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

pub(crate) fn secret(
    account: &AccountName,
    field: &'static str,
    reference: &handoff_engine::account::SecretRef,
    secrets: &dyn Secrets,
) -> Result<String, AccountError> {
    secrets
        .resolve(reference)
        .map_err(|source| AccountError::Secret {
            account: account.clone(),
            field,
            source,
        })
}
