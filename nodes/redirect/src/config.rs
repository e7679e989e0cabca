//! What a designer sets on a `redirect` node, and the request it makes.

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use handoff_node::{
    Fault, Identity, IdleStep, Problem, QueueUpdates, Target, Transcript, TransferMessages,
    TransferRequest, agent,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Who gets the conversation, what they are told, and what happens afterwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The exact name of the Genesys queue: case, spaces and underscores count. Left out, the
    /// account's own routing picks the agent.
    #[schemars(extend("format" = "queue", "examples" = ["Customer Support"]))]
    pub(crate) queue: Option<String>,
    /// On: once the agent has closed the conversation, the flow goes on from here. Off: the session
    /// ends then.
    #[serde(default)]
    #[schemars(title = "Resume bot session after ending agent conversation")]
    pub(crate) resume_bot: bool,
    /// The account of the project that has the agents. Left out, it is the default account.
    #[schemars(extend("format" = "account"))]
    pub(crate) account: Option<String>,
    /// Who the user is. Genesys Engage requires nickname, first name and last name.
    #[serde(default)]
    pub(crate) identity: Identity,
    /// What it is about, as the agent sees it.
    pub(crate) subject: Option<String>,
    /// Higher is sooner.
    pub(crate) priority: Option<i64>,
    /// Names of the skills an agent must have.
    #[serde(default)]
    pub(crate) skills: Vec<String>,
    /// The language an agent must speak.
    pub(crate) language: Option<String>,
    /// More for the agent to see, by name: participant data on Genesys Cloud, userData on Engage.
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
    /// What the user is told meanwhile.
    #[serde(default)]
    pub(crate) messages: TransferMessages,
    /// What the agent gets to read of the conversation so far.
    #[serde(default)]
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

impl Config {
    /// The request this config makes.
    ///
    /// # Errors
    /// `redirect.empty_queue`: a queue that was named and turned out empty is never taken for "any
    /// agent".
    pub(crate) fn into_request(self) -> Result<TransferRequest, Fault> {
        let target = match self.queue {
            None => Target::AnyAgent,
            Some(name) if name.trim().is_empty() => {
                return Err(Fault::invalid_config(
                    "redirect.empty_queue",
                    "The name of the queue came out empty. Set the value it is made from before \
                     this node, or leave the queue out to let the account's routing decide.",
                ));
            }
            Some(name) => Target::Queue(name),
        };
        Ok(TransferRequest {
            account: self.account,
            target,
            identity: self.identity.without_blanks(),
            subject: self.subject,
            priority: self.priority,
            skills: self.skills,
            language: self.language,
            competency: None,
            attributes: self.attributes,
            messages: self.messages,
            transcript: self.transcript,
            no_agent_timeout: self
                .no_agent_timeout
                .map(|span| Duration::from_secs(span.get().into())),
            user_end_command: self.user_end_command,
            queue_updates: self.queue_updates,
            user_idle: self.user_idle,
        })
    }

    /// What the schema of the config can't say.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(queue) = &self.queue {
            if queue.trim().is_empty() {
                problems.push(Problem::at(
                    "/queue",
                    "redirect.empty_queue",
                    "The queue has no name. Write its exact name, or leave the field out to let the \
                     account's routing decide.",
                ));
            } else {
                problems.extend(agent::queue_problem("redirect", "/queue", queue));
            }
        }
        let command = self.user_end_command.as_deref();
        problems.extend(agent::end_command_problem("redirect", command));
        let address = self.identity.email_address.as_deref();
        problems.extend(agent::email_problem("redirect", address));
        problems.extend(agent::waiting_problems(
            "redirect",
            &self.messages,
            self.queue_updates.as_ref(),
            &self.user_idle,
        ));
        problems
    }
}
