//! What a designer sets on a `raiseTicket` node, and the request it makes.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use handoff_node::{
    Fault, Identity, Problem, Target, TransferMessages, TransferRequest, agent, is_template,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// What the ticket says, who gets it, and where its outcome is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The account of the project that has the agents. Left out, it is the channel's or else the
    /// default account.
    #[schemars(extend("format" = "account"))]
    account_name: Option<String>,
    /// Shown to the user once, when an agent has accepted the ticket.
    #[schemars(extend("format" = "multiline", "examples" = ["Requesting live agent connection."]))]
    message_after_ticket_assignment: Option<String>,
    /// The user's name. A variable that was collected earlier.
    #[schemars(extend("examples" = ["{{ context.name }}"]))]
    name: Option<String>,
    /// The user's mobile phone number. A variable that was collected earlier.
    #[schemars(extend("examples" = ["{{ context.mobile }}"]))]
    mobile: Option<String>,
    /// The user's email address. A variable that was collected earlier.
    #[schemars(extend("examples" = ["{{ context.email }}"]))]
    email: String,
    /// The topic, as the agent sees it. A variable that was collected earlier.
    #[schemars(extend("examples" = ["{{ context.topic }}"]))]
    query: Option<String>,
    /// How urgent it is.
    #[serde(default)]
    priority: Priority,
    /// More for the agent and for routing.
    #[serde(default)]
    advanced_options: AdvancedOptions,
    /// The context key that keeps how the ticket went.
    #[serde(default = "ticket_response")]
    #[schemars(extend("format" = "context-key"))]
    pub(crate) store_response_in: String,
    /// How many seconds to wait for an agent before the flow leaves by "Unavailable". Left out, the
    /// queue's own rules apply.
    #[schemars(title = "Seconds to wait for an agent")]
    no_agent_timeout: Option<NonZeroU32>,
    /// What the user writes to leave the agent.
    #[schemars(extend("examples" = ["/end"]))]
    user_end_command: Option<String>,
}

/// How urgent a ticket is.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Priority {
    /// After the others.
    Low,
    /// As conversations that ask for no priority.
    #[default]
    Medium,
    /// Before the others.
    High,
}

impl Priority {
    /// Genesys Cloud takes whole numbers from -25,000,000 to 25,000,000, has 0 for conversations
    /// that ask for none, and counts a point like a minute of waiting.
    fn points(self) -> i64 {
        match self {
            Self::Low => -10,
            Self::Medium => 0,
            Self::High => 10,
        }
    }
}

/// More for the agent and for routing. Nothing of it counts unless it is enabled.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct AdvancedOptions {
    /// Whether the other options count.
    enabled: bool,
    /// What the ticket is to be found by. Agents see them as one attribute.
    #[schemars(extend("x-shown-when" = "enabled"))]
    tags: Vec<String>,
    /// The exact name of the Genesys queue. Left out, the account's own routing picks the agent.
    #[schemars(extend("format" = "queue", "x-shown-when" = "enabled"))]
    group_code: Option<String>,
    /// More for the agent to see, by name: participant data on Genesys Cloud, userData on Engage.
    #[schemars(extend("x-shown-when" = "enabled"))]
    custom_fields: BTreeMap<String, String>,
}

fn ticket_response() -> String {
    "ticketResponse".to_owned()
}

impl Config {
    /// The request this config makes.
    ///
    /// # Errors
    /// `raise_ticket.no_email` and `raise_ticket.empty_group_code` if these came out blank.
    pub(crate) fn into_request(self) -> Result<TransferRequest, Fault> {
        if self.email.trim().is_empty() {
            return Err(Fault::invalid_config(
                "raise_ticket.no_email",
                "The email address came out empty, and a ticket needs one. Ask for it before this \
                 node.",
            ));
        }
        let (target, attributes) = self.advanced_options.into_routing()?;
        Ok(TransferRequest {
            account: self.account_name,
            target,
            identity: Identity {
                nickname: self.name,
                email_address: Some(self.email),
                mobile: self.mobile,
                ..Identity::default()
            }
            .without_blanks(),
            subject: self.query,
            priority: Some(self.priority.points()),
            attributes,
            messages: TransferMessages {
                assigned: self.message_after_ticket_assignment,
                ..TransferMessages::default()
            },
            no_agent_timeout: self
                .no_agent_timeout
                .map(|span| Duration::from_secs(span.get().into())),
            user_end_command: self.user_end_command,
            ..TransferRequest::default()
        })
    }

    /// What the schema of the config can't say.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let variables = [
            ("name", self.name.as_deref()),
            ("mobile", self.mobile.as_deref()),
            ("email", Some(self.email.as_str())),
            ("query", self.query.as_deref()),
        ];
        let mut problems: Vec<_> = variables
            .into_iter()
            .filter_map(|(field, text)| Some((field, text.filter(|text| !is_template(text))?)))
            .map(|(field, text)| not_a_variable(field, text))
            .collect();
        problems.extend(self.advanced_options.problems());
        if self.store_response_in.is_empty() || self.store_response_in.len() > 128 {
            problems.push(Problem::at(
                "/storeResponseIn",
                "raise_ticket.bad_key",
                "The context key is empty or longer than 128 bytes. Write another, or leave the \
                 field out.",
            ));
        }
        let command = self.user_end_command.as_deref();
        problems.extend(agent::end_command_problem("raise_ticket", command));
        problems
    }
}

/// Every user would have it, whoever they are.
fn not_a_variable(field: &str, text: &str) -> Problem {
    Problem::at(
        format!("/{field}"),
        "raise_ticket.not_a_variable",
        format!(
            "'{text}' is the same for every user. Collect it earlier in the flow and write a \
             variable, for example {{{{ context.{field} }}}}."
        ),
    )
}

impl AdvancedOptions {
    /// Who gets the ticket, and what else they see.
    fn into_routing(self) -> Result<(Target, BTreeMap<String, String>), Fault> {
        if !self.enabled {
            return Ok((Target::AnyAgent, BTreeMap::new()));
        }
        let target = match self.group_code {
            None => Target::AnyAgent,
            Some(name) if name.trim().is_empty() => {
                return Err(Fault::invalid_config(
                    "raise_ticket.empty_group_code",
                    "The group code came out empty. Set the value it is made from before this node, \
                     or leave it out to let the account's routing decide.",
                ));
            }
            Some(name) => Target::Queue(name),
        };
        let mut attributes = self.custom_fields;
        if !self.tags.is_empty() {
            attributes.insert("tags".to_owned(), self.tags.join(","));
        }
        Ok((target, attributes))
    }

    fn problems(&self) -> Option<Problem> {
        const AT: &str = "/advancedOptions/groupCode";
        let queue = self.group_code.as_deref().filter(|_| self.enabled)?;
        if queue.trim().is_empty() {
            return Some(Problem::at(
                AT,
                "raise_ticket.empty_group_code",
                "The group code is empty. Write the exact name of a queue, or leave it out to let \
                 the account's routing decide.",
            ));
        }
        agent::queue_problem("raise_ticket", AT, queue)
    }
}
