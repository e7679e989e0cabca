//! An Open Messaging account: the client's permissions, its integrations, what answers them, the queues.

use super::Wants;
use super::cloud;
use super::finding::{Finding, Grade, foretold};
use super::permissions::{self, Permission, Tried};
use super::routing::Bound;
use crate::platform::{
    Hidden, Integration, IntegrationError, Platform, PlatformError, Recipient, Trigger, Void,
};
use handoff_engine::account::OpenMessagingAccount;

const SEE_INTEGRATIONS: Permission = Permission::needed(
    "messaging:integration:view",
    "find the integration by its name",
);
const RECEIVE: Permission = Permission::needed(
    "conversation:message:receive",
    "hand over what the user says",
);
const VIEW_MESSAGES: Permission = Permission::useful(
    "conversation:message:view",
    "read what agents wrote while the webhook could not be reached",
);
const DISCONNECT: Permission = Permission::useful(
    "conversation:communication:disconnect",
    "end the conversation of a user who leaves",
);
const ADD: Permission = Permission::looking(
    "messaging:integration:add",
    "have integrations created by 'handoff provision'",
);
const TRANSFER: Permission = Permission::looking(
    "conversation:communication:transfer",
    "transfer conversations by the API, which this host leaves to agents",
);
const ROUTE: Permission = Permission::looking(
    "routing:message:manage",
    "see which flow answers an integration",
);
const SEE_FLOWS: Permission =
    Permission::looking("architect:flow:view", "see whether that flow is published");
const SEE_TRIGGERS: Permission = Permission::looking(
    "processautomation:trigger:view",
    "see whether triggers report events of conversations",
);

/// What there was to see.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    cloud: cloud::Seen,
    /// Permissions of which nothing else tells.
    tried: Vec<Tried>,
    listed: Result<(), PlatformError>,
    integrations: Vec<SeenIntegration>,
    /// If the account takes events.
    triggers: Option<Result<Vec<Trigger>, PlatformError>>,
}

#[derive(Clone, Debug)]
struct SeenIntegration {
    wanted: String,
    integration: Result<Integration, IntegrationError>,
    recipient: Option<Result<Recipient, PlatformError>>,
    bound: Option<Bound>,
}

pub(super) async fn look(
    platform: &Platform,
    account: &OpenMessagingAccount,
    wants: &Wants,
) -> Result<Seen, PlatformError> {
    let cloud = cloud::look(platform, &wants.queues).await?;
    let mut tried = Vec::new();
    for (permission, what) in [
        (RECEIVE, Void::ReceiveMessage),
        (VIEW_MESSAGES, Void::ViewMessage),
        (DISCONNECT, Void::Disconnect),
        (add(account), Void::AddIntegration),
        (TRANSFER, Void::Transfer),
    ] {
        tried.push(Tried::new(permission, &platform.may(what).await));
    }
    let flows = platform.flows_named(&account.integration).await;
    tried.push(Tried::new(SEE_FLOWS, &flows));
    let triggers = match &account.events_token {
        Some(_) => Some(platform.triggers().await),
        None => None,
    };
    if let Some(triggers) = &triggers {
        tried.push(Tried::new(SEE_TRIGGERS, triggers));
    }
    let listed = platform.integrations().await.map(drop);
    let mut integrations = Vec::new();
    for wanted in wanted_integrations(account) {
        integrations.push(look_at(platform, wanted).await);
    }
    let routing = integrations.iter().find_map(|it| it.recipient.as_ref());
    if let Some(routing) = routing {
        tried.push(Tried::new(ROUTE, routing));
    }
    Ok(Seen {
        cloud,
        tried,
        listed,
        integrations,
        triggers,
    })
}

/// Needed where the project wants integrations created.
fn add(account: &OpenMessagingAccount) -> Permission {
    match account.provision {
        Some(_) => Permission::needed(ADD.name, ADD.to),
        None => ADD,
    }
}

/// The account's own, and those of its competencies.
fn wanted_integrations(account: &OpenMessagingAccount) -> Vec<String> {
    account.integrations().map(str::to_owned).collect()
}

async fn look_at(platform: &Platform, wanted: String) -> SeenIntegration {
    let integration = platform.integration(&wanted).await;
    let mut seen = SeenIntegration {
        wanted,
        integration,
        recipient: None,
        bound: None,
    };
    if let Ok(integration) = &seen.integration {
        let recipient = platform.recipient(integration.recipient_id()).await;
        let flow = recipient.as_ref().ok().and_then(|it| it.flow.as_ref());
        if let Some(flow) = flow {
            seen.bound = Some(Bound::look(platform, flow).await);
        }
        seen.recipient = Some(recipient);
    }
    seen
}

impl Seen {
    /// `secret` is what the account expects webhooks to be signed with.
    pub(super) fn judge(
        &self,
        account: &OpenMessagingAccount,
        secret: &str,
        wants: &Wants,
    ) -> Vec<Finding> {
        let client = &account.client_id;
        let mut found = vec![self.cloud.let_in(client)];
        let mut tried = self.cloud.queues.tried().to_vec();
        tried.push(Tried::new(SEE_INTEGRATIONS, &self.listed));
        tried.extend(self.tried.clone());
        found.extend(permissions::judge(client, &tried));
        for seen in &self.integrations {
            found.extend(seen.judge(secret, wants.webhook.as_deref()));
        }
        found.extend(self.cloud.queues.judge());
        found.extend(self.other_divisions());
        if let Some(Ok(triggers)) = &self.triggers {
            found.push(judge_triggers(triggers));
        }
        found
    }

    /// Queues that are in another division than the flow which is to find them.
    fn other_divisions(&self) -> Vec<Finding> {
        let flow = self.integrations.iter().find_map(|it| it.bound.as_ref());
        let Some((flow, division)) = flow.and_then(|it| Some((&it.to.name, it.division()?))) else {
            return Vec::new();
        };
        let queues = &self.cloud.queues.queues;
        let elsewhere = queues.iter().filter_map(|(_, seen)| {
            let queue = seen.as_ref().ok()?;
            let its = queue.division.as_ref()?.id.as_deref()?;
            (its != division).then_some(&queue.name)
        });
        elsewhere
            .map(|queue| {
                Finding::hint(
                    "org.divisions_differ",
                    format!("Queue '{queue}' is in another division than the flow '{flow}'."),
                )
                .help("where divisions are separated, put queue, flow and the OAuth client's role into one division")
            })
            .collect()
    }
}

impl SeenIntegration {
    fn judge(&self, secret: &str, webhook: Option<&str>) -> Vec<Finding> {
        let integration = match &self.integration {
            Ok(integration) => integration,
            // Told as a permission.
            Err(IntegrationError::Platform(PlatformError::MissingPermission { .. })) => {
                return Vec::new();
            }
            Err(error) => {
                return vec![
                    Finding::error(foretold(error.code()), error.to_string())
                        .help("create it by 'handoff provision', or under Admin, Message, Platforms, Open Messaging"),
                ];
            }
        };
        let name = format!("Integration '{}'", self.wanted);
        if integration.name.is_empty() {
            // An id taken at its word, because integrations may not be listed.
            return vec![Finding::hint(
                "org.integration_not_seen",
                format!(
                    "{name} was not looked at, because this OAuth client may not see integrations."
                ),
            )];
        }
        let mut found = vec![judge_state(&name, integration)];
        found.extend(judge_webhook(&name, integration, webhook));
        found.push(judge_secret(&name, integration.secret.as_ref(), secret));
        match &self.recipient {
            Some(Ok(recipient)) if recipient.flow.is_none() => found.push(
                Finding::error(
                    "org.integration_not_routed",
                    format!("{name} is routed to no flow: messages reach nobody."),
                )
                .help("in Genesys, choose an inbound message flow for it under Admin, Routing, Message Routing"),
            ),
            Some(Err(error)) if !matches!(error, PlatformError::MissingPermission { .. }) => {
                let sentence = format!("Message Routing of {name} was not looked at: {error}");
                found.push(Finding::warning("org.not_looked_at", sentence));
            }
            Some(Err(_)) => found.push(
                Finding::hint(
                    "org.routing_not_seen",
                    format!("{name}: which flow answers it was not seen, for want of routing:message:manage."),
                )
                .help("in Genesys, see Admin, Routing, Message Routing: a flow is chosen for this address; and in Architect: that flow ends in Transfer to ACD, not Disconnect, and is published"),
            ),
            _ => {}
        }
        found.extend(self.bound.iter().flat_map(|bound| bound.judge(&name)));
        found
    }
}

fn judge_state(name: &str, integration: &Integration) -> Finding {
    let id = &integration.id;
    let is = |text: &Option<String>, word: &str| {
        text.as_ref()
            .is_none_or(|text| text.eq_ignore_ascii_case(word))
    };
    if !is(&integration.create_status, "Completed") {
        let state = integration.create_status.clone().unwrap_or_default();
        return Finding::warning(
            "org.integration_not_ready",
            format!("{name} ({id}) is not set up yet: Genesys says {state}."),
        )
        .help("wait a minute and look again; if it stays so, delete it and create it again");
    }
    if !is(&integration.status, "active") {
        let state = integration.status.clone().unwrap_or_default();
        return Finding::error(
            "org.integration_inactive",
            format!("{name} ({id}) is not active: Genesys says {state}."),
        )
        .help("activate it under Admin, Message, Platforms");
    }
    Finding::ok(
        "org.integration_found",
        format!("{name} is there ({id}) and active."),
    )
}

fn judge_webhook(name: &str, integration: &Integration, wanted: Option<&str>) -> Option<Finding> {
    let at = "set 'Outbound Notification Webhook URL' of the integration under Admin, Message, Platforms";
    let there = integration.webhook.as_deref().filter(|it| !it.is_empty());
    Some(match (there, wanted) {
        (None, _) => Finding::error(
            "org.webhook_missing",
            format!("{name} has no webhook: what agents write goes nowhere."),
        )
        .help(format!(
            "{at} to {}",
            wanted.unwrap_or("https://<this host>/v1/genesys/<account>/webhook")
        )),
        (Some(there), Some(wanted)) if there != wanted => Finding::error(
            "org.webhook_foreign",
            format!("{name} posts what agents write to {there}, and not to {wanted}."),
        )
        .help(format!("{at}; if another host uses this integration, give each its own")),
        (Some(there), Some(_)) => Finding::ok(
            "org.webhook_set",
            format!("{name} posts what agents write to {there}."),
        ),
        (Some(there), None) => Finding::hint(
            "org.webhook_set",
            format!("{name} posts what agents write to {there}. Whether that is this host was not checked."),
        )
        .help("say where this host is reached with --public-url"),
    })
}

fn judge_secret(name: &str, shown: Option<&Hidden>, expected: &str) -> Finding {
    let at = "the integration's 'Outbound Notification Webhook Signature Secret Token'";
    match shown.filter(|it| it.is_shown()) {
        None => Finding::hint(
            "org.webhook_secret_not_shown",
            format!("{name}: Genesys does not show its signature secret, so it was not compared with webhook-secret."),
        )
        .help(format!("if webhook calls are refused with 401, enter webhook-secret again as {at}")),
        Some(shown) if shown.0 != expected => Finding::error(
            "org.webhook_secret_differs",
            format!("{name} signs with another secret than the account's webhook-secret: what agents write would be refused."),
        )
        .help(format!("make webhook-secret and {at} the same")),
        Some(_) => Finding::ok(
            "org.webhook_secret_same",
            format!("{name} signs with the account's webhook-secret."),
        ),
    }
}

/// The events by which a host that may not look at conversations sees agents come and go.
fn judge_triggers(triggers: &[Trigger]) -> Finding {
    let prefix = "v2.detail.events.conversation.";
    let of_conversations = triggers
        .iter()
        .filter(|it| it.topic_name.starts_with(prefix));
    let (on, off): (Vec<&Trigger>, Vec<&Trigger>) = of_conversations.partition(|it| it.enabled);
    let named = |all: &[&Trigger]| {
        let all: Vec<String> = all
            .iter()
            .map(|it| format!("'{}' ({})", it.name, it.topic_name))
            .collect();
        all.join(", ")
    };
    if !on.is_empty() {
        let sentence = format!("Triggers report events of conversations: {}.", named(&on));
        return Finding::ok("org.triggers_found", sentence);
    }
    let state = match off.as_slice() {
        [] => "no trigger reports events of conversations".to_owned(),
        off => format!(
            "the triggers that would report events are switched off: {}",
            named(off)
        ),
    };
    Finding::graded(
        Grade::Warning,
        "org.trigger_missing",
        format!("The account has an events-token, but {state}."),
    )
    .help(
        "in Genesys, under Admin, Architect, Triggers, add one on v2.detail.events.conversation.{id}.user.start \
         and one on v2.detail.events.conversation.{id}.acw, whose workflow calls this host",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_compared_only_where_it_is_shown() {
        let judged = |shown: Option<&str>| {
            let shown = shown.map(|it| Hidden(it.to_owned()));
            judge_secret("Integration 'x'", shown.as_ref(), "a-secret-of-16-or-more").code
        };
        assert_eq!(
            judged(Some("a-secret-of-16-or-more")),
            "org.webhook_secret_same"
        );
        assert_eq!(judged(Some("another")), "org.webhook_secret_differs");
        assert_eq!(judged(Some("********")), "org.webhook_secret_not_shown");
        assert_eq!(judged(None), "org.webhook_secret_not_shown");
    }

    #[test]
    fn a_webhook_that_is_set_is_compared_with_the_address_this_host_has() {
        let judged = |there: Option<&str>, wanted: Option<&str>| {
            let integration = Integration {
                webhook: there.map(str::to_owned),
                ..Integration::default()
            };
            let finding = judge_webhook("Integration 'x'", &integration, wanted);
            finding.map(|it| (it.code, it.grade))
        };
        let ours = Some("https://bots.example.org/w");
        assert_eq!(
            judged(None, ours),
            Some(("org.webhook_missing", Grade::Error))
        );
        assert_eq!(
            judged(Some("https://other/w"), ours),
            Some(("org.webhook_foreign", Grade::Error))
        );
        assert_eq!(judged(ours, ours), Some(("org.webhook_set", Grade::Ok)));
        assert_eq!(judged(ours, None), Some(("org.webhook_set", Grade::Hint)));
    }

    #[test]
    fn an_integration_that_is_being_set_up_or_switched_off_is_told_as_that() {
        let judged = |status: &str, create: &str| {
            let integration = Integration {
                status: Some(status.to_owned()),
                create_status: Some(create.to_owned()),
                ..Integration::default()
            };
            judge_state("Integration 'x'", &integration).code
        };
        assert_eq!(judged("active", "Completed"), "org.integration_found");
        assert_eq!(judged("active", "Initiated"), "org.integration_not_ready");
        assert_eq!(judged("inactive", "Completed"), "org.integration_inactive");
    }
}
