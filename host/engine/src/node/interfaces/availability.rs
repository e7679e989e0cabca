//! `availability`: how many agents there are.

use crate::availability::{AskAgents, Asked, Availability, NotTold, Told};
use crate::diagnostic::{did_you_mean, name_list};
use crate::name::AccountName;
use crate::node::bindings::handoff::node::availability::{Host, NotTold as WitNotTold};
use crate::node::node_text;
use crate::node::state::StepState;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

impl Host for StepState {
    async fn ask(
        &mut self,
        account: Option<String>,
        queue: Option<String>,
    ) -> Result<String, WitNotTold> {
        let chosen = self.choose(account.as_deref());
        let answer = match (&chosen, self.asking()) {
            (Ok(account), Ok(asking)) => asking.ask(account, queue.as_deref()).await,
            (Err(error), _) => Err(error.clone()),
            (_, Err(error)) => Err(error),
        };
        if self.host.asked.len() > self.limits.questions {
            // One too many is on record already.
            return answer
                .map(for_nodes)
                .map_err(|NotTold { code, message }| WitNotTold { code, message });
        }
        self.host.asked.push(Asked {
            account: chosen.ok(),
            queue: queue.map(node_text::sentence),
            answer: match &answer {
                Ok(availability) => Told::Agents(*availability),
                Err(error) => Told::Nothing(error.clone()),
            },
        });
        match answer {
            Ok(availability) => Ok(for_nodes(availability)),
            Err(NotTold { code, message }) => Err(WitNotTold { code, message }),
        }
    }
}

/// As the contract has it: spans are in seconds.
fn for_nodes(availability: Availability) -> String {
    let Availability {
        on_queue,
        idle,
        waiting,
        estimated_wait,
    } = availability;
    let mut told = serde_json::Map::new();
    let counts = [("onQueue", on_queue), ("idle", idle), ("waiting", waiting)];
    for (name, count) in counts {
        told.extend(count.map(|count| (name.to_owned(), json!(count))));
    }
    let seconds = estimated_wait.map(|wait| wait.0 / 1_000);
    told.extend(seconds.map(|seconds| ("estimatedWaitSeconds".to_owned(), json!(seconds))));
    serde_json::Value::Object(told).to_string()
}

impl StepState {
    /// The account that is meant.
    fn choose(&self, asked: Option<&str>) -> Result<AccountName, NotTold> {
        let accounts = &self.host.accounts;
        if let Some(only) = &accounts.overriding {
            return Ok(only.clone());
        }
        let Some(name) = asked else {
            return accounts.by_default.clone().ok_or_else(|| {
                NotTold::new(
                    "transfer.no_account",
                    "the project has several accounts and no default one; name an account, or write \
                     'default-account' in project.toml",
                )
            });
        };
        let known = || accounts.known.iter().map(AccountName::as_str);
        let found = accounts.known.iter().find(|it| it.as_str() == name);
        let meant = found.map(|found| accounts.mapped.get(found).unwrap_or(found));
        meant.cloned().ok_or_else(|| {
            let help = did_you_mean(name, known())
                .unwrap_or_else(|| format!("the accounts are {}", name_list(known())));
            NotTold::new(
                "transfer.unknown_account",
                node_text::sentence(format!("there is no account '{name}'; {help}")),
            )
        })
    }

    /// What asks, unless the step has asked enough.
    fn asking(&self) -> Result<Asking, NotTold> {
        let limit = self.limits.questions;
        if self.host.asked.len() >= limit {
            return Err(NotTold::new(
                "availability.too_many",
                format!("a step may ask {limit} times for agents; spread it over several nodes"),
            ));
        }
        Ok(Asking {
            agents: Arc::clone(&self.agents),
            deadline: self.limits.http_deadline,
        })
    }
}

/// A question under way. It holds nothing of the step, which cannot be shared.
struct Asking {
    agents: Arc<dyn AskAgents>,
    deadline: Duration,
}

impl Asking {
    async fn ask(
        self,
        account: &AccountName,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold> {
        let deadline = self.deadline;
        tokio::time::timeout(deadline, self.agents.ask(account, queue))
            .await
            .unwrap_or_else(|_| {
                Err(NotTold::new(
                    "availability.timed_out",
                    format!("the platform of '{account}' did not answer within {deadline:?}"),
                ))
            })
    }
}
