//! `handoff serve`: a project's bots for users' channels and for Genesys, over HTTP.

use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{BOLD, DIM, YELLOW};
use crate::secrets::SecretsArguments;
use crate::store::STORE_FILE;
use anyhow::{Context, bail};
use etcetera::{BaseStrategy, choose_base_strategy};
use handoff_engine::account::Account;
use handoff_engine::display::{indented, line};
use handoff_engine::egress::Origin;
use handoff_engine::project::{MANIFEST, Project};
use handoff_genesys::Secrets;
use handoff_scenario::SimulatedSecrets;
use handoff_server::releases::{AtStart, DeployError, Deployments, ReleaseError, Releases, Reload};
use handoff_server::{
    AdminToken, AdminTokens, ApiOptions, Audit, DataDirectory, Door, EgressOptions, Host, HostKey,
    Limits, ListenOptions, Rate, Server, Starting, TlsFiles,
};
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's directory.
    project: PathBuf,
    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where sessions, users' files, versions of the project and the host's key are kept. Without this, a
    /// directory for this project in the user's own data directory.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Certificate in PEM, followed by those of its issuers.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Plain HTTP beyond this machine is meant, as behind a proxy that does the TLS.
    #[arg(long)]
    insecure: bool,
    /// Opens the operator's routes. Needed beyond this machine; on it one is made and printed.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "HANDOFF_ADMIN_TOKEN",
        hide_env_values = true
    )]
    admin_token: Option<String>,
    /// Admin tokens with roles, in TOML: a table `[[token]]` for each, with name, roles (view, operate, deploy), sha256 or token,
    /// and expires. Read again when it changes.
    #[arg(long, value_name = "FILE")]
    admin_tokens: Option<PathBuf>,
    /// Writes what operators do to this file, a line of JSON for each call.
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
    /// How many hours a session's token opens it. Clients renew it before that.
    #[arg(long, value_name = "HOURS", default_value_t = 168,
        value_parser = clap::value_parser!(u32).range(1..=9600))]
    token_lifetime: u32,
    /// A proxy, or a network of them, that is believed when X-Forwarded-For or Forwarded says where a
    /// request comes from: 10.0.0.0/8. May be given several times.
    #[arg(
        long,
        value_name = "CIDR",
        env = "HANDOFF_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_parser = network
    )]
    trusted_proxy: Vec<IpNet>,
    /// Requests that one client address may make a second, on the whole; those with an admin token are
    /// not counted.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    client_rate: u32,
    /// Sessions that one client address may start a second, on the whole, with --public-sessions.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    client_sessions: u32,
    /// Where the server is reached by users and by Genesys, if that is not the address it listens on.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Anybody may start a session, as a page on the web has to.
    #[arg(long)]
    public_sessions: bool,
    /// What the user of one session may do a second, on the whole.
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    rate: u32,
    /// Sends every account to a simulator that runs ('handoff sim').
    #[arg(long, value_name = "URL")]
    simulator: Option<String>,
    /// The organisation file the simulator was started with, relative to the project: credentials are
    /// read from it.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "org.toml",
        requires = "simulator"
    )]
    simulator_org: PathBuf,
    /// New sessions take what is saved in the project's directory from now on.
    #[arg(long)]
    watch: bool,
    /// Forgets sessions that closed longer ago, and files that are older.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    retention: Option<u32>,
    /// How many seconds /readyz says that the server will stop before it does. Without this 5, and none
    /// on this machine.
    #[arg(long, value_name = "SECONDS")]
    drain_delay: Option<u64>,
    /// How many seconds what is under way may take when the server is told to stop.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u64,
    /// Lets requests of nodes go to this origin, where a project sends them: `https://api.example.com`,
    /// `https://*.example.com:8443`. May be given several times; without it no request leaves.
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "HANDOFF_ALLOW_EGRESS",
        value_delimiter = ','
    )]
    allow_egress: Vec<Origin>,
    /// Names that requests of nodes go to may lead to private addresses, as those of this network.
    #[arg(long)]
    allow_private_egress: bool,
    #[command(flatten)]
    secrets: SecretsArguments,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (admin, made) = admin_token(&arguments)?;
    let tokens = AdminTokens::new(admin.as_ref(), arguments.admin_tokens.as_deref())?;
    let audit = arguments.audit_log.as_deref().map(|path| {
        Audit::to_file(path)
            .with_context(|| format!("the audit log '{}' cannot be opened", path.display()))
    });
    let audit = audit.transpose()?.unwrap_or_default();
    let door = Door::open(listen_options(&arguments))?;
    let public_url = match &arguments.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => door.url().to_owned(),
    };
    // Health checks are answered from here on, however long the rest takes.
    let starting = Starting::open(door)?;
    let data = match &arguments.data {
        Some(directory) => directory.clone(),
        None => data_directory(&arguments.project)?,
    };
    let data = DataDirectory::open(data)?;
    let store = Arc::new(data.store()?);
    let media = Arc::new(data.media(&public_url)?);
    let engine = arguments
        .nodes
        .load_with(arguments.allow_egress.iter().cloned().collect())
        .await?;
    let mut releases = Releases::new(
        &engine,
        arguments.nodes.components()?,
        &arguments.project,
        data.archive()?,
    );
    if let Some(url) = arguments.simulator.clone() {
        releases = releases.prepare(Arc::new(move |project| {
            project.edit_accounts(|_, account| account.redirect_to(&url));
        }));
    }
    let at_start = releases.at_start(&*store).await;
    let AtStart {
        current,
        earlier,
        missing,
    } = at_start.map_err(|error| explained(error, &arguments.project))?;
    for (version, error) in missing {
        err!(
            "{YELLOW}sessions on version {version} stand still: {}{YELLOW:#}",
            indented(&error.to_string(), "  ")
        );
    }
    let secrets: Arc<dyn Secrets + Send + Sync> = secrets(&arguments, &current)?.into();
    let mut builder = Host::builder(Arc::clone(&current))
        .store(store, data.key())
        .media(Arc::clone(&media) as _)
        .public_url(&public_url)
        .egress(EgressOptions {
            private_addresses: arguments.allow_private_egress,
            ..EgressOptions::default()
        });
    for project in earlier {
        builder = builder.earlier(project);
    }
    let host = builder.start(&*secrets).await?;
    if let Some(days) = arguments.retention {
        let age = Duration::from_secs(u64::from(days) * 24 * 60 * 60);
        host.forget_after(age, Some(media));
    }
    let deployments = Deployments::new(&host, releases, secrets);
    deployments.keep_tidy();
    if arguments.watch {
        let project = arguments.project.clone();
        let watching = deployments.watch(move |outcome| tell(outcome, &project));
        watching.context("the project's directory cannot be watched")?;
    }
    let options = ApiOptions {
        deployments: Some(deployments.clone()),
        admin_tokens: Some(tokens.clone()),
        token_lifetime: Duration::from_secs(u64::from(arguments.token_lifetime) * 60 * 60),
        revocations: data.revocations()?,
        trusted_proxies: arguments.trusted_proxy.clone(),
        audit: audit.clone(),
        public_sessions: arguments.public_sessions,
        nodes: engine.nodes().cloned().collect(),
        limits: Limits {
            inputs: Rate::new(arguments.rate, arguments.rate.saturating_mul(6)),
            client_requests: Rate::new(
                arguments.client_rate,
                arguments.client_rate.saturating_mul(5),
            ),
            client_sessions: Rate::new(
                arguments.client_sessions,
                arguments.client_sessions.saturating_mul(10),
            ),
            ..Limits::default()
        },
        scratch: data.path().to_owned(),
        ..ApiOptions::new(data.key().clone())
    };
    let server = starting.serve(&host, options);
    if let Some(simulator) = &arguments.simulator {
        point_webhooks(simulator, &public_url, &current).await?;
    }
    announce(&server, &current, &data, admin.as_ref().filter(|_| made));
    let renewal = Renewal {
        tokens,
        key: data.key().clone(),
        audit: audit.clone(),
        deployments,
    };
    tokio::spawn(renewal.clone().watch_tokens());
    told_to_stop(|| renewal.renew()).await?;
    let delay = arguments.drain_delay();
    if !delay.is_zero() {
        anstream::eprintln!(
            "{DIM}stopping in {} s; once more stops it now{DIM:#}",
            delay.as_secs()
        );
        server.announce_end();
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            told = told_to_stop(|| ()) => told?,
        }
    }
    anstream::eprintln!("{DIM}stopping; what is under way is finished first{DIM:#}");
    server.shut_down(Duration::from_secs(arguments.drain)).await;
    tokio::task::spawn_blocking(move || audit.flush()).await?;
    Ok(ExitCode::SUCCESS)
}

/// A network; an address is a network of one.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| {
        "this is not a network; write an address and a length, such as 10.0.0.0/8".to_owned()
    })
}

impl Arguments {
    /// How long it is announced that the server will stop.
    fn drain_delay(&self) -> Duration {
        let unless_given = if self.listen.ip().is_loopback() { 0 } else { 5 };
        Duration::from_secs(self.drain_delay.unwrap_or(unless_given))
    }
}

/// How often it is looked whether the file of admin tokens has changed.
const LOOK_AT_TOKENS: Duration = Duration::from_secs(10);

/// What is read again while the server runs.
#[derive(Clone)]
struct Renewal {
    tokens: AdminTokens,
    key: HostKey,
    audit: Audit,
    deployments: Deployments,
}

impl Renewal {
    /// Reads everything again, as on SIGHUP.
    fn renew(&self) {
        self.audit.reopen();
        self.renew_tokens();
        match self.key.reload() {
            Ok(true) => tracing::warn!("the host has another key"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the host's key stays as it is"),
        }
        match self.deployments.renew_secrets() {
            Ok(0) => {}
            Ok(accounts) => tracing::warn!(accounts, "accounts have other secrets"),
            Err(error) => tracing::error!(%error, "secrets stay as they are"),
        }
    }

    fn renew_tokens(&self) {
        match self.tokens.reload() {
            Ok(true) => tracing::warn!("there are other admin tokens"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the admin tokens stay as they are"),
        }
    }

    /// Reads the admin tokens again from time to time: whoever mounts the file may swap what is behind it.
    async fn watch_tokens(self) {
        loop {
            tokio::time::sleep(LOOK_AT_TOKENS).await;
            let renewal = self.clone();
            drop(tokio::task::spawn_blocking(move || renewal.renew_tokens()).await);
        }
    }
}

/// Where a project's sessions are kept if nobody says where. Never in the project: it may come from
/// anybody, and with it would come the key that tokens are made with.
fn data_directory(project: &Path) -> anyhow::Result<PathBuf> {
    let strategy =
        choose_base_strategy().context("this user has no data directory; name one with --data")?;
    let path = std::path::absolute(project)?;
    let path = path.canonicalize().unwrap_or(path);
    let path = match path.file_name() {
        Some(name) if name == MANIFEST => path.parent().unwrap_or(&path).to_owned(),
        _ => path,
    };
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let digest: String = digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let inside = path.join(".handoff");
    if inside.join(STORE_FILE).exists() {
        anstream::eprintln!(
            "{YELLOW}'{}' holds sessions and is not used, because a project may come from anybody; if they \
             are yours, name it with --data{YELLOW:#}",
            inside.display()
        );
    }
    let servers = strategy.data_dir().join("handoff").join("servers");
    Ok(servers.join(format!("{name}-{digest}")))
}

/// The token that opens everything, and whether it was made here; none where a file has the tokens.
fn admin_token(arguments: &Arguments) -> anyhow::Result<(Option<AdminToken>, bool)> {
    if let Some(token) = &arguments.admin_token {
        return Ok((Some(AdminToken::new(token)?), false));
    }
    if arguments.admin_tokens.is_some() {
        return Ok((None, false));
    }
    if !arguments.listen.ip().is_loopback() {
        bail!(
            "{} is reached from other machines, and without an admin token nobody could operate the \
             server; set HANDOFF_ADMIN_TOKEN to one made with 'openssl rand -base64 24', or name \
             --admin-tokens",
            arguments.listen
        );
    }
    let token = AdminToken::random().context("the system gives no random numbers")?;
    Ok((Some(token), true))
}

fn listen_options(arguments: &Arguments) -> ListenOptions {
    let files = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    ListenOptions {
        tls: files.map(|(certificate, key)| TlsFiles { certificate, key }),
        insecure: arguments.insecure,
        ..ListenOptions::new(arguments.listen)
    }
}

/// What became of a change of the project's directory.
fn tell(outcome: Result<Reload, DeployError>, project: &Path) {
    match outcome {
        Ok(Reload::Deployed(digest)) => {
            out!("{DIM}new sessions take version {}{DIM:#}", &digest[..12]);
        }
        Ok(Reload::Unchanged(_)) => {}
        Err(error) => {
            if let DeployError::Release(ReleaseError::Project(mistakes)) = &error {
                show_all(mistakes, project);
            } else {
                err!("{}", indented(&error.to_string(), "  "));
            }
            err!("{YELLOW}new sessions go on as before{YELLOW:#}");
        }
    }
}

/// A version that cannot be used, its mistakes shown as 'handoff check' shows them.
fn explained(error: ReleaseError, project: &Path) -> anyhow::Error {
    match error {
        ReleaseError::Project(mistakes) => {
            show_all(&mistakes, project);
            anyhow::anyhow!("the project has mistakes")
        }
        error => error.into(),
    }
}

fn secrets(
    arguments: &Arguments,
    project: &Project,
) -> anyhow::Result<Box<dyn Secrets + Send + Sync>> {
    if arguments.simulator.is_none() {
        let secrets = arguments.secrets.of(project, &arguments.project);
        return Ok(Box::new(secrets));
    }
    let org = arguments.project.join(&arguments.simulator_org);
    let text = handoff_server::read_text_file(&org).with_context(|| {
        format!(
            "the simulated organisation '{}' cannot be read; name it with --simulator-org",
            org.display()
        )
    })?;
    Ok(Box::new(SimulatedSecrets::new(project, &text)))
}

/// Has a simulator's integrations call this server.
async fn point_webhooks(
    simulator: &str,
    public_url: &str,
    project: &Project,
) -> anyhow::Result<()> {
    let client = handoff_genesys::http_client();
    for (name, account) in project.accounts() {
        let Account::CloudOpenMessaging(account) = account else {
            continue;
        };
        let webhook = format!("{public_url}{}", Host::webhook_path(name));
        for integration in account.integrations() {
            point_webhook(&client, simulator, integration, &webhook).await?;
        }
    }
    Ok(())
}

async fn point_webhook(
    client: &reqwest::Client,
    simulator: &str,
    integration: &str,
    webhook: &str,
) -> anyhow::Result<()> {
    let mut url = reqwest::Url::parse(simulator).context("--simulator is no address")?;
    url.path_segments_mut()
        .map_err(|()| anyhow::anyhow!("--simulator is no address"))?
        .pop_if_empty()
        .extend(["sim", "integrations", integration, "webhook"]);
    let answer = client
        .put(url)
        .json(&serde_json::json!({ "url": webhook }))
        .send()
        .await
        .with_context(|| format!("the simulator at {simulator} does not answer"))?;
    if !answer.status().is_success() {
        bail!(
            "the simulator does not point '{integration}' here: {}",
            answer.text().await.unwrap_or_default()
        );
    }
    Ok(())
}

fn announce(server: &Server, project: &Project, data: &DataDirectory, made: Option<&AdminToken>) {
    let url = server.url();
    out!("{BOLD}{}{BOLD:#} on {url}", line(project.name()));
    out!("  sessions     {url}/v1/sessions");
    out!("  description  {url}/openapi.json");
    for (name, account) in project.accounts() {
        if let Account::CloudOpenMessaging(_) = account {
            let path = Host::webhook_path(name);
            out!("  webhook      {url}{path}");
        }
    }
    out!("  data         {}", data.path().display());
    if let Some(token) = made {
        out!("  admin token  {}", token.as_str());
    }
    out!("{DIM}Ctrl-C stops it.{DIM:#}");
}

/// Waits for Ctrl-C, or on Unix for what asks a service to stop. Meanwhile does what it is asked for when
/// a service is to read its files again.
async fn told_to_stop(reload: impl Fn()) -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut asked = signal(SignalKind::terminate())?;
        let mut changed = signal(SignalKind::hangup())?;
        loop {
            tokio::select! {
                pressed = tokio::signal::ctrl_c() => return Ok(pressed?),
                _ = asked.recv() => return Ok(()),
                _ = changed.recv() => reload(),
            }
        }
    }
    #[cfg(not(unix))]
    {
        let _ = reload;
        Ok(tokio::signal::ctrl_c().await?)
    }
}
