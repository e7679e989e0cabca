//! What is checked of ServisBOT worker files, and the bots they become.

use super::WorkerBot;
use super::check::not_a_url;
use super::worker::WorkerFile;
use crate::account::{Account, EngageAccount};
use crate::diagnostic::Diagnostic;
use crate::name::{AccountName, BotName};
use crate::source::{Document, Part, pointer};
use std::collections::BTreeMap;

pub(super) fn check_worker(worker: &WorkerFile, document: &Document, found: &mut Vec<Diagnostic>) {
    if !worker.enabled {
        found.push(Diagnostic::warning(
            "worker.disabled",
            document.place("/Enabled"),
            format!(
                "the worker '{}' is disabled: every transfer to it is refused",
                worker.name
            ),
        ));
        return;
    }
    for (member, value, what) in [
        (
            "GenesysUrl",
            &worker.data.genesys_url,
            "the Digital Channel URL",
        ),
        (
            "GenesysServiceName",
            &worker.data.genesys_service_name,
            "the chat service's name",
        ),
    ] {
        if value.trim().is_empty() {
            found.push(
                Diagnostic::error(
                    "worker.empty",
                    document.place(&format!("/Data/{member}")),
                    format!("'{member}' is empty, so there is nobody to hand over to"),
                )
                .help(format!("write {what} of your Genesys Engage site here")),
            );
        }
    }
    for name in worker.config.keys() {
        let place = document.place_of(&pointer("/Config", name), Part::Key);
        let message = format!("'{name}' does nothing here: this type of worker has no 'Config'");
        found.push(
            Diagnostic::warning("worker.config_unused", place, message)
                .help("write under 'Data' what the worker is to do; 'handoff schema worker' has what there is"),
        );
    }
    let place = document.place("/Data/GenesysUrl");
    found.extend(not_a_url("GenesysUrl", &worker.data.genesys_url, place));
}

/// The bot of a worker, with an account for the Engage site in its file unless it names another one.
pub(super) fn worker_bot(
    name: &BotName,
    account: Option<&AccountName>,
    worker: WorkerFile,
    accounts: &mut BTreeMap<AccountName, Account>,
) -> WorkerBot {
    let options = worker.data.options();
    let account = account.cloned().unwrap_or_else(|| {
        let own = AccountName::new(name.as_str());
        accounts.entry(own.clone()).or_insert_with(|| {
            Account::EngageChatV2(EngageAccount::new(
                worker.data.genesys_url,
                worker.data.genesys_service_name,
            ))
        });
        own
    });
    WorkerBot {
        account,
        enabled: worker.enabled,
        slash_commands: worker.data.slash_commands,
        quick_responses: worker.data.quick_responses,
        options: Box::new(options),
    }
}
