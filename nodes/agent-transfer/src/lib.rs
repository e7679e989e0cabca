//! The `agentTransfer` node: Kore.ai's way of handing the conversation to an agent.
//!
//! It names no queue. Architect reads one from the attributes, above all from what `setMetaInfo` set.

use std::{num::NonZeroU32, time::Duration};

use handoff_node::{
    Category, Context, Descriptor, Fault, Identity, IdleStep, Node, Outcome, Problem, QueueUpdates,
    Transcript, TransferMessages, TransferRequest, Trigger, agent,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Hands the conversation to an agent.
#[derive(Debug)]
pub struct AgentTransfer;

/// Which agent system gets the conversation, what the user is told, and what happens afterwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The account of the project that has the agents. Left out, it is the channel's or else the
    /// default account.
    #[schemars(extend("format" = "account"))]
    agent_system: Option<String>,
    /// Who the user is. Genesys Engage requires nickname, first name and last name.
    #[serde(default)]
    identity: Identity,
    /// What it is about, as the agent sees it.
    subject: Option<String>,
    /// On: once the agent has closed the conversation, the dialog goes on from here. Off: the
    /// session ends then.
    #[serde(default)]
    resume_bot: bool,
    /// What the user is told meanwhile.
    #[serde(default)]
    messages: TransferMessages,
    /// How many seconds to wait for an agent before the dialog leaves by "No agent". Left out, the
    /// queue's own rules apply.
    #[schemars(title = "Seconds to wait for an agent")]
    no_agent_timeout: Option<NonZeroU32>,
    /// What the user writes to leave the agent.
    #[schemars(extend("examples" = ["/end"]))]
    user_end_command: Option<String>,
    /// What the user is told of the queue while waiting. Left out, nothing.
    queue_updates: Option<QueueUpdates>,
    /// What happens while the user does not answer the agent, in order. Left out, only Genesys' own timeouts
    /// count.
    #[serde(default)]
    #[schemars(title = "When the user does not answer")]
    user_idle: Vec<IdleStep>,
    /// What the agent gets to read of the conversation so far.
    #[serde(default)]
    transcript: Transcript,
}

impl Config {
    /// The request this config makes.
    fn into_request(self) -> TransferRequest {
        TransferRequest {
            account: self.agent_system,
            identity: self.identity.without_blanks(),
            subject: self.subject,
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
}

impl Node for AgentTransfer {
    type Config = Config;
    type State = ();

    fn descriptor() -> Descriptor {
        Descriptor {
            type_name: "agentTransfer",
            version: env!("CARGO_PKG_VERSION"),
            label: "Agent transfer",
            summary: "Hands the conversation to the agent system, where the dialog ends.",
            help: include_str!("../help.md"),
            category: Category::Handoff,
            icon: include_str!("../icon.svg"),
            ports: agent::PORTS,
            reads: &[],
            writes: agent::WRITES,
            capabilities: &[],
            examples: include_str!("../examples.json"),
        }
    }

    fn validate(config: &Config) -> Vec<Problem> {
        let command = config.user_end_command.as_deref();
        let address = config.identity.email_address.as_deref();
        let problems = [
            agent::end_command_problem("agent_transfer", command),
            agent::email_problem("agent_transfer", address),
        ];
        let mut problems: Vec<Problem> = problems.into_iter().flatten().collect();
        problems.extend(agent::waiting_problems(
            "agent_transfer",
            &config.messages,
            config.queue_updates.as_ref(),
            &config.user_idle,
        ));
        problems
    }

    fn step(
        _context: &mut impl Context,
        config: Config,
        trigger: Trigger<()>,
    ) -> Result<Outcome, Fault> {
        match trigger {
            Trigger::Entered => Ok(Outcome::transfer(config.into_request())),
            Trigger::Returned { end, .. } => Ok(agent::after(&end, config.resume_bot)),
            other => Err(other.unexpected()),
        }
    }
}

handoff_node::export!(AgentTransfer);

#[cfg(test)]
mod tests {
    use handoff_node::testing;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_examples_hold() {
        testing::check_examples::<AgentTransfer>();
    }

    #[test]
    fn the_schema_of_the_config_is_as_reviewed() {
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(testing::descriptor::<AgentTransfer>()["config"]);
        });
    }

    #[test]
    fn problems_are_found_before_the_flow_runs() {
        let codes = |config| -> Vec<_> {
            testing::validate::<AgentTransfer>(config)
                .into_iter()
                .map(|found| found.code)
                .collect()
        };
        assert_eq!(
            codes(json!({ "userEndCommand": " " })),
            ["agent_transfer.empty_end_command"]
        );
        assert_eq!(
            codes(json!({ "identity": { "emailAddress": "ada" } })),
            ["agent_transfer.bad_email_address"]
        );
        let fine = json!({ "userEndCommand": "/end", "identity": { "emailAddress": "{{ context.email }}" } });
        assert_eq!(codes(fine), [""; 0]);
    }
}
