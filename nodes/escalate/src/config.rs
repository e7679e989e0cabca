//! What a designer sets on an `escalate` node, and the request it makes.

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use handoff_node::{
    Context, Identity, IdleStep, Problem, QueueUpdates, Target, Transcript, TransferMessages,
    TransferRequest, agent,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What agents see of a user of whom nothing is known.
const GUEST: &str = "Guest";

/// Which queue serves which competency, who the user is, and what happens afterwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// What the user needs an agent for. Left out or blank, the user has no competency.
    #[schemars(extend("examples" = ["{{ context.competency }}", "Marketing"]))]
    pub(crate) competency: Option<String>,
    /// The context variables that say who the user is.
    #[serde(default)]
    pub(crate) identity: Variables,
    /// The queue of each competency.
    #[serde(default)]
    pub(crate) competencies: Vec<Row>,
    /// The exact name of the queue for everybody else. Empty, the account's own routing picks the
    /// agent.
    #[serde(default)]
    #[schemars(extend("format" = "queue"))]
    pub(crate) without_competency: String,
    /// On: once the agent has closed the conversation, the flow goes on from here. Off: the session
    /// ends then.
    #[serde(default = "yes")]
    pub(crate) resume_bot: bool,
    /// The account of the project that has the agents. Left out, it is the channel's or else the
    /// default account.
    #[schemars(extend("format" = "account"))]
    pub(crate) account: Option<String>,
    /// What the user is told meanwhile.
    #[serde(default)]
    pub(crate) messages: TransferMessages,
    /// What the agent gets to read of the conversation so far.
    #[serde(default = "full")]
    pub(crate) transcript: Transcript,
    /// How many seconds to wait for an agent before the flow leaves by "No agent". Left out, the
    /// queue's own rules apply.
    #[schemars(title = "Seconds to wait for an agent")]
    pub(crate) no_agent_timeout: Option<NonZeroU32>,
    /// What the user writes to leave the agent.
    #[schemars(extend("examples" = ["/end"]))]
    pub(crate) user_end_command: Option<String>,
    /// What the user is told of the queue while waiting. Left out, nothing.
    pub(crate) queue_updates: Option<QueueUpdates>,
    /// What happens while the user does not answer the agent, in order. Left out, only Genesys' own timeouts
    /// count.
    #[serde(default)]
    #[schemars(title = "When the user does not answer")]
    pub(crate) user_idle: Vec<IdleStep>,
}

/// Names of context variables, not their values.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Variables {
    /// The variable that holds the email address.
    #[schemars(extend("format" = "context-key", "examples" = ["mail"]))]
    email: Option<String>,
    /// The variable that holds the last name.
    #[schemars(extend("format" = "context-key"))]
    last_name: Option<String>,
    /// The variable that holds the first name.
    #[schemars(extend("format" = "context-key"))]
    first_name: Option<String>,
}

/// One competency and the queue that serves it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Row {
    /// The competency's name, exactly.
    competency: String,
    /// The exact name of the Genesys queue. Empty, its users go where those without a competency go.
    #[serde(default)]
    #[schemars(extend("format" = "queue"))]
    queue: String,
}

fn yes() -> bool {
    true
}

fn full() -> Transcript {
    Transcript::Full
}

impl Config {
    /// The request this config makes.
    pub(crate) fn into_request(self, context: &impl Context) -> TransferRequest {
        let competency = self.competency.filter(|name| !name.trim().is_empty());
        let row = self
            .competencies
            .into_iter()
            .find(|row| Some(&row.competency) == competency.as_ref());
        let queue = row
            .map(|row| row.queue)
            .filter(|queue| !queue.trim().is_empty())
            .unwrap_or(self.without_competency);
        let target = match queue.trim() {
            "" => Target::AnyAgent,
            _ => Target::Queue(queue),
        };
        TransferRequest {
            account: self.account,
            target,
            identity: self.identity.look_up(context),
            competency,
            messages: self.messages,
            transcript: self.transcript,
            no_agent_timeout: self
                .no_agent_timeout
                .map(|span| Duration::from_secs(span.get().into())),
            user_end_command: self.user_end_command,
            queue_updates: self.queue_updates,
            user_idle: self.user_idle,
            ..TransferRequest::default()
        }
    }

    /// What the schema of the config can't say.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.identity.problems();
        let mut seen = BTreeSet::new();
        for (index, row) in self.competencies.iter().enumerate() {
            let name = format!("/competencies/{index}/competency");
            if row.competency.trim().is_empty() {
                problems.push(Problem::at(
                    name,
                    "escalate.blank_competency",
                    "The competency has no name. Write it, or remove the row; users without one go \
                     where 'withoutCompetency' says.",
                ));
            } else if !seen.insert(&row.competency) {
                problems.push(Problem::at(
                    name,
                    "escalate.second_row",
                    format!(
                        "'{}' has a queue already, further up. Remove one of the two rows.",
                        row.competency
                    ),
                ));
            }
            let queue = format!("/competencies/{index}/queue");
            problems.extend(agent::queue_problem("escalate", &queue, &row.queue));
        }
        let queue = &self.without_competency;
        problems.extend(agent::queue_problem(
            "escalate",
            "/withoutCompetency",
            queue,
        ));
        let command = self.user_end_command.as_deref();
        problems.extend(agent::end_command_problem("escalate", command));
        problems.extend(agent::waiting_problems(
            "escalate",
            &self.messages,
            self.queue_updates.as_ref(),
            &self.user_idle,
        ));
        problems
    }
}

impl Variables {
    /// Who the user is, as far as the variables are mapped and set.
    fn look_up(&self, context: &impl Context) -> Identity {
        let text = |variable: &Option<String>| match context.get(variable.as_deref()?)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let known = Identity {
            first_name: text(&self.first_name),
            last_name: text(&self.last_name),
            email_address: text(&self.email),
            ..Identity::default()
        }
        .without_blanks();
        let names = [known.first_name.as_deref(), known.last_name.as_deref()];
        let names: Vec<_> = names.into_iter().flatten().collect();
        let nickname = if known.is_empty() {
            Some(GUEST.to_owned())
        } else {
            Some(names.join(" ")).filter(|name| !name.is_empty())
        };
        Identity { nickname, ..known }
    }

    fn problems(&self) -> Vec<Problem> {
        let variables = [
            ("email", &self.email),
            ("lastName", &self.last_name),
            ("firstName", &self.first_name),
        ];
        let bad = |name: &str| name.trim().is_empty() || name.len() > 128;
        variables
            .into_iter()
            .filter(|(_, variable)| variable.as_deref().is_some_and(bad))
            .map(|(field, _)| {
                Problem::at(
                    format!("/identity/{field}"),
                    "escalate.bad_variable",
                    "The name of the variable is blank or longer than 128 bytes. Write another, or \
                     leave the field out.",
                )
            })
            .collect()
    }
}
