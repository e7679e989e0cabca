//! `handoff serve`: a project's bots for users' channels and for Genesys, over HTTP.

use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{BOLD, DIM, YELLOW};
use anyhow::{Context, bail};
use handoff_engine::account::Account;
use handoff_engine::display::{indented, line};
use handoff_engine::egress::Origin;
use handoff_engine::project::Project;
use handoff_genesys::Secrets;
use handoff_scenario::SimulatedSecrets;
use handoff_server::releases::{AtStart, DeployError, Deployments, ReleaseError, Releases, Reload};
use handoff_server::{
    AdminToken, ApiOptions, DataDirectory, Door, EgressOptions, Host, Limits, ListenOptions,
    ProjectSecrets, Rate, Server, TlsFiles,
};
use std::net::SocketAddr;
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
    /// Where sessions, users' files, versions of the project and the host's key are kept. Without this,
    /// '.handoff' in the project's directory.
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
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (admin, made) = admin_token(&arguments)?;
    let door = Door::open(listen_options(&arguments))?;
    let public_url = match &arguments.public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => door.url().to_owned(),
    };
    let data = arguments.data.clone();
    let data = DataDirectory::open(data.unwrap_or_else(|| arguments.project.join(".handoff")))?;
    let store = Arc::new(data.store()?);
    let media = Arc::new(data.media(&public_url)?);
    let engine = arguments
        .nodes
        .load_for_server(
            data.compiled(),
            arguments.allow_egress.iter().cloned().collect(),
        )
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
        deployments: Some(deployments),
        admin_token: Some(admin.clone()),
        public_sessions: arguments.public_sessions,
        nodes: engine.nodes().cloned().collect(),
        limits: Limits {
            inputs: Rate::new(arguments.rate, arguments.rate.saturating_mul(6)),
            ..Limits::default()
        },
        ..ApiOptions::new(data.key().clone())
    };
    let server = Server::start(door, &host, options)?;
    if let Some(simulator) = &arguments.simulator {
        point_webhooks(simulator, &public_url, &current).await?;
    }
    announce(&server, &current, &data, made.then_some(&admin));
    told_to_stop().await?;
    err!("{DIM}stopping; what is under way is finished first{DIM:#}");
    server.shut_down(Duration::from_secs(arguments.drain)).await;
    Ok(ExitCode::SUCCESS)
}

/// The operator's token, and whether it was made here.
fn admin_token(arguments: &Arguments) -> anyhow::Result<(AdminToken, bool)> {
    if let Some(token) = &arguments.admin_token {
        return Ok((AdminToken::new(token)?, false));
    }
    if !arguments.listen.ip().is_loopback() {
        bail!(
            "{} is reached from other machines, and without an admin token nobody could operate the \
             server; set HANDOFF_ADMIN_TOKEN to one made with 'openssl rand -base64 24'",
            arguments.listen
        );
    }
    let token = AdminToken::random().context("the system gives no random numbers")?;
    Ok((token, true))
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
        let directory = arguments.project.clone();
        return Ok(Box::new(ProjectSecrets::new(project, directory)));
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

/// Waits for Ctrl-C, or on Unix for what asks a service to stop.
async fn told_to_stop() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut asked = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed?,
            _ = asked.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}
