//! A simulator and a host on one clock.
//!
//! Time moves in hops, from one thing that is due to the next. Between two hops everything comes to
//! rest: no task of the host works, no request or webhook is under way, and no frame is unread. So a
//! run repeats, whatever the machine is busy with.

use crate::apis::Apis;
use crate::file::Scenario;
use crate::secrets::SimulatedSecrets;
use genesys_sim::{
    Activity, ClockMode, Control, ControlError, DeskEvent, Options, Org, OrgError, Simulator,
};
use handoff_engine::account::Account;
use handoff_engine::clock::{Clock, SimClock};
use handoff_engine::diagnostic::Diagnostic;
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::{AccountName, SessionId};
use handoff_engine::project::Project;
use handoff_engine::time::{Millis, Timestamp};
use handoff_engine::{Engine, EngineError};
use handoff_genesys::preflight::{Preflight, Wants, preflight};
use handoff_genesys::provision::{Lock, Manner, ProvisionError, Provisioned, provision};
use handoff_genesys::{Secrets, http_client};
use handoff_server::{
    DirectoryError, EgressOptions, FileProblem, Host, HostKey, KeyError, ProjectDirectory,
    read_text_file,
};
use handoff_store::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::TryRecvError};

/// Monday 5 January 2026, nine in the morning, UTC: when every scenario begins.
const BEGINNING: Timestamp = Timestamp(1_767_603_600_000);

/// No hop is longer, so that heartbeats arrive as evenly as they would.
const HOP: Millis = Millis::from_secs(10);

/// What keeps a scenario from being played.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The project cannot be read.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The project's own nodes cannot be loaded.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Nodes(Vec<EngineError>),
    /// The project has mistakes.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Project(Vec<Diagnostic>),
    /// The simulated organisation has mistakes.
    #[error(transparent)]
    Org(#[from] OrgError),
    /// The simulated organisation cannot be read.
    #[error(
        "the simulated organisation '{path}' cannot be read: {error}. A scenario needs one; name it \
         with 'org', relative to the project"
    )]
    NoOrg {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        error: FileProblem,
    },
    /// No account has the transport.
    #[error("the project has no account with the transport '{0}'; add one under [accounts]")]
    NoAccount(TransportKind),
    /// The simulator does not start.
    #[error(transparent)]
    Simulator(#[from] genesys_sim::StartError),
    /// The host does not start.
    #[error(transparent)]
    Host(#[from] handoff_server::StartError),
    /// The host has no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No port to listen on.
    #[error("no port to listen on: {0}")]
    Listen(#[from] std::io::Error),
    /// The simulator does not know the integration.
    #[error("{0}")]
    Integration(#[from] genesys_sim::ControlError),
}

/// A simulator, a host and a clock.
pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) control: Control,
    pub(crate) apis: Apis,
    pub(crate) clock: SimClock,
    pub(crate) session: SessionId,
    sessions: usize,
    published: Published,
    secrets: SimulatedSecrets,
    engine: Engine,
    route: Route,
    org: String,
    store: Arc<dyn Store>,
    key: HostKey,
    /// Where the host listens.
    public_url: String,
    /// What was provisioned.
    lock: Lock,
    desks: Mutex<broadcast::Receiver<DeskEvent>>,
    // Stops when dropped.
    simulator: Simulator,
}

impl Stage {
    pub(crate) async fn set_up(
        engine: &Engine,
        scenario: &Scenario,
        transport: TransportKind,
        store: Arc<dyn Store>,
    ) -> Result<Self, StageError> {
        let now_ms = BEGINNING.0;
        let route = if scenario.as_configured {
            Route::AsConfigured
        } else {
            Route::Over(Some(transport))
        };
        let Scene {
            simulator,
            apis,
            project,
            secrets,
            org,
            ..
        } = Scene::set_up(
            engine,
            &scenario.project,
            &scenario.org,
            route,
            ClockMode::Manual { now_ms },
        )
        .await?;
        let published = Published::first(project);
        let clock = SimClock::new(BEGINNING);
        let key = HostKey::random()?;
        let control = simulator.control();
        let desks = control.events();
        let (host, public_url) = start_host(
            &published,
            &secrets,
            Arc::new(clock.clone()),
            &store,
            &key,
            &control,
            &apis,
        )
        .await?;
        Ok(Self {
            public_url,
            lock: Lock::default(),
            host,
            control,
            apis,
            clock,
            session: SessionId::new("session-1"),
            sessions: 1,
            published,
            secrets,
            engine: engine.clone(),
            route,
            org,
            store,
            key,
            desks: Mutex::new(desks),
            simulator,
        })
    }

    /// Stops the host and starts another one on the same store.
    pub(crate) async fn restart(&mut self) -> Result<(), StageError> {
        self.host.stop();
        self.host.stopped().await;
        (self.host, self.public_url) = start_host(
            &self.published,
            &self.secrets,
            Arc::new(self.clock.clone()),
            &self.store,
            &self.key,
            &self.control,
            &self.apis,
        )
        .await?;
        Ok(())
    }

    /// Where an account's webhook is, and what calls of it are signed with; none if it has no webhook.
    pub(crate) fn webhook(&self, account: &str) -> Option<(String, String)> {
        let name = AccountName::new(account);
        let Account::CloudOpenMessaging(account) = self.published.current.account(&name)? else {
            return None;
        };
        let secret = self.secrets.resolve(&account.webhook_secret).ok()?;
        let path = Host::webhook_path(&name);
        Some((format!("{}{path}", self.public_url), secret))
    }

    /// Provisions an account; none if the project has no such Open Messaging account.
    pub(crate) async fn provision(
        &mut self,
        account: &str,
        mend: bool,
    ) -> Option<Result<Provisioned, ProvisionError>> {
        let name = AccountName::new(account);
        let Account::CloudOpenMessaging(account) = self.published.current.account(&name)? else {
            return None;
        };
        let mut account = account.clone();
        if let Some(provision) = &mut account.provision {
            provision.webhook = format!("{}{}", self.public_url, Host::webhook_path(&name));
        }
        let manner = Manner {
            mend,
            dry_run: false,
        };
        let (secrets, clock) = (&self.secrets, Arc::new(self.clock.clone()));
        let lock = &mut self.lock;
        Some(provision(&name, &account, manner, lock, secrets, clock, http_client()).await)
    }

    /// Looks at an account; none if the project has no such account.
    pub(crate) async fn preflight(&self, account: &str) -> Option<Preflight> {
        let name = AccountName::new(account);
        let account = self.published.current.account(&name)?;
        let wants = Wants {
            webhook: Some(format!("{}{}", self.public_url, Host::webhook_path(&name))),
            ..Wants::of(&self.published.current, &name)
        };
        let clock = Arc::new(self.clock.clone());
        let http = http_client();
        Some(preflight(&name, account, &wants, &self.secrets, clock, http).await)
    }

    /// Publishes another version of the project. If it is refused the one that was published stays.
    pub(crate) async fn publish(&mut self, directory: &Path) -> Result<(), StageError> {
        let mut project = load_project(&self.engine, directory).await?;
        self.route.lead(&mut project, &self.simulator.base_url())?;
        let project = Arc::new(project);
        let secrets = SimulatedSecrets::new(&project, &self.org);
        self.host.deploy(Arc::clone(&project), &secrets)?;
        lead_back(&project, &self.public_url, &secrets, &self.control)?;
        self.secrets = secrets;
        let before = std::mem::replace(&mut self.published.current, project);
        self.published.earlier.push(before);
        Ok(())
    }

    /// Whether an agent has seen the user type since this was last asked.
    pub(crate) fn saw_typing(&self, agent: &str) -> bool {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = false;
        loop {
            match desks.try_recv() {
                Ok(event) => {
                    seen |= event.agent == agent
                        && event.activity == Activity::CustomerTyping { on: true };
                }
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return seen,
            }
        }
    }

    /// The user comes again, as another session.
    pub(crate) fn next_session(&mut self) {
        self.sessions += 1;
        self.session = SessionId::new(format!("session-{}", self.sessions));
    }

    /// The clock jumps, past everything that falls due on the way.
    pub(crate) async fn jump(&self, to: Timestamp) {
        self.settle().await;
        self.control.set_now(to.0);
        self.clock.set(to);
        self.settle().await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits until nothing happens any more that does not need time to pass.
    pub(crate) async fn settle(&self) {
        let mut last = None;
        loop {
            let now = (self.clock.idle().await, self.control.settle().await);
            if last == Some(now) {
                return;
            }
            last = Some(now);
        }
    }

    /// Lets time pass until the next thing that is due, but not beyond `until`. Returns false if
    /// `until` is reached.
    pub(crate) async fn hop(&self, until: Timestamp) -> bool {
        self.settle().await;
        let now = self.now();
        let due = [
            self.clock.next_wake(),
            self.control.next_timer().map(Timestamp),
        ];
        let next = due
            .into_iter()
            .flatten()
            .chain([now + HOP, until])
            .min()
            .map_or(until, |next| next.max(now));
        // Genesys first: what it sends on time has arrived when the host's timers look.
        self.control.set_now(next.0);
        self.settle().await;
        self.clock.set(next);
        self.settle().await;
        next < until
    }
}

/// Reads and checks a project with the standard nodes and its own.
pub async fn load_project(engine: &Engine, path: &Path) -> Result<Project, StageError> {
    let directory = ProjectDirectory::read(path)?;
    let components = directory.components()?;
    let engine = match components.is_empty() {
        true => engine.clone(),
        false => engine.with(components).await.map_err(StageError::Nodes)?,
    };
    directory.load(&engine).await.map_err(StageError::Project)
}

/// The text of an organisation. Its name comes from a scenario, which may not read just any file.
fn org_text(path: &Path) -> Result<String, FileProblem> {
    let real = path.canonicalize();
    let real = real.map_err(|error| FileProblem::Unreadable(error.kind()))?;
    match real.extension().is_some_and(|ending| ending == "toml") {
        true => read_text_file(&real),
        false => Err(FileProblem::NotToml),
    }
}

/// The account to play on: the default one if it has the transport, else the first that has. An
/// account that a worker brings along comes last, and before it those that are switched off.
fn account_for(project: &Project, transport: TransportKind) -> Option<AccountName> {
    let worker = |name: &AccountName| project.bots().any(|(bot, _)| bot.as_str() == name.as_str());
    project
        .accounts()
        .filter(|(_, account)| account.transport() == transport)
        .min_by_key(|(name, account)| {
            let by_default = Some(*name) == project.default_account();
            (
                !by_default,
                worker(name),
                !account.enabled(),
                !account.events(),
            )
        })
        .map(|(name, _)| name.clone())
}

/// A simulator that runs, and a project whose accounts lead to it.
pub(crate) struct Scene {
    pub(crate) simulator: Simulator,
    pub(crate) apis: Apis,
    pub(crate) project: Arc<Project>,
    pub(crate) secrets: SimulatedSecrets,
    pub(crate) transport: TransportKind,
    /// The text of the simulated organisation.
    pub(crate) org: String,
}

/// Where the handoffs of a scene go.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    /// Wherever the project says.
    AsConfigured,
    /// All to one account, of the default one's transport unless another one is asked for.
    Over(Option<TransportKind>),
}

impl Route {
    /// Leads a project's accounts to a simulator, and its transfers to the account that is meant. Gives the
    /// transport.
    fn lead(self, project: &mut Project, base_url: &str) -> Result<TransportKind, StageError> {
        project.edit_accounts(|_, account| account.redirect_to(base_url));
        let by_default = project
            .default_account()
            .and_then(|name| project.account(name))
            .map(handoff_engine::account::Account::transport);
        let by_default = by_default.unwrap_or(TransportKind::CloudOpenMessaging);
        let Self::Over(transport) = self else {
            return Ok(by_default);
        };
        let transport = transport.unwrap_or(by_default);
        let account = account_for(project, transport);
        project.override_account(account.ok_or(StageError::NoAccount(transport))?);
        Ok(transport)
    }
}

impl Scene {
    pub(crate) async fn set_up(
        engine: &Engine,
        project: &Path,
        org_path: &Path,
        route: Route,
        clock: ClockMode,
    ) -> Result<Self, StageError> {
        let mut project = load_project(engine, project).await?;
        let text = org_text(org_path).map_err(|error| StageError::NoOrg {
            path: org_path.to_owned(),
            error,
        })?;
        let org = Org::from_toml(&text, &org_path.display().to_string())?;
        let options = Options {
            clock,
            ..Options::default()
        };
        let simulator = Simulator::start(org, options).await?;
        let base_url = simulator.base_url();
        let transport = route.lead(&mut project, &base_url)?;
        let project = Arc::new(project);
        let secrets = SimulatedSecrets::new(&project, &text);
        Ok(Self {
            simulator,
            apis: Apis::start().await?,
            project,
            secrets,
            transport,
            org: text,
        })
    }
}

/// The versions of the project that were published.
pub(crate) struct Published {
    /// What new sessions take.
    current: Arc<Project>,
    /// What came before, for the sessions that began on it.
    earlier: Vec<Arc<Project>>,
}

impl Published {
    pub(crate) fn first(project: Arc<Project>) -> Self {
        Self {
            current: project,
            earlier: Vec::new(),
        }
    }
}

/// A host for a scene, with a webhook that the simulator knows, and where it listens.
pub(crate) async fn start_host(
    published: &Published,
    secrets: &SimulatedSecrets,
    clock: Arc<dyn Clock>,
    store: &Arc<dyn Store>,
    key: &HostKey,
    control: &Control,
    apis: &Apis,
) -> Result<(Host, String), StageError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    lead_back(&published.current, &public_url, secrets, control)?;
    let mut builder = Host::builder(Arc::clone(&published.current));
    for project in &published.earlier {
        builder = builder.earlier(Arc::clone(project));
    }
    let host = builder
        .clock(clock)
        .store(Arc::clone(store), key)
        .public_url(public_url.clone())
        .egress(EgressOptions {
            stand_in: Some(apis.url().clone()),
            ..EgressOptions::default()
        })
        .start(secrets)
        .await?;
    host.serve(listener);
    Ok((host, public_url))
}

/// Tells the simulator where a project's webhooks and the targets of its triggers are.
fn lead_back(
    project: &Project,
    public_url: &str,
    secrets: &SimulatedSecrets,
    control: &Control,
) -> Result<(), StageError> {
    for (name, account) in project.accounts() {
        if let Account::CloudOpenMessaging(account) = account {
            let url = format!("{public_url}{}", Host::webhook_path(name));
            // One that is still to be provisioned has no webhook to point here.
            for integration in account.integrations() {
                match control.set_webhook(integration, &url) {
                    Err(ControlError::UnknownIntegration(_)) if account.provision.is_some() => {}
                    pointed => pointed?,
                }
            }
            let token = account.events_token.as_ref();
            if let Some(token) = token.and_then(|token| secrets.resolve(token).ok()) {
                let url = format!("{public_url}{}", Host::events_path(name));
                for trigger in control.triggers() {
                    control.set_trigger_target(&trigger, &url, Some(&token))?;
                }
            }
        }
    }
    Ok(())
}
