//! `handoff provision`: the integrations that a project's accounts need, created and kept so.
//!
//! What was provisioned is remembered in `genesys.lock` beside `project.toml`. It holds ids and no secrets,
//! and belongs into version control: without it a renamed integration cannot be told from a missing one.

use crate::diagnostics::show_all;
use crate::engine::{NodesArguments, spinner};
use crate::paint::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::preflight::chosen;
use crate::simulated::SimulatorArguments;
use anyhow::{Context, bail};
use handoff_engine::account::Account;
use handoff_engine::clock::SystemClock;
use handoff_engine::display::line;
use handoff_genesys::http_client;
use handoff_genesys::provision::{Lock, Manner, Provisioned, State, Step, provision};
use handoff_scenario::{StageError, load_project};
use handoff_server::ProjectDirectory;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Beside `project.toml`.
const LOCK: &str = "genesys.lock";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's directory.
    project: PathBuf,
    /// Provision this account only. Left out, every account that says how to.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Overwrite what was changed at Genesys: names, webhooks, secrets, flows; create again what was deleted.
    #[arg(long)]
    mend: bool,
    /// Tell what is done as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    simulator: SimulatorArguments,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let engine = arguments.nodes.load().await?;
    let mut project = match load_project(&engine, &arguments.project).await {
        Ok(project) => project,
        Err(StageError::Project(mistakes)) => {
            show_all(&mistakes, &arguments.project);
            bail!("the project has mistakes");
        }
        Err(error) => return Err(error.into()),
    };
    let directory = ProjectDirectory::read(&arguments.project)?.path;
    let secrets = arguments.simulator.prepare(&mut project, &directory)?;
    let path = directory.join(LOCK);
    let mut lock = read(&path)?;
    let manner = Manner {
        dry_run: arguments.dry_run,
        mend: arguments.mend,
    };
    let asked = arguments.account.as_deref();
    let mut all = Vec::new();
    for name in chosen(&project, asked)? {
        let Some(Account::CloudOpenMessaging(account)) = project.account(&name) else {
            if asked.is_some() {
                bail!(
                    "account '{name}' is not of transport cloud-open-messaging; no other has integrations"
                );
            }
            continue;
        };
        if account.provision.is_none() && asked.is_none() {
            continue;
        }
        let working = spinner(&format!("provisioning account '{name}'"));
        let (clock, http) = (Arc::new(SystemClock), http_client());
        let before = lock.clone();
        let done = provision(&name, account, manner, &mut lock, &*secrets, clock, http).await;
        working.finish_and_clear();
        // Even if something failed: what was created is there.
        if lock != before {
            write(&path, &lock)?;
        }
        let done = done?;
        if !arguments.json {
            show(&done);
        }
        all.push(done);
    }
    if all.is_empty() {
        bail!(
            "no account says what to provision; add provision = {{ webhook = \"https://...\", flow = \"...\" }} to an account of transport cloud-open-messaging"
        );
    }
    if arguments.json {
        out!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(match all.iter().any(Provisioned::is_amiss) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

fn read(path: &Path) -> anyhow::Result<Lock> {
    if !path.exists() {
        return Ok(Lock::default());
    }
    let text = handoff_server::read_text_file(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| {
        format!(
            "{} is damaged; take it from version control, or delete it: integrations are then found by \
             their names",
            path.display()
        )
    })
}

fn write(path: &Path, lock: &Lock) -> anyhow::Result<()> {
    let head = "# What 'handoff provision' made at Genesys, by id. Keep it with the project.\n\n";
    let text = format!("{head}{}", toml::to_string(lock)?);
    let fresh = path.with_extension("lock.new");
    std::fs::write(&fresh, text)
        .and_then(|()| std::fs::rename(&fresh, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn show(done: &Provisioned) {
    out!("{BOLD}{}{BOLD:#}", done.account);
    for step in &done.steps {
        show_step(step);
    }
    if done.steps.is_empty() {
        out!("  {GREEN}✓{GREEN:#} everything is as the project wants it");
    }
}

fn show_step(step: &Step) {
    let (style, sign, what) = match &step.state {
        State::Done => (GREEN, "✓", format!("done: {}", step.deed)),
        State::Planned => (DIM, "·", format!("would {}", step.deed)),
        State::Drift => (
            YELLOW,
            "!",
            format!("changed at Genesys and left so; --mend would {}", step.deed),
        ),
        State::ByHand { why } => (YELLOW, "!", format!("{why}; {} by hand", step.deed)),
        State::Failed { why } => (RED, "✗", why.clone()),
    };
    let code = step.deed.code();
    out!(
        "  {style}{sign}{style:#} {} {DIM}{code}{DIM:#}",
        line(&step.found)
    );
    out!("      {DIM}{}{DIM:#}", line(&what));
}
