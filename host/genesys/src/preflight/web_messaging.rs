//! A Messenger deployment: its door, its settings, and the flow behind it.

use super::Wants;
use super::cloud;
use super::finding::{Finding, Obstacle};
use super::permissions::{self, Permission, Tried};
use super::routing::Bound;
use crate::cloud_web_messaging::{Probed, WebMessaging};
use crate::platform::{NamedReference, Platform, PlatformError};
use handoff_engine::account::WebMessagingAccount;

const SEE_DEPLOYMENT: Permission = Permission::looking(
    "webDeployments:deployment:view",
    "see which flow answers the deployment",
);
const SEE_FLOWS: Permission =
    Permission::looking("architect:flow:view", "see whether that flow is published");

/// What there was to see.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    door: Result<Probed, Obstacle>,
    /// With an OAuth client.
    inside: Option<Result<Inside, PlatformError>>,
}

#[derive(Clone, Debug)]
struct Inside {
    cloud: cloud::Seen,
    flow: Result<Option<NamedReference>, PlatformError>,
    bound: Option<Bound>,
}

pub(super) async fn look(
    transport: &WebMessaging,
    account: &WebMessagingAccount,
    wants: &Wants,
) -> Seen {
    let door = transport.probe().await;
    let inside = match transport.platform() {
        Some(platform) => Some(look_inside(platform, account, wants).await),
        None => None,
    };
    Seen { door, inside }
}

async fn look_inside(
    platform: &Platform,
    account: &WebMessagingAccount,
    wants: &Wants,
) -> Result<Inside, PlatformError> {
    let cloud = cloud::look(platform, &wants.queues).await?;
    let deployment = platform.web_deployment(&account.deployment_id).await;
    let flow = deployment.map(|it| it.flow);
    let bound = match &flow {
        Ok(Some(flow)) => Some(Bound::look(platform, flow).await),
        _ => None,
    };
    Ok(Inside { cloud, flow, bound })
}

impl Seen {
    pub(super) fn judge(&self, account: &WebMessagingAccount) -> Vec<Finding> {
        let mut found = match &self.door {
            Err(obstacle) => vec![obstacle.finding()],
            Ok(probed) => judge_door(account, *probed),
        };
        match (&self.inside, &account.oauth_client) {
            (Some(Ok(inside)), Some(client)) => found.extend(inside.judge(account, &client.id)),
            (Some(Err(error)), _) => found.push(cloud::shut_out(error)),
            _ => found.push(
                Finding::hint(
                    "org.no_oauth_client",
                    "The account has no oauth-client, so queues, agents and the flow behind the deployment \
                     were not looked at.",
                )
                .help("add oauth-client to the account, or look at them in Genesys"),
            ),
        }
        found
    }
}

fn judge_door(account: &WebMessagingAccount, probed: Probed) -> Vec<Finding> {
    let deployment = &account.deployment_id;
    let origin = account.origin.as_ref();
    let from = origin.map_or_else(String::new, |origin| format!(" from {origin}"));
    let mut found = vec![Finding::ok(
        "org.deployment_ready",
        format!("The Messenger deployment '{deployment}' is active and takes guests{from}."),
    )];
    if !probed.tells_end {
        found.push(
            Finding::warning(
                "org.end_not_told",
                "The deployment does not tell guests that a conversation ended: the end of a handoff is seen late, or not at all without an oauth-client.",
            )
            .help("turn on Conversation Disconnect under Admin, Message, Messenger Configurations, Apps, Messaging"),
        );
    }
    if !probed.attachments {
        found.push(
            Finding::hint(
                "org.no_attachments",
                "The deployment takes no files: a user who sends one is refused politely.",
            )
            .help("allow them under Admin, Message, Messenger Configurations, Apps, Messaging, Attachments"),
        );
    }
    found
}

impl Inside {
    fn judge(&self, account: &WebMessagingAccount, client: &str) -> Vec<Finding> {
        let mut found = vec![self.cloud.let_in(client)];
        let mut tried = self.cloud.queues.tried().to_vec();
        tried.push(Tried::new(SEE_DEPLOYMENT, &self.flow));
        if let Some(bound) = &self.bound {
            tried.push(Tried::new(SEE_FLOWS, &bound.flow));
        }
        found.extend(permissions::judge(client, &tried));
        let name = format!("The deployment '{}'", account.deployment_id);
        match &self.flow {
            Ok(None) => found.push(
                Finding::error(
                    "org.deployment_not_routed",
                    format!("{name} is routed to no flow: messages reach nobody."),
                )
                .help("in Genesys, choose an inbound message flow for it under Admin, Message, Messenger Deployments"),
            ),
            // Told at the door.
            Err(PlatformError::NotFound { .. }) => {}
            Ok(Some(_)) => {
                found.extend(self.bound.iter().flat_map(|bound| bound.judge(&name)));
            }
            Err(PlatformError::MissingPermission { .. }) => found.push(
                Finding::hint(
                    "org.routing_not_seen",
                    format!("{name}: which flow answers it was not seen, for want of webDeployments:deployment:view."),
                )
                .help("in Genesys, see Admin, Message, Messenger Deployments, Select your Architect Flow; and in Architect: that flow ends in Transfer to ACD, not Disconnect, and is published"),
            ),
            Err(error) => {
                let sentence = format!("{name} was not looked at: {error}");
                found.push(Finding::warning("org.not_looked_at", sentence));
            }
        }
        found.extend(self.cloud.queues.judge());
        found
    }
}
