//! A WebChat deployment: organisation, deployment and queue.

use super::Wants;
use super::cloud;
use super::finding::{Finding, Obstacle};
use super::permissions;
use crate::cloud_webchat::WebChat;
use crate::platform::PlatformError;
use handoff_engine::account::WebChatAccount;

/// What there was to see.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    door: Result<(), Obstacle>,
    /// With an OAuth client.
    inside: Option<Result<cloud::Seen, PlatformError>>,
}

pub(super) async fn look(transport: &WebChat, account: &WebChatAccount, wants: &Wants) -> Seen {
    let door = transport.probe().await;
    let mut queues = wants.queues.clone();
    if let Some(queue) = &account.queue
        && !queues.contains(queue)
    {
        queues.push(queue.clone());
    }
    let inside = match transport.platform() {
        Some(platform) => Some(cloud::look(platform, &queues).await),
        None => None,
    };
    Seen { door, inside }
}

impl Seen {
    pub(super) fn judge(&self, account: &WebChatAccount) -> Vec<Finding> {
        let mut found = Vec::new();
        match &self.door {
            Err(obstacle) => found.push(obstacle.finding()),
            Ok(()) => {
                let (organization, deployment) = (&account.organization_id, &account.deployment_id);
                found.push(Finding::ok(
                    "org.deployment_ready",
                    format!("The WebChat deployment '{deployment}' of organisation {organization} takes guests."),
                ));
                found.push(
                    Finding::hint(
                        "org.widget_not_shown",
                        "Genesys does not show guests how the deployment is set up: its type and its flow were not checked.",
                    )
                    .help("in Genesys, see Admin, Contact Center, Widgets: the type is Third Party, and Route to Flow, if chosen, names a published flow that transfers to ACD"),
                );
            }
        }
        if account.queue.is_none() {
            found.push(
                Finding::hint(
                    "org.no_default_queue",
                    "The account has no queue of its own: a transfer that names none is refused.",
                )
                .help("set queue of the account, or name a queue in every transfer"),
            );
        }
        match (&self.inside, &account.oauth_client) {
            (Some(Ok(seen)), Some(client)) => {
                found.push(judge_organization(account, seen, &client.id));
                found.extend(permissions::judge(&client.id, &seen.queues.tried()));
                found.extend(seen.queues.judge());
            }
            (Some(Err(error)), _) => found.push(cloud::shut_out(error)),
            _ => found.push(
                Finding::hint(
                    "org.no_oauth_client",
                    "The account has no oauth-client, so its queues and their agents were not looked at.",
                )
                .help("add oauth-client to the account, or look at them in Genesys"),
            ),
        }
        found
    }
}

fn judge_organization(account: &WebChatAccount, seen: &cloud::Seen, client: &str) -> Finding {
    let there = &seen.organization;
    if there.id == account.organization_id {
        return seen.let_in(client);
    }
    Finding::error(
        "org.another_organization",
        format!(
            "OAuth client '{client}' belongs to the organisation '{}' ({}), and organization-id is {}.",
            there.name, there.id, account.organization_id
        ),
    )
    .help("take both from one organisation: its id is under Admin, Account Settings, Organization Settings, Advanced")
}
