//! The integrations that an Open Messaging account needs, created and kept as the project wants them.
//!
//! Running it twice does nothing the second time. Ids of what was provisioned are remembered in a [`Lock`],
//! because names can be changed at Genesys: a renamed integration is told from a deleted one. What somebody
//! has changed there is drift; it is told, and overwritten only on request.

mod lock;
mod plan;

pub use lock::Lock;
pub use plan::Deed;

use crate::account::{AccountError, platform_of, secret};
use crate::platform::{Integration, Platform, PlatformError, Recipient};
use crate::secrets::Secrets;
use handoff_engine::account::{OpenMessagingAccount, Provision};
use handoff_engine::clock::Clock;
use handoff_engine::name::AccountName;
use plan::{Plan, Wanted, plan, plan_routing};
use serde::Serialize;
use std::sync::Arc;

/// Genesys takes no shorter signature secrets.
const SHORTEST_SECRET: usize = 16;

/// How far to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Overwrite what was changed at Genesys.
    pub mend: bool,
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It is done.
    Done,
    /// It would be done.
    Planned,
    /// Somebody has changed this at Genesys; it is left as it is.
    Drift,
    /// The client may not; people have to.
    ByHand {
        /// What it lacks.
        why: String,
    },
    /// It did not work.
    Failed {
        /// Why not.
        why: String,
    },
}

/// One thing that was to be done, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The integration's name in the project.
    pub integration: String,
    /// What was to be done.
    pub deed: Deed,
    /// How far it has come.
    #[serde(flatten)]
    pub state: State,
    /// What was found, as a sentence without its end.
    pub found: String,
}

/// What came of provisioning one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provisioned {
    /// The account.
    pub account: AccountName,
    /// Nothing if everything is as the project wants it.
    pub steps: Vec<Step>,
}

impl Provisioned {
    /// Whether something is left that keeps it from being as the project wants it.
    #[must_use]
    pub fn is_amiss(&self) -> bool {
        let amiss = |step: &Step| match &step.state {
            State::Done | State::Planned => false,
            // Who chooses flows is often not who runs the bots.
            State::ByHand { .. } => !matches!(step.deed, Deed::Bind { .. }),
            State::Drift | State::Failed { .. } => true,
        };
        self.steps.iter().any(amiss)
    }
}

/// An account that cannot be provisioned.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// It does not say how.
    #[error(
        "account '{account}' does not say what to provision; add provision = {{ webhook = \"https://<this host>/v1/genesys/{account}/webhook\", flow = \"<an inbound message flow>\" }} to it"
    )]
    NotAsked {
        /// The account.
        account: AccountName,
    },
    /// An integration is named by its id, by which none can be created.
    #[error(
        "account '{account}': '{integration}' is the id of an integration; write its name, so that one can be created"
    )]
    NotAName {
        /// The account.
        account: AccountName,
        /// What stands there.
        integration: String,
    },
    /// Its secret would not do.
    #[error(
        "account '{account}': webhook-secret has {length} characters, and Genesys takes no signature secret of fewer than {SHORTEST_SECRET}; make a longer one"
    )]
    ShortSecret {
        /// The account.
        account: AccountName,
        /// How long it is.
        length: usize,
    },
    /// It cannot be used as it stands.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Integrations cannot be seen.
    #[error("account '{account}': {source}")]
    Platform {
        /// The account.
        account: AccountName,
        /// Why not.
        source: PlatformError,
    },
}

impl ProvisionError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAsked { .. } => "provision.not_asked",
            Self::NotAName { .. } => "provision.not_a_name",
            Self::ShortSecret { .. } => "provision.short_secret",
            Self::Account(error) => error.code(),
            Self::Platform { source, .. } => source.code(),
        }
    }
}

/// Provisions an account. What is created is in `lock` as soon as it is there.
///
/// # Errors
///
/// If the account says nothing of it, or its integrations cannot be seen. A step that fails is no error.
pub async fn provision(
    name: &AccountName,
    account: &OpenMessagingAccount,
    manner: Manner,
    lock: &mut Lock,
    secrets: &dyn Secrets,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
) -> Result<Provisioned, ProvisionError> {
    let Some(how) = &account.provision else {
        let account = name.clone();
        return Err(ProvisionError::NotAsked { account });
    };
    let by_id = |it: &&str| uuid::Uuid::try_parse(it).is_ok();
    if let Some(integration) = account.integrations().find(by_id) {
        let (account, integration) = (name.clone(), integration.to_owned());
        return Err(ProvisionError::NotAName {
            account,
            integration,
        });
    }
    let signature = secret(name, "webhook-secret", &account.webhook_secret, secrets)?;
    let length = signature.chars().count();
    if length < SHORTEST_SECRET {
        let account = name.clone();
        return Err(ProvisionError::ShortSecret { account, length });
    }
    let platform = platform_of(name, account, secrets, clock, http)?;
    let unseen = |source| ProvisionError::Platform {
        account: name.clone(),
        source,
    };
    let all = platform.integrations().await.map_err(unseen)?;
    let mut work = Work {
        account: name,
        platform,
        signature,
        manner,
        lock,
        steps: Vec::new(),
    };
    for wanted in wanted(account, how) {
        work.provision(&wanted, &all).await;
    }
    Ok(Provisioned {
        account: name.clone(),
        steps: work.steps,
    })
}

/// The account's own integration, and those of its competencies.
fn wanted(account: &OpenMessagingAccount, how: &Provision) -> Vec<Wanted> {
    let own = (account.integration.as_str(), how.flow.as_ref());
    let of_competencies = account.competencies.iter().map(|(competency, name)| {
        let flow = how.flows.get(competency).or(how.flow.as_ref());
        (name.as_str(), flow)
    });
    let mut all: Vec<Wanted> = Vec::new();
    for (name, flow) in std::iter::once(own).chain(of_competencies) {
        if all.iter().all(|it| it.name != name) {
            all.push(Wanted {
                name: name.to_owned(),
                webhook: how.webhook.clone(),
                flow: flow.cloned(),
            });
        }
    }
    all
}

struct Work<'a> {
    account: &'a AccountName,
    platform: Platform,
    signature: String,
    manner: Manner,
    lock: &'a mut Lock,
    steps: Vec<Step>,
}

impl Work<'_> {
    async fn provision(&mut self, wanted: &Wanted, all: &[Integration]) {
        let known = self.lock.id(self.account, &wanted.name);
        let Plan { there, deeds } = plan(wanted, known, all, &self.signature);
        let mut there = there;
        // One call sets all that is to be set of an integration.
        let mut changed = None;
        for deed in deeds {
            if let Some(state) = self.withheld(&deed) {
                // Whose it is has to be decided before anything is done to it.
                let undecided = matches!(deed, Deed::Replace | Deed::Recreate);
                self.note(wanted, deed, state);
                if undecided {
                    return;
                }
                continue;
            }
            let state = match &deed {
                Deed::Create | Deed::Recreate => {
                    let created = self.create(wanted).await;
                    created.map(|created| there = Some(created))
                }
                Deed::Adopt | Deed::Replace => {
                    if let Some(there) = &there {
                        self.lock.remember(self.account, &wanted.name, &there.id);
                    }
                    Ok(())
                }
                _ => match (&there, &changed) {
                    (_, Some(outcome)) => Result::clone(outcome),
                    (Some(there), None) if deed.is_change() => {
                        let outcome = self.change(wanted, there).await;
                        changed = Some(outcome.clone());
                        outcome
                    }
                    _ => Ok(()),
                },
            };
            let state = outcome(state);
            self.note(wanted, deed, state);
        }
        self.route(wanted, there.as_ref()).await;
    }

    /// Why a deed is not done now.
    fn withheld(&self, deed: &Deed) -> Option<State> {
        if deed.is_drift() && !self.manner.mend {
            return Some(State::Drift);
        }
        // Remembering an id changes nothing at Genesys, but it is something done.
        self.manner.dry_run.then_some(State::Planned)
    }

    async fn create(&mut self, wanted: &Wanted) -> Result<Integration, PlatformError> {
        let created = self
            .platform
            .create_integration(&wanted.name, &wanted.webhook, &self.signature)
            .await?;
        self.lock.remember(self.account, &wanted.name, &created.id);
        Ok(created)
    }

    async fn change(&self, wanted: &Wanted, there: &Integration) -> Result<(), PlatformError> {
        self.platform
            .change_integration(&there.id, &wanted.name, &wanted.webhook, &self.signature)
            .await
    }

    /// Has the wanted flow answer.
    async fn route(&mut self, wanted: &Wanted, there: Option<&Integration>) {
        let Some(there) = there else {
            // It would be created.
            let planned = self.manner.dry_run;
            let deed = plan_routing(wanted.flow.as_deref(), None).filter(|_| planned);
            if let Some(deed) = deed {
                self.note(wanted, deed, State::Planned);
            }
            return;
        };
        let Some(flow) = wanted.flow.clone() else {
            return;
        };
        let recipient = match self.platform.recipient(there.recipient_id()).await {
            Ok(recipient) => recipient,
            Err(error) => {
                let deed = Deed::Bind { flow, from: None };
                let state = outcome(Err(error));
                return self.note(wanted, deed, state);
            }
        };
        let Some(deed) = plan_routing(Some(&flow), recipient.flow.as_ref()) else {
            return;
        };
        let state = match self.withheld(&deed) {
            Some(state) => state,
            None => self.bind(&recipient, wanted, &flow).await,
        };
        self.note(wanted, deed, state);
    }

    async fn bind(&self, recipient: &Recipient, wanted: &Wanted, flow: &str) -> State {
        let flows = match self.platform.flows_named(flow).await {
            Ok(flows) => flows,
            Err(error) => return outcome(Err(error)),
        };
        let Some(found) = flows.into_iter().find(|it| it.name == flow) else {
            return State::Failed {
                why: format!(
                    "there is no flow '{flow}' that this OAuth client sees; names are exact, and the client's role needs the flow's division"
                ),
            };
        };
        let name = recipient.name.as_deref().unwrap_or(&wanted.name);
        outcome(self.platform.bind(&recipient.id, name, &found).await)
    }

    fn note(&mut self, wanted: &Wanted, deed: Deed, state: State) {
        self.steps.push(Step {
            integration: wanted.name.clone(),
            found: deed.sentence(&wanted.name, &wanted.webhook),
            deed,
            state,
        });
    }
}

fn outcome(result: Result<(), PlatformError>) -> State {
    match result {
        Ok(()) => State::Done,
        Err(PlatformError::MissingPermission { permissions, .. }) => State::ByHand {
            why: format!("the OAuth client lacks {permissions}"),
        },
        Err(error) => State::Failed {
            why: error.to_string(),
        },
    }
}
